from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.errors import GATE_NOT_READY, Refused
from bawn.feeds.board import Board
from bawn.gateway import streams as module
from bawn.gateway.streams import LISTS, Stream, Streams, lists_of
from bawn.model import Endpoint, Item, Json, Kind, View
from bawn.protocol.listening import Filter
from tests.gate import ADA, VIC

ALL = frozenset(LISTS)


def _endpoints(*ats: str | None, **changes: str) -> Mapping[str | None, Endpoint]:
    return {at: Endpoint(at, {}, frozenset(), {}, {}, 0, changes) for at in (ats or (None,))}


class InForce:
    """What catching up finds."""

    def __init__(self) -> None:
        self.looked = 0
        self.current = True
        self.failing: Refused | None = None

    def __call__(self) -> bool:
        self.looked += 1
        if self.failing is not None:
            raise self.failing
        return self.current


def _streams(most: int = 9, in_force: InForce | None = None) -> Streams:
    made = Streams(Board({}), most, in_force or InForce())
    made.swap(View("", _endpoints(tools="1", prompts="1", resources="1")))
    return made


async def _told(streams: Streams, stream: Stream) -> list[str]:
    """What is told until the stream ends."""
    heard: list[Json] = []

    async def emit(message: Json) -> None:
        heard.append(message)

    await streams.pour(stream, emit, lambda told: told)
    return sorted(message["method"] for message in heard)


def _changed(*names: str) -> list[str]:
    return [f"notifications/{name}/list_changed" for name in names]


async def test_a_list_that_is_another_now_is_told_of_to_who_wanted_it() -> None:
    streams = _streams()
    every = streams.begin(ADA, None, ALL)
    tools = streams.begin(ADA, None, frozenset({"tools"}))
    streams.swap(View("", _endpoints(tools="2", prompts="2", resources="1")))
    streams.end(every)
    streams.end(tools)
    assert await _told(streams, every) == _changed("prompts", "tools")
    assert await _told(streams, tools) == _changed("tools")
    await streams.aclose()


async def test_a_view_with_the_same_lists_is_no_news() -> None:
    streams = _streams()
    stream = streams.begin(ADA, None, ALL)
    streams.swap(View("", _endpoints(tools="1", prompts="1", resources="1")))
    streams.swap(View("", _endpoints("files")))  # the endpoint is away for a while
    streams.swap(View("", _endpoints(tools="1", prompts="1", resources="1")))
    streams.end(stream)
    assert await _told(streams, stream) == []
    await streams.aclose()


async def test_each_hears_of_its_own_endpoint() -> None:
    streams = _streams()
    here, there = streams.begin(ADA, None, ALL), streams.begin(ADA, "files", ALL)
    streams.swap(View("", {**_endpoints(tools="1", prompts="1", resources="1"), **_endpoints("files", tools="9")}))  # fmt: skip
    streams.end(here)
    streams.end(there)
    assert await _told(streams, here) == []
    assert await _told(streams, there) == _changed("tools")
    await streams.aclose()


async def test_streams_of_one_principal_are_bounded_over_its_tokens() -> None:
    streams = _streams(most=2)
    token = msgspec.structs.replace(ADA, token="t2")
    first, _ = streams.begin(ADA, None, ALL), streams.begin(token, "files", ALL)
    with pytest.raises(Refused) as caught:
        streams.begin(ADA, None, ALL)
    assert caught.value.reason.id == "limit.listens"
    streams.begin(VIC, None, ALL)
    streams.end(first)
    streams.end(first)
    streams.begin(ADA, None, ALL)
    with pytest.raises(Refused):
        streams.begin(ADA, None, ALL)
    await streams.aclose()
    assert not streams._held


async def test_a_stream_ends_with_its_credential() -> None:
    streams = _streams()
    expired = msgspec.structs.replace(ADA, expires=time.time() - 1)
    assert await _told(streams, streams.begin(expired, None, ALL)) == []
    soon = msgspec.structs.replace(ADA, expires=time.time() + 0.02)
    assert await _told(streams, streams.begin(soon, None, ALL)) == []
    await streams.aclose()


async def test_a_caller_that_cannot_be_told_is_not_waited_for() -> None:
    streams = _streams()
    stream = streams.begin(ADA, None, ALL)
    stream.tell("tools")

    async def broken(message: Json) -> None:
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await streams.pour(stream, broken, lambda told: told)
    await streams.aclose()


@pytest.mark.parametrize(
    ("cut", "ends"),
    [
        (Cut("gate", "", 0.0), True),
        (Cut("principal", ADA.subject, 0.0), True),
        (Cut("token", "t1", 0.0), True),
        (Cut("server", "files", 0.0), True),
        (Cut("item", "files:file:///a", 0.0), True),
        (Cut("server", "issues", 0.0), False),
        (Cut("item", "files:file:///b", 0.0), False),
        (Cut("principal", VIC.subject, 0.0), False),
        (Cut("token", "t2", 0.0), False),
    ],
)
async def test_what_is_cut_is_not_told_of(cut: Cut, ends: bool) -> None:
    streams = _streams()
    who = msgspec.structs.replace(ADA, token="t1")
    stream = streams.begin(who, None, ALL)
    stream.items["file:///a"] = Item(Kind.RESOURCE, "files", "file:///a", "file:///a", {})
    streams.cut(Cuts((cut,)))
    assert stream.over is ends
    await streams.aclose()


async def test_a_worker_that_leaves_tells_every_list_and_ends_the_streams() -> None:
    streams = _streams()
    every, one = streams.begin(ADA, None, ALL), streams.begin(VIC, None, frozenset({"prompts"}))
    streams.retire()
    assert await _told(streams, every) == _changed("prompts", "resources", "tools")
    assert await _told(streams, one) == _changed("prompts")
    assert streams._streams == set()
    await streams.aclose()


async def test_somebody_looks_at_what_is_in_force_while_there_are_streams(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TICK", 0.0)
    in_force = InForce()
    streams = _streams(in_force=in_force)
    stream = streams.begin(ADA, None, frozenset({"tools"}))
    while in_force.looked < 3:
        await asyncio.sleep(0)
    assert not stream.over
    in_force.current = False
    assert await _told(streams, stream) == _changed("tools")
    while not streams._ticking.done():  # type: ignore[union-attr]  # it was begun
        await asyncio.sleep(0)
    in_force.current = True
    looked, again = in_force.looked, streams.begin(ADA, None, ALL)
    while in_force.looked == looked:
        await asyncio.sleep(0)
    assert not again.over
    await streams.aclose()


async def test_when_what_is_in_force_cannot_be_had_the_streams_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "TICK", 0.0)
    in_force = InForce()
    in_force.failing = Refused(GATE_NOT_READY)
    streams = _streams(in_force=in_force)
    assert await _told(streams, streams.begin(ADA, None, frozenset({"tools"}))) == _changed("tools")
    await streams.aclose()


def test_the_flags_of_a_filter_name_lists() -> None:
    assert lists_of(Filter()) == frozenset()
    assert lists_of(Filter(tools=True, resources=True)) == {"tools", "resources"}
    assert lists_of(Filter(True, True, True)) == ALL
