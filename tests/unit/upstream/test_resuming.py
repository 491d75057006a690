from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bawn.errors import UPSTREAM_INVALID, UPSTREAM_UNREACHABLE, Reason, Refused
from bawn.upstream.events import Mark
from bawn.upstream.resuming import resumed
from tests.unit.upstream.live import Live


class Server:
    """Gives the streams that it has, in order; remembers what was asked for, and the pauses before."""

    def __init__(self, *streams: Live | Reason | None) -> None:
        self.streams = list(streams)
        self.asked: list[bytes] = []
        self.pauses: list[float] = []

    async def reopen(self, last_id: bytes) -> AsyncIterator[bytes] | None:
        self.asked.append(last_id)
        found = self.streams.pop(0)
        if isinstance(found, Reason):
            raise Refused(found)
        return found

    async def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)


def stream(*said: bytes, id_: bytes = b"", retry: float | None = None) -> Live:
    live = Live(*said, mark=Mark(id_, retry))
    live.end()
    return live


async def read(first: Live, server: Server, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    monkeypatch.setattr("bawn.upstream.resuming.asyncio.sleep", server.sleep)
    found: list[bytes] = []
    try:
        async for data in resumed(first, server.reopen):
            found.append(data)  # noqa: PERF401 - what came before it broke counts
    except Refused as refused:
        found.append(refused.reason.id.encode())
    return found


async def test_a_stream_with_ids_goes_on_after_its_end_and_after_a_break(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = Live(b"2", mark=Mark(b"b", None))
    broken.fail()
    server = Server(broken, stream(b"3", id_=b""), None)
    first = stream(b"1", id_=b"a", retry=0.5)
    assert await read(first, server, monkeypatch) == [b"1", b"2", b"3", b"upstream.outcome_unknown"]
    assert server.asked == [b"a", b"b", b"b"]
    assert server.pauses == [0.5, 0.5, 0.5]
    assert first.closed
    assert broken.closed


async def test_a_stream_without_ids_is_not_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server()
    assert await read(stream(b"1"), server, monkeypatch) == [b"1", b"upstream.outcome_unknown"]


@pytest.mark.parametrize(("said", "kept"), [(None, 1.0), (0.0, 0.1), (1e6, 60.0), (2.0, 2.0)])
async def test_the_server_says_how_long_to_wait_within_reason(
    said: float | None, kept: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(None)
    await read(stream(id_=b"a", retry=said), server, monkeypatch)
    assert server.pauses == [kept]


async def test_a_server_that_is_away_for_a_while_is_asked_again_but_not_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = Server(UPSTREAM_UNREACHABLE, stream(b"1"), *[UPSTREAM_UNREACHABLE] * 8)
    found = await read(stream(id_=b"a"), server, monkeypatch)
    assert found == [b"1", b"upstream.outcome_unknown"]
    assert len(server.asked) == 10


async def test_any_other_refusal_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    server = Server(UPSTREAM_INVALID)
    assert await read(stream(id_=b"a"), server, monkeypatch) == [b"upstream.invalid"]
