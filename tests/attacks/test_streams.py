"""Attacks on what lasts: servers that tell without end, callers who subscribe without end, neighbours."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import Limits, Server
from bawn.errors import HTTP_CROWDED, UPSTREAM_INVALID, Refused
from bawn.gateway.notes import Notes
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit
from bawn.protocol.strict import encode
from bawn.runner.caller import Caller
from bawn.runner.key import Key
from bawn.runner.pool import Pool
from bawn.storage.database import Database
from bawn.storage.session_notes import StoredNotes
from bawn.transport.standing import Standing
from tests.fakes import counting_sealer
from tests.gate import (
    FILES,
    LISTINGS,
    META,
    VIC,
    House,
    Script,
    legacy,
    listing,
    modern,
    reason_of,
    session_of,
)
from tests.unit.gateway.telling import Telling
from tests.unit.transport.edges import settle
from tests.unit.transport.house import Exchange
from tests.unit.transport.house import House as Edge

A: Final = "file:///a"
UPDATED: Final = "notifications/resources/updated"
ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"
WITH_TASKS: Final[Json] = {META + "clientCapabilities": {"extensions": {META + "tasks": {}}}}


def _house(**more: Any) -> House:
    house = House(**more)
    capabilities = {"tools": {}, "prompts": {}, "resources": {"subscribe": True}}
    files = replace(listing("files", FILES), capabilities=capabilities)
    house.gateway.swap(house.view(files, *LISTINGS[1:]))
    return house


class Listener:
    """A modern caller's stream."""

    def __init__(self, house: House, wanted: Json, **arrival: Any) -> None:
        self.told: asyncio.Queue[Json] = asyncio.Queue()
        asked = modern("subscriptions/listen", {"notifications": wanted}, **arrival)
        self.running = asyncio.create_task(house.gateway.answer(asked, self.told.put))

    async def next(self) -> Json:
        """The next message's params."""
        async with asyncio.timeout(30):
            params: Json = (await self.told.get())["params"]
        return params

    async def granted(self) -> Json:
        """What the first message honours."""
        honoured: Json = (await self.next())["notifications"]
        return honoured

    async def leave(self) -> None:
        """Go away."""
        self.running.cancel()
        await asyncio.wait({self.running})


@asynccontextmanager
async def _listening(house: House, wanted: Json, **arrival: Any) -> AsyncIterator[Listener]:
    listener = Listener(house, wanted, **arrival)
    try:
        yield listener
    finally:
        await listener.leave()


async def _acknowledge(outbound: Outbound, emit: Emit | None) -> None:
    assert emit is not None
    params = {"notifications": outbound.params["notifications"]}
    await emit({"jsonrpc": "2.0", "method": ACKNOWLEDGED, "params": params})


# ── servers ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("breaks", [True, False])
async def test_a_server_that_ends_each_stream_at_once_is_not_asked_without_pause(
    breaks: bool,
) -> None:
    house = _house()
    times: list[float] = []
    again = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        times.append(loop.time())
        if len(times) == 3:
            again.set()
        await _acknowledge(outbound, emit)
        if breaks:
            raise Refused(UPSTREAM_INVALID)
        return Answer(result={"resultType": "complete"})

    house.upstreams["files"].behave = behave
    async with _listening(house, {"resourceSubscriptions": [A]}), asyncio.timeout(30):
        await again.wait()
    assert times[1] - times[0] >= 0.2
    assert times[2] - times[1] >= 0.4  # ever less often


async def test_what_waits_for_a_slow_reader_is_bounded_by_what_it_subscribed_to() -> None:
    house = _house()
    server = Telling(house)
    reading = asyncio.Event()

    async def slowly(message: Json) -> None:
        if message["method"] == UPDATED:
            await reading.wait()

    wanted = {"notifications": {"resourceSubscriptions": [A, "file:///dir"]}}
    running = asyncio.create_task(
        house.gateway.answer(modern("subscriptions/listen", wanted), slowly)
    )
    await server.was_joined.wait()
    large = "x" * (256 << 10)
    for number in range(500):
        await server.tell(UPDATED, {"uri": f"file:///dir/{number}", "_meta": {"x": large}})
        await server.tell(UPDATED, {"uri": A + "/" * number, "title": large})
    [stream] = house.streams._streams
    waiting = stream.mailbox._waiting
    assert len(waiting) == 2
    assert len(encode(list(waiting.values()))) < 4096
    running.cancel()
    await asyncio.wait({running})


async def test_a_server_that_tells_without_end_lets_others_have_their_turn() -> None:
    house = _house()
    server = Telling(house)
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        await listener.granted()
        turns = 0

        async def others() -> None:
            nonlocal turns
            while True:
                turns += 1
                await asyncio.sleep(0)

        running = asyncio.create_task(others())
        for _ in range(100):
            await server.tell(UPDATED, {"uri": "file:///not/asked/for"})
        running.cancel()
    assert turns >= 100


@pytest.mark.parametrize(
    "params",
    [
        [], "x", 5, None, {"uri": 5}, {"uri": []}, {"uri": "x" * 10_000}, {},
        {"uri": A, "_meta": "x"}, {"uri": A, "_meta": [1]}, {"taskId": {}},
    ],
)  # fmt: skip
async def test_no_shape_of_a_notification_ends_a_stream(params: Any) -> None:
    house = _house()
    server = Telling(house)
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        assert await listener.granted() == {"resourceSubscriptions": [A]}
        for method in (UPDATED, "notifications/tasks", "notifications/tools/list_changed", "x"):
            await server.tell(method, params)
        await server.tell(UPDATED, {"uri": A})
        while "uri" not in (told := await listener.next()):
            pass
        assert told["uri"] == A
        assert len(server.emits) == 1


# ── neighbours ────────────────────────────────────────────────────────────────────────────────────


async def test_who_wants_more_than_a_shared_server_gives_takes_nothing_from_others() -> None:
    shared = Server(url="http://127.0.0.1:9/mcp", isolation="shared")
    house = _house(servers={"files": shared, "issues": shared, "bare": shared})
    emits: list[Emit] = []

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        if len(outbound.params["notifications"]["resourceSubscriptions"]) > 100:
            raise Refused(UPSTREAM_INVALID)
        await _acknowledge(outbound, emit)
        assert emit is not None
        emits.append(emit)
        try:
            await asyncio.Event().wait()
        finally:
            emits.remove(emit)
        raise AssertionError

    house.upstreams["files"].behave = behave
    many = [f"file:///x{number}" for number in range(200)]
    async with _listening(house, {"resourceSubscriptions": [A]}) as ada:
        assert await ada.granted() == {"resourceSubscriptions": [A]}
        async with _listening(house, {"resourceSubscriptions": many}, who=VIC) as vic:
            assert await vic.granted() == {}
            [emit] = emits  # it stands as before
            await emit({"jsonrpc": "2.0", "method": UPDATED, "params": {"uri": A}})
            assert (await ada.next())["uri"] == A
            async with _listening(house, {"resourceSubscriptions": ["file:///b"]}, id_=2) as late:
                assert await late.granted() == {"resourceSubscriptions": ["file:///b"]}
            assert vic.told.empty()


async def test_callers_who_share_a_local_server_may_each_subscribe_to_as_much_as_one_may() -> None:
    pool = Pool()
    server = Server(command=("server",), isolation="shared")
    limits = Limits(subscriptions=2, listens=4)
    pool.apply({"files": server}, limits, Path("/"))
    wanted = {"notifications": {"resourceSubscriptions": [f"u:{n}" for n in range(8)]}}
    seen: list[Any] = []

    async def listened(key: Key, slot: object, listen: Any) -> Answer:
        seen.append(listen.uris)
        return Answer(result={})

    pool._listen = listened  # type: ignore[method-assign]  # it would start a process
    await pool.call(
        Key("files", "shared", None), "subscriptions/listen", wanted, Caller(lambda _: True)
    )
    assert len(seen[0]) == 8
    await pool.aclose()


# ── what is switched off ──────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "cut",
    [
        Cut("item", "files:read", 0.0), Cut("server", "files", 0.0),
        Cut("principal", "ada", 0.0), Cut("gate", "", 0.0),
    ],
)  # fmt: skip
async def test_nobody_hears_of_the_task_of_a_tool_that_is_switched_off(cut: Cut) -> None:
    house = _house()
    Script(house, Answer(result={"resultType": "task", "taskId": "own", "status": "working"}))
    _, body = await house.ask(modern("tools/call", {"name": "files__read"}, meta=WITH_TASKS))
    server = Telling(house)
    wanted = {"taskIds": [body["result"]["taskId"]]}
    async with _listening(house, wanted, meta=WITH_TASKS) as listener:
        assert await listener.granted() == wanted
        house.gateway.cut(Cuts((cut,)))
        await server.tell("notifications/tasks", {"taskId": "own", "result": {"secret": 1}})
        async with asyncio.timeout(30):
            await listener.running
        assert listener.told.empty()


# ── sessions without end ──────────────────────────────────────────────────────────────────────────


async def test_what_a_session_subscribes_to_stays_small_enough_to_be_remembered() -> None:
    house = _house(limits=Limits(subscriptions=64))
    Telling(house)
    session = await session_of(house)
    reasons = []
    for number in range(64):
        uri = f"file:///{number}/" + "x" * 8000
        _, body = await house.ask(legacy("resources/subscribe", {"uri": uri}, session=session))
        reasons.append(reason_of(body) if "error" in body else "")
    assert reasons[:4] == [""] * 4
    assert set(reasons[4:]) == {"message.params"}
    [kept] = house.notes.kept.values()
    assert len(kept) < 128 << 10
    anew = Notes(house.notes, house.sealer, house.clock)
    assert len(anew._found(next(iter(house.notes.kept))).uris) == 4
    await house.gateway.aclose()


async def test_a_session_subscribes_to_no_more_by_asking_for_all_at_once() -> None:
    house = _house(limits=Limits(subscriptions=3))
    Telling(house)
    session = await session_of(house)
    asked = [
        house.ask(legacy("resources/subscribe", {"uri": f"file:///{n}"}, session=session, id_=n))
        for n in range(12)
    ]
    bodies = [body for _, body in await asyncio.gather(*asked)]
    assert sum("result" in body for body in bodies) == 3
    [stream] = house.streams._streams
    assert len(stream.items) == 3
    await house.gateway.aclose()


async def test_nothing_is_kept_of_a_session_that_has_ended(tmp_path: Path) -> None:
    house = _house()
    database = Database(tmp_path / "state.db")
    stored = StoredNotes(database, house.clock)
    house.gateway._stages.notes._store = stored
    for _ in range(5):
        session = await session_of(house)
        await house.ask(legacy("logging/setLevel", {"level": "info"}, session=session))
        house.gateway.end(legacy("ping", session=session))
    assert house.gateway._stages.notes._notes == {}
    house.clock.now += 3601
    stored.keep("another", house.clock.now + 60, "x")
    assert database.rows("SELECT session FROM session_notes") == [("another",)]
    database.close()


async def test_conversations_over_http_and_sse_are_bounded_for_each_principal() -> None:
    standing = Standing.within(Limits(listens=2), counting_sealer())
    edge = Edge(standing=standing)

    def opened(who: bytes = b"Bearer alice") -> Exchange:
        return edge.get("/sse", authorization=who, mcp_session_id=None, mcp_protocol_version=None)

    streams = [opened(), opened()]
    for each in streams:
        await each.send()
    refused = await opened().run()
    assert (refused.status, refused.reason) == (503, HTTP_CROWDED.id)
    streams.append(opened(b"Bearer bob"))
    await streams[-1].send()
    assert not streams[-1].is_over
    streams[0].leave()
    await settle()
    streams.append(opened())
    await streams[-1].send()
    assert not streams[-1].is_over
    for each in streams[1:]:
        each.leave()
    await settle()
    assert not standing.holders
    assert not standing.conversations
