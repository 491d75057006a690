from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest

from bawn.config import RoleRule
from bawn.model import Json, Kind, Principal, View
from bawn.ports import Reply
from tests.gate import (
    FILES,
    ISSUER,
    LISTINGS,
    META,
    House,
    legacy,
    listing,
    modern,
    session_of,
)
from tests.unit.gateway.telling import Telling

A, B = "file:///a", "file:///b"
UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
TASKS: Json = {"extensions": {META + "tasks": {}}}
READER = Principal("reader", ISSUER, frozenset({"reader"}), float("inf"))


Definitions = Mapping[Kind, tuple[Json, ...]]


def _view(house: House, definitions: Definitions | None = None) -> View:
    offered = {"tools": {}, "prompts": {}, "resources": {"subscribe": True}}
    files = replace(listing("files", {**FILES, **(definitions or {})}), capabilities=offered)
    return house.view(files, *LISTINGS[1:])


def _house(**more: Any) -> tuple[House, Telling]:
    house = House(**more)
    house.gateway.swap(_view(house))
    return house, Telling(house)


class Ear:
    """One stream of a caller, and what it is told in order."""

    def __init__(self) -> None:
        self._told: asyncio.Queue[Json] = asyncio.Queue()

    async def emit(self, message: Json) -> None:
        """Fills `ports.Emit`."""
        self._told.put_nowait(message)

    async def hears(self) -> Json:
        """The next message."""
        return await asyncio.wait_for(self._told.get(), 30)

    async def hears_until(self, uri: str) -> list[Json]:
        """Every message up to the one that this resource has changed."""
        heard = [await self.hears()]
        while heard[-1].get("params", {}).get("uri") != uri:
            heard.append(await self.hears())
        return heard


@asynccontextmanager
async def _open(answering: Callable[[Ear], Awaitable[Reply]]) -> AsyncIterator[Ear]:
    ear = Ear()
    running = asyncio.ensure_future(answering(ear))
    yield ear
    running.cancel()
    await asyncio.wait({running})


@asynccontextmanager
async def _listening(house: House, wanted: Json, **more: Any) -> AsyncIterator[tuple[Ear, Json]]:
    arrival = modern("subscriptions/listen", {"notifications": wanted}, **more)
    async with _open(lambda ear: house.gateway.answer(arrival, ear.emit)) as ear:
        first = await ear.hears()
        assert first["method"] == ACKNOWLEDGED
        yield ear, first["params"]["notifications"]


async def test_nothing_is_told_that_was_not_asked_for() -> None:
    house, server = _house()
    wanted: Json = {"promptsListChanged": True, "resourceSubscriptions": [A]}
    async with _listening(house, wanted) as (ear, granted):
        assert granted == wanted
        house.gateway.swap(_view(house, {Kind.TOOL: (), Kind.PROMPT: (), Kind.RESOURCE: ()}))
        for name in ("tools", "prompts", "resources"):
            await server.tell(f"notifications/{name}/list_changed", {})
        await server.tell(UPDATED, {"uri": B})
        await server.tell("notifications/tasks", {"taskId": "T", "status": "working"})
        await server.tell("notifications/elicitation/complete", {"elicitationId": "e"})
        await server.tell(UPDATED, {"uri": A})
        heard = await ear.hears_until(A)
        assert [each["method"] for each in heard] == ["notifications/prompts/list_changed", UPDATED]


async def test_progress_and_log_messages_come_on_no_subscription() -> None:
    house, server = _house()
    meta = {"progressToken": "p", META + "logLevel": "debug"}
    async with _listening(house, {"resourceSubscriptions": [A]}, meta=meta) as (ear, _):
        await server.tell("notifications/progress", {"progressToken": "p", "progress": 1})
        await server.tell("notifications/message", {"level": "error", "data": "x"})
        await server.tell(UPDATED, {"uri": A})
        assert [each["method"] for each in await ear.hears_until(A)] == [UPDATED]


async def test_the_subscriptions_of_a_caller_are_told_apart() -> None:
    house, server = _house()
    async with (
        _listening(house, {"resourceSubscriptions": [A]}, id_="one") as (one, _),
        _listening(house, {"resourceSubscriptions": [A, B]}, id_=2) as (two, _),
    ):
        await server.tell(UPDATED, {"uri": B})
        await server.tell(UPDATED, {"uri": A})
        heard = {"one": await one.hears_until(A), 2: await two.hears_until(A)}
    assert {id_: [each["params"]["uri"] for each in told] for id_, told in heard.items()} == {
        "one": [A],
        2: [B, A],
    }
    for id_, told in heard.items():
        assert {each["params"]["_meta"][META + "subscriptionId"] for each in told} == {id_}


@pytest.mark.parametrize(
    ("name", "kind", "definition"),
    [
        ("tools", Kind.TOOL, {"name": "new"}),
        ("prompts", Kind.PROMPT, {"name": "new"}),
        ("resources", Kind.RESOURCE, {"uri": "new:", "name": "new"}),
        ("resources", Kind.TEMPLATE, {"uriTemplate": "new:{x}", "name": "new"}),
    ],
)
@pytest.mark.parametrize("at", [None, "files"])
async def test_who_listens_is_told_of_each_list_that_changes(
    name: str, kind: Kind, definition: Json, at: str | None
) -> None:
    house, _ = _house()
    async with _listening(house, {f"{name}ListChanged": True}, at=at) as (ear, _):
        house.gateway.swap(_view(house, {kind: (*FILES[kind], definition)}))
        assert (await ear.hears())["method"] == f"notifications/{name}/list_changed"


async def test_a_server_that_is_taken_away_changes_the_lists() -> None:
    house, _ = _house()
    async with _listening(house, {"toolsListChanged": True, "promptsListChanged": True}) as (
        ear,
        _,
    ):
        house.gateway.swap(house.view(listing("files", FILES), LISTINGS[2]))  # without `issues`
        while (await ear.hears())["method"] != "notifications/tools/list_changed":
            pass


# ── parts of what was subscribed to ─────────────────────────────────────────────────────────────

DIRECTORY, OPEN, SECRET = "file:///dir", "file:///dir/open", "file:///dir/secret"


@asynccontextmanager
async def _on_a_get_stream(house: House, uri: str) -> AsyncIterator[Ear]:
    session = await session_of(house, READER)
    _, body = await house.ask(
        legacy("resources/subscribe", {"uri": uri}, session=session, who=READER)
    )
    assert "result" in body
    arrival = legacy("ignored", session=session, who=READER)
    async with _open(lambda ear: house.gateway.follow(arrival, ear.emit)) as ear:
        yield ear


@asynccontextmanager
async def _on_a_subscription(house: House, uri: str) -> AsyncIterator[Ear]:
    async with _listening(house, {"resourceSubscriptions": [uri]}, who=READER) as (ear, granted):
        assert granted == {"resourceSubscriptions": [uri]}
        yield ear


@pytest.mark.parametrize("opened", [_on_a_subscription, _on_a_get_stream])
async def test_of_a_part_that_a_caller_may_not_read_it_is_told_that_the_whole_has_changed(
    opened: Any,
) -> None:
    role = RoleRule(resources=(DIRECTORY, OPEN))
    house, server = _house(roles={"reader": role})
    async with opened(house, DIRECTORY) as ear:
        await server.tell(UPDATED, {"uri": OPEN})
        assert (await ear.hears_until(OPEN))[-1]["params"]["uri"] == OPEN
        await server.tell(UPDATED, {"uri": SECRET})
        assert (await ear.hears_until(DIRECTORY))[-1]["method"] == UPDATED


async def test_nobody_subscribes_to_what_it_may_not_read() -> None:
    house, _ = _house(roles={"reader": RoleRule(resources=(DIRECTORY,))})
    wanted = {"resourceSubscriptions": [SECRET, "none://", "common://doc"]}
    async with _listening(house, wanted, who=READER) as (_, granted):
        assert granted == {}
    assert house.sent == []


# ── tasks ───────────────────────────────────────────────────────────────────────────────────────


async def test_who_did_not_declare_the_extension_subscribes_to_no_task() -> None:
    house, _ = _house()
    arrival = modern("subscriptions/listen", {"notifications": {"taskIds": ["any"]}})
    error = await house.refused(arrival, "input.undeclared", status=400)
    assert error["code"] == -32021
    assert error["data"]["requiredCapabilities"] == TASKS
    assert house.emitted == []
    meta = {META + "clientCapabilities": TASKS}
    async with _listening(house, {"taskIds": ["any"]}, meta=meta) as (_, granted):
        assert granted == {}


async def test_a_stream_ends_by_a_result_after_which_nothing_comes() -> None:
    house, _ = _house()
    ear = Ear()
    arrival = modern("subscriptions/listen", {"notifications": {"toolsListChanged": True}}, id_=7)
    running = asyncio.create_task(house.gateway.answer(arrival, ear.emit))
    assert (await ear.hears())["method"] == ACKNOWLEDGED
    house.gateway.retire()
    assert (await ear.hears())["method"] == "notifications/tools/list_changed"
    body = json.loads((await running).body)
    assert (body["id"], body["result"]["resultType"]) == (7, "complete")
    assert ear._told.empty()
