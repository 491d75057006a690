from __future__ import annotations

import asyncio

import msgspec
import pytest

from bawn.model import Outbound
from bawn.ports import UpstreamSession
from bawn.upstream import sessions as module
from bawn.upstream.legacy import Legacy
from tests.unit.upstream.old import Old
from tests.unit.upstream.scripted import error, outbound, result
from tests.unit.upstream.stores import MemorySessions


@pytest.fixture
def old() -> Old:
    return Old()


@pytest.fixture
def legacy(old: Old) -> Legacy:
    return Legacy(old.server.wire())


async def test_the_sessions_are_bounded_and_the_one_longest_unused_is_ended(
    old: Old, legacy: Legacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SESSIONS", 2)
    for isolation in ("alice", "bob", "alice", "carol"):
        await legacy.call(outbound(isolation=isolation))
    while "DELETE" not in old.server.methods():
        await asyncio.sleep(0)
    assert [asked.session for asked in old.server.of("DELETE")] == [b"s2"]
    await legacy.call(outbound(isolation="alice"))
    assert old.used()[-1] == b"s1"


async def test_whoever_holds_most_loses_by_it_and_nobody_else(
    old: Old, legacy: Legacy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SESSIONS", 4)
    await legacy.call(of("bob", "b1"))
    for n in range(12):
        await legacy.call(of("mallory", f"m{n}"))
    await legacy.call(of("bob", "b1"))
    await legacy.call(of("carol", "c1"))
    await legacy.call(of("bob", "b1"))
    assert {old.used()[0], *old.used()[-3::2]} == {b"s1"}
    while len(old.server.of("DELETE")) < 10:
        await asyncio.sleep(0)
    ended = [asked.session for asked in old.server.of("DELETE")]
    assert ended == [b"s%d" % n for n in range(2, 12)]


def of(principal: str, isolation: str) -> Outbound:
    """A call of a principal under one of its keys."""
    return msgspec.structs.replace(outbound(isolation=isolation), principal=principal)


# ── sessions that all workers share ─────────────────────────────────────────────────────────────


@pytest.fixture
def workers(old: Old) -> tuple[Legacy, Legacy]:
    store = MemorySessions()
    return Legacy(old.server.wire(), store), Legacy(old.server.wire(), store)


Workers = tuple[Legacy, Legacy]


async def test_workers_use_one_session(old: Old, workers: Workers) -> None:
    for worker in (*workers, *workers):
        await worker.call(outbound())
    await workers[0].call(outbound(isolation="bob"))
    assert old.used() == [b"s1"] * 4 + [b"s2"]


async def test_of_two_that_are_begun_at_once_one_stands_and_the_other_is_ended(
    old: Old, workers: Workers
) -> None:
    old.gate.clear()
    calls = [asyncio.create_task(w.call(outbound())) for w in workers for _ in range(3)]
    while len(old.server.of("initialize")) < 2:
        await asyncio.sleep(0)
    old.gate.set()
    await asyncio.gather(*calls)
    assert old.begun == 2
    assert len(set(old.used())) == 1
    while not old.server.of("DELETE"):
        await asyncio.sleep(0)
    assert old.sessions == {old.used()[0]}


async def test_a_forgotten_session_is_begun_anew_once_for_all_workers(
    old: Old, workers: Workers
) -> None:
    for worker in workers:
        await worker.call(outbound())
    old.sessions.clear()
    for worker in (*workers, *workers):
        assert (await worker.call(outbound())).result
    assert old.begun == 2
    assert old.used()[-3:] == [b"s2"] * 3


async def test_a_worker_that_closes_leaves_the_others_their_sessions(
    old: Old, workers: Workers
) -> None:
    first, second = workers
    await first.call(outbound())
    await first.aclose()
    await second.call(outbound())
    assert (old.used(), old.server.of("DELETE")) == ([b"s1"] * 2, [])


async def test_a_store_that_knows_nothing_changes_nothing(old: Old) -> None:
    class Broken:
        def find(self, server: str, isolation: str) -> None:
            """As an empty one."""

        def offer(
            self, server: str, isolation: str, session: UpstreamSession, instead: object
        ) -> UpstreamSession:
            return session

    legacy = Legacy(old.server.wire(), Broken())
    for _ in range(2):
        await legacy.call(outbound())
    assert old.used() == [b"s1"] * 2


@pytest.mark.parametrize("status", [400, 404])
async def test_a_session_of_which_the_server_refuses_even_a_ping_is_begun_anew(
    old: Old, workers: Workers, status: int
) -> None:
    old.gone = lambda asked, code, _, *, id_: error(asked, code, status, id_=id_)
    await workers[0].call(outbound())
    old.sessions.clear()
    assert (await workers[0].call(outbound())).result
    assert old.used() == [b"s1", b"s1", b"s2"]


async def test_a_400_that_is_about_the_call_costs_no_session(old: Old, legacy: Legacy) -> None:
    old.behave = lambda asked: (
        result(asked, {}) if asked.method == "ping" else error(asked, -32602, 400)
    )
    for _ in range(2):
        assert ((await legacy.call(outbound())).error or {})["code"] == -32602
    assert (old.begun, len(old.used())) == (1, 2)
