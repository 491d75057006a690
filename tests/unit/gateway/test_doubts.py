"""Whoever waits for a server in doubt waits with all others, and for no longer than it takes."""

from __future__ import annotations

import asyncio

import pytest

from bawn.errors import Refused
from bawn.gateway import doubts
from bawn.gateway.doubts import Doubts
from tests.fakes import FakeBarrier


@pytest.fixture(autouse=True)
def _often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "_LOOK", 0.001)


def _doubts(*servers: str) -> Doubts:
    made = Doubts(FakeBarrier())
    made.servers = frozenset(servers)
    return made


async def _until_waiting(found: Doubts, count: int) -> None:
    while found._waiting.total() != count:
        await asyncio.sleep(0)


async def test_of_a_server_that_is_in_no_doubt_nobody_waits() -> None:
    await _doubts("files").over("issues")


async def test_each_waits_for_its_own_server() -> None:
    found = _doubts("files", "issues")
    files, issues = (asyncio.create_task(found.over(name)) for name in ("files", "issues"))
    await _until_waiting(found, 2)
    found.servers = frozenset({"issues"})
    await files
    assert not issues.done()
    found.servers = frozenset()
    await issues


async def test_who_goes_away_takes_nobody_along_and_the_last_ends_the_looking() -> None:
    found = _doubts("files")
    first, second = (asyncio.create_task(found.over("files")) for _ in range(2))
    await _until_waiting(found, 2)
    first.cancel()
    await _until_waiting(found, 1)
    assert not second.done()
    looking = found._looking
    second.cancel()
    assert looking is not None
    await asyncio.wait_for(looking, 30)
    assert not found._waiting


async def test_a_barrier_that_cannot_be_read_refuses_all_who_wait() -> None:
    barrier = FakeBarrier()
    found = Doubts(barrier)
    found.servers = frozenset({"files"})
    waiting = [asyncio.create_task(found.over("files")) for _ in range(3)]
    await _until_waiting(found, 3)
    barrier.is_behind, barrier.current = True, False
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert {each.reason.id for each in outcomes if isinstance(each, Refused)} == {"gate.not_ready"}
    assert len(outcomes) == 3
    assert not found._waiting


async def test_it_is_not_waited_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doubts, "_PATIENCE", 0.02)
    with pytest.raises(Refused, match=r"integrity\.checking"):
        await _doubts("files").over("files")
