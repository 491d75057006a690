"""What only legacy sessions have: a log level, subscriptions, and a stream of their own."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import Limits
from bawn.errors import AUDIT_UNAVAILABLE, STORE_UNAVAILABLE, Refused
from bawn.gateway import legacy as sessions
from bawn.model import Json, Principal
from bawn.ports import Elsewhere, Reply
from tests.gate import (
    ADA,
    EVE,
    FILES,
    LISTINGS,
    META,
    VIC,
    House,
    legacy,
    listing,
    modern,
    reason_of,
    session_of,
)
from tests.unit.gateway.telling import Telling

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
LEVEL = META + "logLevel"
URI = "file:///a"
_CHANGES = itertools.count(1)


def _house(**more: Any) -> tuple[House, Telling]:
    """A house whose server `files` tells of changes to its resources."""
    house = House(**more)
    house.gateway.swap(_view(house))
    return house, Telling(house)


def _view(house: House, **changes: Any) -> Any:
    capabilities = {"tools": {}, "prompts": {}, "resources": {"subscribe": True}}
    files = replace(listing("files", FILES), capabilities=capabilities, **changes)
    return house.view(files, *LISTINGS[1:])


class Follower:
    """A client that reads its session's stream."""

    def __init__(
        self, house: House, session: str, *, who: Principal = ADA, at: str | None = None
    ) -> None:
        self.told: list[Json] = []
        self.heard = asyncio.Event()
        arrival = legacy("ignored", session=session, who=who, at=at)
        self.running = asyncio.create_task(house.gateway.follow(arrival, self._emit))

    async def _emit(self, message: Json) -> None:
        self.told.append(message)
        self.heard.set()

    async def hears(self, method: str) -> Json:
        """The next message of this method that was not heard of before."""
        while not any(message["method"] == method for message in self.told):
            self.heard.clear()
            await self.heard.wait()
        found = next(message for message in self.told if message["method"] == method)
        self.told.remove(found)
        return found


@asynccontextmanager
async def _following(house: House, session: str, **more: Any) -> AsyncIterator[Follower]:
    follower = Follower(house, session, **more)
    await asyncio.sleep(0)  # its turn
    house.gateway.swap(_view(house, changes=dict.fromkeys(FILES, next(_CHANGES))))
    await follower.hears("notifications/tools/list_changed")  # it is listening by now
    await follower.hears("notifications/prompts/list_changed")
    await follower.hears("notifications/resources/list_changed")
    yield follower
    follower.running.cancel()
    await asyncio.wait({follower.running})


def _subscribe(session: str | None, uri: str = URI, **more: Any) -> Any:
    return legacy("resources/subscribe", {"uri": uri}, session=session, **more)


# ── log levels ────────────────────────────────────────────────────────────────────────────────────


async def test_the_level_of_a_session_goes_along_with_its_later_calls() -> None:
    house = House()
    session, other = await session_of(house), await session_of(house)
    await house.ask(legacy("tools/call", READ, session=session))
    for level in ("debug", "emergency"):
        set_level = legacy("logging/setLevel", {"level": level}, session=session)
        assert (await house.ask(set_level))[1]["result"] == {}
        await house.ask(legacy("tools/call", READ, session=session))
    await house.ask(legacy("tools/call", READ, session=other))
    await house.ask(modern("tools/call", READ))
    levels = [sent.params["_meta"].get(LEVEL) for sent in house.sent]
    assert levels == [None, "debug", "emergency", None, None]


async def test_a_worker_that_adopts_a_session_knows_its_level() -> None:
    house, adopting = House(slot=1, workers=2), House(slot=0, workers=2)
    adopting.notes.kept = house.notes.kept
    session = await session_of(house)
    await house.ask(legacy("logging/setLevel", {"level": "error"}, session=session))
    call = legacy("tools/call", READ, session=session)
    with pytest.raises(Elsewhere):
        await adopting.answer(call)
    await adopting.answer(
        type(call)(**{f: getattr(call, f) for f in call.__struct_fields__} | {"settled": True})
    )
    assert adopting.sent[0].params["_meta"][LEVEL] == "error"


@pytest.mark.parametrize("level", [None, "", "DEBUG", "verbose", 7, ["debug"]])
async def test_a_level_that_is_none_is_refused(level: object) -> None:
    house = House()
    session = await session_of(house)
    arrival = legacy("logging/setLevel", {"level": level}, session=session)
    await house.refused(arrival, "message.params", status=200)


async def test_a_level_belongs_to_a_session() -> None:
    await House().refused(legacy("logging/setLevel", {"level": "debug"}), "session.unknown")


async def test_a_level_that_cannot_be_kept_is_refused_and_calls_go_on() -> None:
    house = House()
    session = await session_of(house)
    house.notes.failing = Refused(STORE_UNAVAILABLE)
    arrival = legacy("logging/setLevel", {"level": "debug"}, session=session)
    await house.refused(arrival, "store.unavailable")
    _, body = await house.ask(legacy("tools/call", READ, session=session))
    assert "result" in body


# ── subscribing ───────────────────────────────────────────────────────────────────────────────────


async def test_a_session_hears_of_what_it_subscribed_to() -> None:
    house, server = _house()
    session = await session_of(house)
    async with _following(house, session) as follower:
        _, body = await house.ask(_subscribe(session))
        assert body["result"] == {}
        await server.tell("notifications/resources/updated", {"uri": URI})
        assert await follower.hears("notifications/resources/updated") == {
            "jsonrpc": "2.0",
            "method": "notifications/resources/updated",
            "params": {"uri": URI},
        }


async def test_a_subscription_is_recorded_before_the_server_hears_of_it() -> None:
    house, _ = _house()
    session = await session_of(house)
    await house.ask(_subscribe(session))
    assert house.journal.words() == ["intent", "send", "outcome"]
    [(call, item, *_)] = house.journal.of("intent")
    assert (call.method, item.server, item.name) == ("resources/subscribe", "files", URI)
    assert house.journal.of("outcome")[0][2] == "ok"


async def test_nothing_is_subscribed_to_that_cannot_be_recorded() -> None:
    house, _ = _house()
    session = await session_of(house)
    house.audit.failing = Refused(AUDIT_UNAVAILABLE)
    await house.refused(_subscribe(session), "audit.unavailable")


@pytest.mark.parametrize(
    ("uri", "who", "reason"),
    [
        ("elif:///a", ADA, "target.unknown"),
        (URI, EVE, "target.unknown"),
        ("common://doc", ADA, "resource.claimed"),
    ],
)
async def test_what_a_caller_may_not_read_it_may_not_subscribe_to(
    uri: str, who: Principal, reason: str
) -> None:
    house, _ = _house()
    session = await session_of(house, who)
    await house.refused(_subscribe(session, uri, who=who), reason, status=200)
    assert house.notes.kept == {}


async def test_a_server_that_tells_nothing_of_a_resource_is_said_to() -> None:
    house, server = _house()
    server.honours = lambda wanted: {}
    session = await session_of(house)
    _, body = await house.ask(_subscribe(session))
    assert reason_of(body) == "server.unavailable"
    assert house.journal.of("outcome")[0][2] == "not granted"
    assert house.notes.kept == {}


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
async def test_without_the_capability_there_is_no_such_method(method: str) -> None:
    house = House()
    session = await session_of(house)
    arrival = legacy(method, {"uri": URI}, session=session)
    await house.refused(arrival, "method.unknown", status=200)


@pytest.mark.parametrize("method", ["resources/subscribe", "resources/unsubscribe"])
async def test_a_subscription_needs_a_uri_and_a_session(method: str) -> None:
    house, _ = _house()
    session = await session_of(house)
    for odd in ({}, {"uri": 5}):
        await house.refused(legacy(method, odd, session=session), "message.params", status=200)
    await house.refused(legacy(method, {"uri": URI}), "session.unknown")


async def test_a_session_subscribes_to_so_many_resources_at_most() -> None:
    house, _ = _house(limits=Limits(subscriptions=2))
    session = await session_of(house)
    for name in "ab":
        assert "result" in (await house.ask(_subscribe(session, f"file:///{name}")))[1]
    assert reason_of((await house.ask(_subscribe(session, "file:///c")))[1]) == "message.params"
    assert "result" in (await house.ask(_subscribe(session, "file:///b")))[1]


async def test_who_unsubscribes_hears_no_more() -> None:
    house, server = _house()
    session = await session_of(house)
    async with _following(house, session) as follower:
        for uri in (URI, "file:///b"):
            await house.ask(_subscribe(session, uri))
        arrival = legacy("resources/unsubscribe", {"uri": URI}, session=session)
        assert (await house.ask(arrival))[1]["result"] == {}
        assert (await house.ask(arrival))[1]["result"] == {}
        await server.tell("notifications/resources/updated", {"uri": URI})
        await server.tell("notifications/resources/updated", {"uri": "file:///b"})
        told = await follower.hears("notifications/resources/updated")
        assert told["params"]["uri"] == "file:///b"
        assert follower.told == []


# ── the session's stream ──────────────────────────────────────────────────────────────────────────


async def test_a_session_hears_that_a_list_has_changed() -> None:
    house, _ = _house()
    session = await session_of(house)
    async with _following(house, session) as follower:
        house.gateway.swap(house.view())
        assert await follower.hears("notifications/tools/list_changed") == {
            "jsonrpc": "2.0",
            "method": "notifications/tools/list_changed",
            "params": {},
        }


async def test_the_newest_stream_takes_over() -> None:
    house, _ = _house()
    session = await session_of(house)
    async with _following(house, session) as first, _following(house, session) as second:
        reply = await first.running
        assert reply.status == 200
        house.gateway.swap(house.view())
        await second.hears("notifications/tools/list_changed")
        assert not second.running.done()
        assert first.told == []


async def test_a_stream_ends_with_its_session() -> None:
    house, server = _house()
    session = await session_of(house)
    async with _following(house, session) as follower:
        await house.ask(_subscribe(session))
        assert house.gateway.end(legacy("ignored", session=session)).status == 200
        assert (await follower.running).status == 200
        await server.left.wait()
    assert house.streams._streams == set()


async def test_what_was_subscribed_to_stands_while_the_client_comes_back() -> None:
    house, server = _house()
    session = await session_of(house)
    async with _following(house, session):
        await house.ask(_subscribe(session))
    await server.tell("notifications/resources/updated", {"uri": URI})
    follower = Follower(house, session)
    await follower.hears("notifications/resources/updated")
    assert len(house.sent) == 1
    follower.running.cancel()


async def test_a_worker_that_adopts_a_session_subscribes_anew() -> None:
    house, _ = _house()
    session = await session_of(house)
    await house.ask(_subscribe(session))
    adopting, server = _house()
    adopting.notes.kept = house.notes.kept
    follower = Follower(adopting, session)
    await server.was_joined.wait()
    await server.tell("notifications/resources/updated", {"uri": URI})
    await follower.hears("notifications/resources/updated")
    assert adopting.journal.words() == ["intent", "send", "outcome"]
    follower.running.cancel()


async def test_what_nobody_comes_back_for_is_given_up() -> None:
    house, server = _house()
    session = await session_of(house)
    await house.ask(_subscribe(session))  # and it never reads a stream
    await server.was_joined.wait()
    lingering = house.gateway._legacy._lingering
    (ending,) = lingering.values()
    left = ending.when() - asyncio.get_running_loop().time()
    assert sessions.LINGER - 60 < left <= sessions.LINGER
    ending._run()  # as the loop does then
    await server.left.wait()
    assert house.streams._streams == set()
    assert lingering == {}


async def test_a_stream_needs_a_session_of_the_callers_own() -> None:
    house, _ = _house()
    session = await session_of(house)
    for arrival in (
        legacy("ignored"),
        legacy("ignored", session="x"),
        legacy("ignored", session=session, who=VIC),
        legacy("ignored", session=session, at="files"),
    ):
        reply: Reply = await house.gateway.follow(arrival, house.emit)
        assert reply.status == 404
        assert reason_of(json.loads(reply.body)) == "session.unknown"
        with pytest.raises(Refused) as caught:
            house.gateway.open(arrival)
        assert caught.value.reason.id == "session.unknown"
    house.gateway.open(legacy("ignored", session=session))
    assert house.emitted == []


async def test_the_stream_of_another_workers_session_is_followed_there() -> None:
    session = await session_of(House(slot=1, workers=2))
    house = House(slot=0, workers=2)
    arrival = legacy("ignored", session=session)
    with pytest.raises(Elsewhere):
        await house.gateway.follow(arrival, house.emit)
    with pytest.raises(Elsewhere):
        house.gateway.open(arrival)


async def test_streams_of_one_principal_are_bounded() -> None:
    house, _ = _house(limits=Limits(listens=1))
    session, second = await session_of(house), await session_of(house)
    async with _following(house, session):
        reply = await house.gateway.follow(legacy("ignored", session=second), house.emit)
        assert reason_of(json.loads(reply.body)) == "limit.listens"


async def test_a_session_whose_server_is_cut_hears_no_more() -> None:
    house, server = _house()
    session = await session_of(house)
    async with _following(house, session) as follower:
        await house.ask(_subscribe(session))
        house.gateway.cut(Cuts((Cut("server", "files", 0.0),)))
        assert (await follower.running).status == 200
        await server.left.wait()
