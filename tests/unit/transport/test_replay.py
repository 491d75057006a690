from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.transport import replay
from bawn.transport.replay import Key, Replay
from bawn.transport.request import Request

COST = replay._COST
NINES = b"g.x." + b"9" * 5000
ALICE: Key = ("alice", None, b"s")


class FakeStream:
    """A stream that only has a name."""

    def __init__(self, name: bytes = b"g.x", key: Key = ALICE) -> None:
        self.key = key
        self.name = name
        self.over = False
        self.held = 0

    async def carry(self, request: Request, after: int) -> None:
        """Fills `replay.Kept`."""


def told(logs: Replay, stream: FakeStream, after: int = -1) -> list[int]:
    """The numbers of what is left."""
    return [number for number, _ in logs.after(stream, after)]


async def test_what_was_told_after_a_position_is_found_and_of_that_stream_alone() -> None:
    logs, one, other = Replay(10_000, 9), FakeStream(b"g.x"), FakeStream(b"p.y")
    for number in range(3):
        logs.keep(one, number, b"%d" % number)
        logs.keep(other, number, b"other")
    assert logs.find(ALICE, b"g.x.1") == (one, 1)
    assert list(logs.after(one, 0)) == [(1, b"1"), (2, b"2")]
    assert logs.find(ALICE, b"p.y.7") == (other, 7)


@pytest.mark.parametrize(
    "last",
    [b"", b"g", b"g.x", b"g.x.", b"g.x.-1", b"g.x.1x", b"g.y.1", b"g.x.\xb2", b"\xff" * 9, NINES],
)
async def test_an_id_that_was_never_given_out_names_nothing(last: bytes) -> None:
    logs = Replay(10_000, 9)
    logs.keep(FakeStream(b"g.x"), 0, b"")
    assert logs.find(ALICE, last) is None


@given(st.binary(max_size=64) | st.from_regex(rb"[gp]\.[a-z]{1,3}\.[0-9]{1,20}", fullmatch=True))
async def test_any_bytes_name_a_stream_of_the_session_or_none(last: bytes) -> None:
    logs, stream = Replay(10_000, 9), FakeStream(b"g.x")
    logs.keep(stream, 0, b"")
    found = logs.find(ALICE, last)
    if found is not None:
        assert last == b"g.x.%0*d" % (len(last) - 4, found[1])
    logs.forget(ALICE)


@pytest.mark.parametrize(
    "key", [("bob", None, b"s"), ("alice", "files", b"s"), ("alice", None, b"t")]
)
async def test_ids_of_another_principal_endpoint_or_session_name_nothing(key: Key) -> None:
    logs = Replay(10_000, 9)
    logs.keep(FakeStream(b"g.x"), 0, b"")
    assert logs.find(key, b"g.x.0") is None


async def test_a_session_keeps_its_latest_and_what_is_latest_however_large() -> None:
    logs, stream = Replay(3 * (COST + 10), 9), FakeStream()
    for number in range(10):
        logs.keep(stream, number, b"x" * 10)
    assert told(logs, stream) == [7, 8, 9]
    logs.keep(stream, 10, b"x" * 10_000)
    assert told(logs, stream) == [10]


async def test_a_stream_that_is_over_is_forgotten_with_the_last_of_it() -> None:
    logs, stream, other = Replay(2 * COST, 9), FakeStream(), FakeStream(b"p.y")
    logs.keep(stream, 0, b"")
    stream.over = True
    logs.ended(stream)
    assert logs.find(ALICE, b"g.x.0") is not None
    logs.keep(other, 0, b"")
    logs.keep(other, 1, b"")
    assert logs.find(ALICE, b"g.x.0") is None


async def test_an_ended_session_is_forgotten_whole() -> None:
    logs, stream = Replay(10_000, 9), FakeStream()
    logs.keep(stream, 0, b"")
    logs.forget(ALICE)
    logs.forget(ALICE)
    assert logs.find(ALICE, b"g.x.0") is None
    assert (logs._logs, logs._size, dict(logs._sizes)) == ({}, 0, {})
    logs.ended(stream)


async def test_a_principal_with_many_sessions_pushes_out_its_own() -> None:
    logs = Replay(2 * COST, 9)
    quiet = FakeStream(b"g.quiet", ("bob", None, b"s"))
    logs.keep(quiet, 0, b"")
    for number in range(replay.ALL * 5):
        stream = FakeStream(b"g.%d" % number, ("alice", None, b"%d" % number))
        stream.over = True
        logs.keep(stream, 0, b"")
    assert logs.find(quiet.key, b"g.quiet.0") is not None
    assert logs._size <= replay.ALL * 2 * COST
    assert len(logs._logs) <= 2 * replay.ALL + 1
    assert logs.find(("alice", None, b"0"), b"g.0.0") is None


async def test_nothing_is_kept_for_longer_than_anybody_may_come_back() -> None:
    logs, stream = Replay(10_000, 0), FakeStream()
    stream.over = True
    logs.keep(stream, 0, b"")
    async with asyncio.timeout(30):
        while logs._timer is not None:
            await asyncio.sleep(0)
    assert logs._logs == {}
    logs.keep(stream, 1, b"")
    assert logs._timer is not None
