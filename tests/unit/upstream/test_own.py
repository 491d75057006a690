from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_STATUS, Refused
from bawn.model import Json
from bawn.ports import UpstreamSession
from bawn.upstream import own as module
from bawn.upstream.line import SessionGoneError
from bawn.upstream.own import OwnStreams
from bawn.upstream.sessions import Session
from tests.unit.upstream.live import asked, told, until

CHANGED = told("notifications/tools/list_changed")


class Said:
    """A stream that says what the test puts; None ends it, a Refused breaks it."""

    def __init__(self) -> None:
        self.queue: asyncio.Queue[Json | Refused | None] = asyncio.Queue()
        self.closed = False

    async def messages(self) -> AsyncIterator[Json]:
        try:
            while True:
                said = await self.queue.get()
                if said is None:
                    return
                if isinstance(said, Refused):
                    raise said
                yield said
        finally:
            self.closed = True


class Server:
    """Opens streams, or does what `instead` says; remembers what was overheard."""

    def __init__(self) -> None:
        self.opened: list[Said] = []
        self.asked = 0
        self.instead: Exception | None = None
        self.has_none = False
        self.gate = asyncio.Event()
        self.gate.set()
        self.overheard: list[tuple[Session, Json]] = []

    async def open(self, session: Session) -> AsyncIterator[Json] | None:
        self.asked += 1
        await self.gate.wait()
        if self.instead is not None:
            raise self.instead
        if self.has_none:
            return None
        self.opened.append(Said())
        return self.opened[-1].messages()

    def hear(self, session: Session, message: Json) -> None:
        self.overheard.append((session, message))

    def own(self, most: int = 8) -> OwnStreams:
        return OwnStreams(self.open, self.hear, most)


class Ear:
    """Fills `line.Listener`."""

    def __init__(self) -> None:
        self.taken: list[Json] = []
        self.failures: list[Refused] = []

    def take(self, message: Json) -> None:
        self.taken.append(message)

    def fail(self, failure: Refused) -> None:
        self.failures.append(failure)


async def closed(said: Said) -> None:
    """Wait for the time when it is."""
    while not said.closed:
        await asyncio.sleep(0.001)


def session(id_: str | None = "s") -> Session:
    return Session(UpstreamSession({}, "2025-11-25", id_), {"sampling": {}})


@pytest.fixture
async def server() -> Server:
    return Server()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SHORTEST", 0)


async def test_a_call_begins_when_the_stream_stands_and_others_find_it(server: Server) -> None:
    own, mine = server.own(), session()
    async with own.during_a_call(mine):
        assert len(server.opened) == 1
        async with own.during_a_call(mine):
            server.opened[0].queue.put_nowait(asked("q"))
            await until(lambda: server.overheard)
    async with own.during_a_call(mine):
        assert server.asked == 1
    assert server.overheard == [(mine, asked("q"))]
    own.close()


async def test_a_call_waits_no_more_than_a_moment(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_MOMENT", 0.001)
    server.gate.clear()
    own = server.own()
    async with own.during_a_call(session()):
        assert (server.asked, server.opened) == (1, [])
        server.gate.set()
        await until(lambda: server.opened)
    own.close()


async def test_a_server_that_has_none_is_asked_once_for_each_session(server: Server) -> None:
    server.has_none = True
    own, mine = server.own(), session()
    for _ in range(3):
        async with own.during_a_call(mine):
            assert server.asked == 1
    async with own.during_a_call(session()):
        assert server.asked == 2
    own.close()


@pytest.mark.parametrize("instead", [SessionGoneError(), Refused(UPSTREAM_STATUS)])
async def test_a_call_goes_out_although_the_stream_fails(
    server: Server, instead: Exception
) -> None:
    server.instead = instead
    own, mine = server.own(), session()
    for _ in range(2):
        async with own.during_a_call(mine):
            await asyncio.sleep(0)
    assert not mine.is_silent
    assert server.asked >= 2
    own.close()


async def test_it_stands_for_a_while_after_the_last_call(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINGER", 0.01)
    own, mine = server.own(), session()
    async with own.during_a_call(mine), own.during_a_call(mine):
        pass
    assert not server.opened[0].closed
    await closed(server.opened[0])
    async with own.during_a_call(mine):
        assert len(server.opened) == 2
    own.close()


async def test_a_rest_ends_with_the_next_call_and_begins_anew_after_it(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINGER", 0.02)
    own, mine = server.own(), session()
    async with own.during_a_call(mine):
        pass
    async with own.during_a_call(mine):
        await asyncio.sleep(0.04)
        assert not server.opened[0].closed
    assert not server.opened[0].closed
    await closed(server.opened[0])


async def test_one_that_breaks_is_opened_again_while_calls_are_open_only(server: Server) -> None:
    own, mine = server.own(), session()
    async with own.during_a_call(mine):
        server.opened[0].queue.put_nowait(Refused(UPSTREAM_OUTCOME))
        while len(server.opened) < 2:
            await asyncio.sleep(0.001)
    server.opened[1].queue.put_nowait(None)
    await until(lambda: server.opened[1].closed)
    await asyncio.sleep(0.01)
    assert server.asked == 2
    own.close()


async def test_one_that_always_breaks_is_opened_ever_more_slowly(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SHORTEST", 0.01)
    server.instead = Refused(UPSTREAM_STATUS)
    own = server.own()
    async with own.during_a_call(session()):
        await asyncio.sleep(0.1)
        assert 2 <= server.asked <= 5
    own.close()


async def test_listeners_and_calls_share_one_stream(server: Server) -> None:
    own, mine, ear = server.own(), session(), Ear()
    assert await own.hear(mine, ear)
    async with own.during_a_call(mine):
        for said in (CHANGED, asked(1), told("notifications/message"), {"id": 7, "result": {}}):
            server.opened[0].queue.put_nowait(said)
        await until(lambda: len(server.overheard) == 3)
    assert ear.taken == [CHANGED]
    own.leave(mine, ear)
    assert not server.opened[0].closed
    assert server.asked == 1
    own.close()
    await until(lambda: server.opened[0].closed)


async def test_it_ends_with_its_last_listener_where_there_are_no_calls(server: Server) -> None:
    own, mine, one, two = server.own(), session(), Ear(), Ear()
    await own.hear(mine, one)
    await own.hear(mine, two)
    own.leave(mine, one)
    await asyncio.sleep(0)
    assert not server.opened[0].closed
    own.leave(mine, two)
    await until(lambda: server.opened[0].closed)


async def test_listeners_are_told_how_it_broke(server: Server) -> None:
    own, mine, ear = server.own(), session(), Ear()
    await own.hear(mine, ear)
    server.opened[0].queue.put_nowait(None)
    await until(lambda: ear.failures)
    assert ear.failures[0].reason is UPSTREAM_OUTCOME
    assert await own.hear(mine, Ear())
    assert len(server.opened) == 2
    own.close()


async def test_a_listener_does_not_wait_until_one_that_broke_is_due(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_SHORTEST", 60.0)
    own, mine = server.own(), session()
    async with own.during_a_call(mine):
        server.opened[0].queue.put_nowait(None)
        await until(lambda: server.opened[0].closed)
        async with own.during_a_call(mine):
            assert server.asked == 1
        assert await own.hear(mine, Ear())
    assert len(server.opened) == 2
    own.close()


async def test_a_listener_learns_why_there_is_none(server: Server) -> None:
    own, mine = server.own(), session()
    for failure in (SessionGoneError(), Refused(UPSTREAM_STATUS)):
        server.instead = failure
        with pytest.raises(type(failure)):
            await own.hear(mine, Ear())
    server.instead, server.has_none = None, True
    assert not await own.hear(mine, Ear())


async def test_whoever_comes_as_it_breaks_is_not_left_waiting(server: Server) -> None:
    own, mine = server.own(), session()
    server.gate.clear()
    joining = asyncio.create_task(own.hear(mine, Ear()))
    await until(lambda: server.asked)
    own.end(mine.shared)
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await joining


async def test_a_session_takes_its_stream_with_it(server: Server) -> None:
    own, mine, other, ear = server.own(), session(), session("t"), Ear()
    await own.hear(mine, ear)
    async with own.during_a_call(other), own.during_a_call(mine):
        own.end(mine.shared)
        await until(lambda: server.opened[0].closed)
        assert not server.opened[1].closed
    assert len(ear.failures) == 1
    own.close()


async def test_outside_of_sessions_nothing_is_heard_for_a_call(server: Server) -> None:
    own = server.own()
    async with own.during_a_call(session(None)):
        assert server.asked == 0


async def test_there_are_so_many_and_those_in_use_are_kept(server: Server) -> None:
    own = server.own(most=1)
    async with own.during_a_call(session("a")), own.during_a_call(session("b")):
        assert server.asked == 1
    async with own.during_a_call(session("c")):
        await until(lambda: server.opened[0].closed)
        assert len(server.opened) == 2
    own.close()


async def test_a_call_that_is_given_up_while_it_waits_leaves_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LINGER", 0.0)
    monkeypatch.setattr(module, "_MOMENT", 60.0)
    server.gate.clear()
    own = server.own()

    async def call() -> None:
        async with own.during_a_call(session()):
            raise AssertionError("it does not come to that")

    task = asyncio.create_task(call())
    await until(lambda: server.asked)
    task.cancel()
    await asyncio.wait({task})
    server.gate.set()
    await asyncio.sleep(0.01)
    assert server.opened == []
