"""What is in force is obeyed before anything is admitted."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts, Kind
from bawn.errors import GATE_NOT_READY, Refused
from bawn.ports import Arrival, Elsewhere
from tests.gate import ADA, VIC, House, legacy, modern, session_of

READ = {"name": "files__read", "arguments": {}}
CALL = ("tools/call", READ)


def settled(arrival: Arrival) -> Arrival:
    return msgspec.structs.replace(arrival, settled=True)


async def test_a_worker_catches_up_before_it_admits() -> None:
    house = House()
    house.barrier.is_behind = True
    await house.ask(modern(*CALL))
    assert len(house.sent) == 1
    assert not house.barrier.is_behind


@pytest.mark.parametrize("method", ["tools/call", "tools/list", "server/discover"])
async def test_what_cannot_be_caught_up_with_is_refused(method: str) -> None:
    house = House()
    house.barrier.is_behind = True
    house.barrier.failing = Refused(GATE_NOT_READY)
    await house.refused(modern(method, READ), "gate.not_ready")


async def test_a_worker_out_of_date_sends_the_message_elsewhere() -> None:
    house = House(slot=1, workers=3)
    house.barrier.is_behind, house.barrier.current = True, False
    for message in (modern(*CALL), legacy(*CALL), modern("tools/list")):
        with pytest.raises(Elsewhere) as caught:
            await house.answer(message)
        assert caught.value.slot == 1
    assert house.journal == []


async def test_a_worker_out_of_date_names_the_owner_of_a_session() -> None:
    session = await session_of(House(slot=2, workers=3))
    house = House(slot=1, workers=3)
    house.barrier.is_behind, house.barrier.current = True, False
    with pytest.raises(Elsewhere) as caught:
        await house.answer(legacy(*CALL, session=session))
    assert caught.value.slot == 2


async def test_a_message_that_is_settled_goes_nowhere_else() -> None:
    house = House()
    house.barrier.is_behind, house.barrier.current = True, False
    await house.refused(settled(modern(*CALL)), "gate.not_ready")


async def test_a_call_in_the_session_of_another_worker_goes_there() -> None:
    session = await session_of(House(slot=0, workers=2))
    house = House(slot=1, workers=2)
    call = legacy(*CALL, session=session)
    with pytest.raises(Elsewhere):
        await house.answer(call)
    assert house.journal == []
    _, body = await house.ask(settled(call))
    assert "result" in body


async def test_an_ended_session_is_not_served() -> None:
    house = House()
    session = await session_of(house)
    ending = legacy("ignored", session=session)
    assert house.gateway.end(ending).status == 200
    await house.refused(legacy(*CALL, session=session), "session.unknown")
    assert house.gateway.end(ending).status == 404
    assert house.gateway.end(legacy("ignored", session="x")).status == 404


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("gate", ""),
        ("server", "files"),
        ("item", "files:read"),
        ("principal", ADA.subject),
        ("token", "t1"),
    ],
)
async def test_what_is_cut_is_refused_from_the_next_call_on(kind: Kind, name: str) -> None:
    house = House()
    who = msgspec.structs.replace(ADA, token="t1")
    await house.ask(modern(*CALL, who=who))
    assert len(house.sent) == 1
    house.journal.clear()
    house.gateway.cut(Cuts((Cut(kind, name, 0.0),)))
    await house.refused(modern(*CALL, who=who), "gate.cut")
    await house.refused(legacy(*CALL, who=who), "gate.cut")
    house.gateway.cut(Cuts())
    await house.ask(modern(*CALL, who=who))
    assert len(house.sent) == 1


@pytest.mark.parametrize(
    ("kind", "name"),
    [("server", "issues"), ("item", "files:write"), ("principal", "eve"), ("token", "t2")],
)
async def test_what_is_not_cut_goes_on(kind: Kind, name: str) -> None:
    house = House()
    house.gateway.cut(Cuts((Cut(kind, name, 0.0),)))
    _, body = await house.ask(modern(*CALL))
    assert "result" in body


@pytest.mark.parametrize("method", ["tools/list", "server/discover", "initialize", "ping"])
async def test_a_cut_principal_learns_nothing(method: str) -> None:
    house = House()
    house.gateway.cut(Cuts((Cut("principal", VIC.subject, 0.0),)))
    params: dict[str, Any] = {"protocolVersion": "2025-11-25", "capabilities": {}}
    build = legacy if method in ("initialize", "ping") else modern
    await house.refused(build(method, params, who=VIC), "gate.cut")


async def test_a_cut_call_is_recorded_as_refused() -> None:
    house = House()
    house.gateway.cut(Cuts((Cut("server", "files", 0.0),)))
    await house.refused(modern(*CALL), "gate.cut")
    assert [reason for _, reason, _ in house.journal.of("refusal")] == ["gate.cut"]


async def test_a_cut_that_comes_while_a_call_waits_for_the_disk_stops_it() -> None:
    house = House()
    written = asyncio.get_running_loop().create_future()
    house.audit.settling = written
    calling = asyncio.create_task(house.ask(modern(*CALL)))
    await asyncio.sleep(0)
    assert house.journal.words() == ["intent"]
    house.gateway.cut(Cuts((Cut("server", "files", 0.0),)))
    written.set_result(None)
    _, body = await calling
    assert body["error"]["data"]["reason"] == "gate.cut"
    assert house.sent == []
    assert house.journal.words() == ["intent", "outcome"]
