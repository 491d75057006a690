"""What was approved is read again when it was replaced; a locked gate reads what bawn.lock has, and adds nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.pins.record import Record
from bawn.storage import StateDirectory
from bawn.storage.approved import Approved
from bawn.storage.files import ServerFiles
from tests.lockfiles import READ, WORSE, WRITE, pin


class House:
    """Approvals of one server, in the state and by a lockfile."""

    def __init__(self, home: Path) -> None:
        self.state = StateDirectory(home / "state")
        self.lock = home / "lock"
        self.lock.mkdir(mode=0o700)
        self.told: list[str] = []

    def approved(self, *, locked: bool) -> Approved:
        lock = str(self.lock) if locked else ""
        return Approved(self.state, self.told.append, 100, always=False, lock=lock)

    def put(self, place: Path, *tools: Json) -> None:
        record = Record("a", 1.0, pins=tuple(map(pin, tools)))
        ServerFiles(place, Record).update("a", lambda _: record)

    def waiting(self) -> list[str]:
        record = ServerFiles(self.state.pins, Record).read("a")
        return [] if record is None else [each.name for each in record.waiting]


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path)


async def refusal(approved: Approved, *tools: Json) -> str:
    """Why a process that lists these is not asked for `write`; empty when it is."""

    async def ask(method: str, params: Json) -> Json:
        return {"tools": list(tools)}

    try:
        await approved.verifying("a").check("tools/call", "write", ask)
    except Refused as refused:
        return refused.reason.id
    return ""


async def test_what_differs_is_refused_noted_and_told(house: House) -> None:
    house.put(house.state.pins, READ, WRITE)
    approved = house.approved(locked=False)
    assert await refusal(approved, READ, WRITE) == ""
    assert await refusal(approved, READ, WORSE) == "integrity.drift"
    assert (house.waiting(), house.told) == (["write"], ["a"])


async def test_what_was_approved_since_is_taken_in(house: House) -> None:
    house.put(house.state.pins, WRITE)
    approved = house.approved(locked=False)
    assert await refusal(approved, WORSE) == "integrity.drift"
    house.put(house.state.pins, WORSE)
    assert await refusal(approved, WORSE) == ""


async def test_a_locked_gate_compares_with_the_lockfile_alone(house: House) -> None:
    house.put(house.state.pins, WORSE)
    house.put(house.lock, READ, WRITE)
    approved = house.approved(locked=True)
    assert await refusal(approved, WORSE) == "integrity.lock"
    assert await refusal(approved, WRITE) == ""
    assert (house.waiting(), house.told) == ([], [])
