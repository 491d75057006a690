from __future__ import annotations

import asyncio

import pytest

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_TOO_LARGE, Refused
from bawn.protocol.sse import Event, event
from bawn.upstream.events import HIGH_WATER, EventStream, messages
from tests.unit.upstream.wires import turn


class FakeWire:
    def __init__(self) -> None:
        self.done: list[str] = []

    def pause(self) -> None:
        self.done.append("pause")

    def resume(self) -> None:
        self.done.append("resume")

    def discard(self) -> None:
        self.done.append("discard")


@pytest.fixture
def wire() -> FakeWire:
    return FakeWire()


def test_only_messages_with_data_count() -> None:
    events = [Event(b"message", b"1"), Event(b"ping", b"2"), Event(b"message", b"")]
    assert messages(events) == [b"1"]


async def test_a_reader_gets_what_came_and_waits_for_the_rest(wire: FakeWire) -> None:
    stream = EventStream(wire, 1000)
    stream.feed(event(b"1") + event(b"2") + b"data: 3")
    assert [await anext(stream), await anext(stream)] == [b"1", b"2"]
    waiting = asyncio.ensure_future(anext(stream))
    await turn()
    assert not waiting.done()
    stream.feed(b"\n\n")
    assert await waiting == b"3"
    stream.end()
    assert [data async for data in stream] == []
    assert wire.done == []


async def test_what_came_before_a_failure_is_read_before_it(wire: FakeWire) -> None:
    stream = EventStream(wire, 1000)
    stream.feed(event(b"1"))
    stream.end(Refused(UPSTREAM_OUTCOME))
    assert await anext(stream) == b"1"
    with pytest.raises(Refused):
        await anext(stream)
    assert [data async for data in stream] == []


async def test_a_waiting_reader_is_told_of_the_failure(wire: FakeWire) -> None:
    stream = EventStream(wire, 1000)
    waiting = asyncio.ensure_future(anext(stream))
    await turn()
    stream.end(Refused(UPSTREAM_OUTCOME))
    with pytest.raises(Refused):
        await waiting


async def test_a_full_queue_holds_the_wire_until_it_is_empty(wire: FakeWire) -> None:
    stream = EventStream(wire, HIGH_WATER)
    half = event(b"x" * (HIGH_WATER // 2))
    stream.feed(half)
    assert wire.done == []
    stream.feed(half)
    stream.feed(half)
    assert wire.done == ["pause"]
    await anext(stream)
    await anext(stream)
    assert wire.done == ["pause"]
    await anext(stream)
    assert wire.done == ["pause", "resume"]


async def test_many_small_events_hold_the_wire_too(wire: FakeWire) -> None:
    stream = EventStream(wire, 100)
    stream.feed(event(b"1") * 2000)
    assert wire.done == ["pause"]


async def test_an_ended_stream_leaves_the_wire_alone(wire: FakeWire) -> None:
    stream = EventStream(wire, 1 << 20)
    stream.feed(event(b"x" * HIGH_WATER))
    stream.end()
    await anext(stream)
    await stream.aclose()
    assert wire.done == ["pause"]


async def test_closing_drops_what_came_and_gives_up_the_wire_once(wire: FakeWire) -> None:
    stream = EventStream(wire, 1000)
    stream.feed(event(b"1"))
    await stream.aclose()
    await stream.aclose()
    assert wire.done == ["discard"]
    assert [data async for data in stream] == []


async def test_a_reader_that_was_cancelled_may_come_back(wire: FakeWire) -> None:
    stream = EventStream(wire, 1000)
    waiting = asyncio.ensure_future(anext(stream))
    await turn()
    waiting.cancel()
    await turn()
    stream.feed(event(b"1"))
    assert await anext(stream) == b"1"


def test_an_event_over_the_limit_is_refused(wire: FakeWire) -> None:
    with pytest.raises(Refused) as caught:
        EventStream(wire, 10).feed(event(b"x" * 10))
    assert caught.value.reason is UPSTREAM_TOO_LARGE
