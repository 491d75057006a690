"""Attacks by what goes back and forth: states, tasks, batches and methods that nobody knows."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import pytest

from bawn.model import Answer, Json
from bawn.ports import Elsewhere
from bawn.protocol import tasks
from bawn.protocol.tasks import TaskHandle
from bawn.storage.database import Database
from bawn.storage.tombstones import Tombstones
from tests.gate import (
    ABLE,
    ADA,
    DONE,
    FILES,
    FORM,
    LISTINGS,
    META,
    VIC,
    House,
    Script,
    arrive,
    asks,
    legacy,
    listing,
    modern,
    reason_of,
    session_of,
)

READ: Final[Json] = {"name": "files__read", "arguments": {"path": "/a"}}
DECLARED: Final[Json] = {META + "clientCapabilities": ABLE}
WITH_TASKS: Final[Json] = {META + "clientCapabilities": {"extensions": {META + "tasks": {}}}}

# ── single use ────────────────────────────────────────────────────────────────────────────────────


def test_a_store_that_is_lost_does_not_let_a_used_state_serve_again(tmp_path: Path) -> None:
    renewed: list[bool] = []
    database = Database(tmp_path / "state.db", lambda: renewed.append(True))
    graves = Tombstones(database, lambda: 1_000.0)
    assert graves.once("round 1", 2_000.0)
    for file in tmp_path.iterdir():
        file.unlink()
    assert not graves.once("round 1", 2_000.0)  # opened under the keys of the store that is gone
    assert renewed == [True]
    assert graves.once("round 2", 2_000.0)
    database.close()


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("method", ["tasks/get", "tasks/cancel", "subscriptions/listen"])
async def test_a_task_of_a_server_that_is_gone_is_unknown_and_no_defect_of_ours(
    method: str,
) -> None:
    house = House()
    gone = TaskHandle(ADA.key, None, "removed", "gate", "tool", "read", "1", house.clock.now + 60)
    id_ = tasks.seal(house.sealer, gone)
    if method == "subscriptions/listen":
        running = asyncio.create_task(
            house.answer(modern(method, {"notifications": {"taskIds": [id_]}}, meta=WITH_TASKS))
        )
        async with asyncio.timeout(30):
            while not (house.emitted or running.done()):
                await asyncio.sleep(0)
        assert house.emitted[0]["params"]["notifications"] == {}
        running.cancel()
        await asyncio.wait({running})
        return
    await house.refused(modern(method, {"taskId": id_}, meta=WITH_TASKS), "task.unknown")
    assert house.journal.of("intent") == []


async def test_a_result_does_not_pass_for_a_notification_to_show_the_servers_own_task_id() -> None:
    house = House()
    told: Json = {"resultType": "task", "taskId": "own-1", "status": "working", "method": "x"}
    Script(house, Answer(result=told))
    _, body = await house.ask(modern("tools/call", READ, meta=WITH_TASKS))
    assert tasks.open(house.sealer, body["result"]["taskId"]).task == "own-1"


# ── methods that the gate does not know ───────────────────────────────────────────────────────────


def _extended() -> House:
    house = House()
    capabilities: Json = {"tools": {}, "extensions": {"com.example/odd": {}}}
    files = replace(listing("files", FILES), capabilities=capabilities)
    house.gateway.swap(house.view(files, *LISTINGS[1:]))
    return house


@pytest.mark.parametrize(
    "method",
    [
        "Tools/Call", "TOOLS/CALL", "tools/call ", "tools/Call", "tools//call", "resources/READ",
        "tasks/list", "tasks/result", "sampling/createMessage", "elicitation/create", "roots/list",
        "notifications/cancelled", "Initialize", "PING", "logging/setlevel", "completion/Complete",
        "subscriptions/LISTEN", "Server.Discover", "tools call", "/prompts/get/",
    ],
)  # fmt: skip
async def test_no_method_of_the_protocol_itself_passes_for_that_of_an_extension(
    method: str,
) -> None:
    await _extended().refused(modern(method, READ), "method.unknown")


async def test_a_method_of_an_extension_passes() -> None:
    house = _extended()
    await house.ask(modern("com.example/odd", {}))
    assert [outbound.method for outbound in house.sent] == ["com.example/odd"]


# ── capabilities of any shape ─────────────────────────────────────────────────────────────────────

_ODD: Final[tuple[Any, ...]] = (None, 0, True, "x", [], [1], {}, {"x": 1}, {"form": 1, "tools": []})


def _shapes() -> Iterator[Json]:
    for odd in _ODD:
        for name in ("sampling", "elicitation", "roots", "extensions", "experimental", "tasks"):
            yield {name: odd}
        yield {"extensions": {META + "tasks": odd}}


@pytest.mark.parametrize("asked", [{"sure": FORM}, None])
async def test_no_shape_of_capabilities_breaks_the_gate(asked: Json | None) -> None:
    for shape in _shapes():
        house = House()
        answer = asks(asked) if asked else Answer(result={"resultType": "task", "taskId": "1"})
        Script(house, answer, DONE)
        meta = {META + "clientCapabilities": shape}
        for arrival in (
            modern("tools/call", READ, meta=meta),
            modern("tasks/get", {"taskId": "x"}, meta=meta),
            modern("com.example/odd", {}, meta=meta),
        ):
            _, body = await house.ask(arrival)
            assert body.get("error", {}).get("data", {}).get("reason") != "internal.error", shape
        session = await session_of(house, capabilities=shape)
        for arrival in (
            legacy("tools/call", READ, session=session),
            legacy("tools/list", session=session),
        ):
            async with asyncio.timeout(30):
                running = asyncio.create_task(house.ask(arrival))
                await asyncio.wait({running}, timeout=0.02)  # it may wait for us
            if running.done():
                body = running.result()[1]
                reason = body.get("error", {}).get("data", {}).get("reason")
                assert reason != "internal.error", shape
            running.cancel()
            await asyncio.wait({running})
        assert house.nothing_in_flight


async def test_a_legacy_call_says_nothing_of_itself_that_its_session_did_not() -> None:
    house = House()
    session = await session_of(house, capabilities={})
    smuggled = {META + "clientCapabilities": ABLE, META + "clientInfo": {"name": "other"}}
    for params in (
        {**READ, "_meta": smuggled},
        {**READ, "_meta": {**smuggled, "capabilities": ABLE}},
    ):
        await house.answer(legacy("tools/call", params, session=session))
        assert house.sent[-1].params["_meta"][META + "clientCapabilities"] == {}
    extras: tuple[Json, ...] = ({"requestState": "x"}, {"inputResponses": {}})
    for extra in extras:
        _, body = await house.ask(legacy("tools/call", {**READ, **extra}, session=session))
        assert reason_of(body) == "message.params"
    assert len(house.sent) == 2


# ── handles of one kind as another ────────────────────────────────────────────────────────────────


async def test_no_handle_serves_as_one_of_another_kind() -> None:
    house = House()
    Script(house, asks({"sure": FORM}, "own"), Answer(result={"resultType": "task", "taskId": "1"}))
    _, body = await house.ask(modern("tools/call", READ, meta=DECLARED))
    state = body["result"]["requestState"]
    _, body = await house.ask(modern("tools/call", READ, meta=WITH_TASKS))
    task = body["result"]["taskId"]
    session = await session_of(house)
    house.journal.clear()
    for handle in (task, session):
        again = {**READ, "requestState": handle, "inputResponses": {}}
        await house.refused(modern("tools/call", again, meta=DECLARED), "state.invalid")
    for handle in (state, session):
        await house.refused(
            modern("tasks/get", {"taskId": handle}, meta=WITH_TASKS), "task.unknown"
        )
    for handle in (state, task):
        _, body = await house.ask(legacy("tools/list", session=handle))
        assert reason_of(body) == "session.unknown"
        _, body = await house.ask(modern("tools/list", {"cursor": handle}))
        assert reason_of(body) == "cursor.invalid"


async def test_the_task_of_another_is_nobodys() -> None:
    house = House()
    Script(house, Answer(result={"resultType": "task", "taskId": "1", "status": "working"}))
    _, body = await house.ask(modern("tools/call", READ, meta=WITH_TASKS))
    task = body["result"]["taskId"]
    house.journal.clear()
    for who, at in ((VIC, None), (ADA, "files")):
        for method in ("tasks/get", "tasks/cancel", "tasks/update"):
            arrival = modern(method, {"taskId": task}, meta=WITH_TASKS, who=who, at=at)
            await house.refused(arrival, "task.unknown")


# ── batches ───────────────────────────────────────────────────────────────────────────────────────


async def test_no_part_of_a_batch_is_done_twice_because_another_part_goes_elsewhere() -> None:
    house = House(workers=2)
    session = await session_of(house, version="2025-03-26", capabilities={"sampling": {}})
    stays = lambda *_, **__: True  # noqa: E731
    house.upstreams["issues"].stays = stays  # type: ignore[method-assign]  # it turned out to be legacy
    calls = [
        {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": {"name": name}}
        for id_, name in ((1, "files__read"), (2, "issues__search"))
    ]
    headers: dict[bytes, bytes | None] = {
        b"mcp-session-id": session.encode(), b"mcp-protocol-version": b"2025-03-26",
    }  # fmt: skip
    for who in (ADA,):
        try:
            reply = await house.answer(arrive(calls, headers, who=who))
        except Elsewhere:
            await asyncio.sleep(0)
            assert house.sent == []  # whoever gets it begins at the beginning
        else:
            assert len(json.loads(reply.body)) == len(house.sent) == 2
