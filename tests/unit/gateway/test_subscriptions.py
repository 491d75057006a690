"""`subscriptions/listen` of modern callers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import Limits, Server
from bawn.errors import AUDIT_UNAVAILABLE, Refused
from bawn.model import Answer, Json, Principal, View
from bawn.protocol import versions
from tests.gate import (
    ADA,
    EVE,
    FILES,
    LISTINGS,
    META,
    VIC,
    House,
    Script,
    listing,
    modern,
    reason_of,
)
from tests.unit.gateway.telling import Telling

SUBSCRIPTION = META + "subscriptionId"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
UPDATED = "notifications/resources/updated"
A, B = "file:///a", "file:///b"


def _view(house: House, **changes: Any) -> View:
    capabilities = {"tools": {}, "prompts": {}, "resources": {"subscribe": True}}
    files = replace(listing("files", FILES), capabilities=capabilities, **changes)
    return house.view(files, *LISTINGS[1:])


def _house(**more: Any) -> tuple[House, Telling]:
    house = House(**more)
    house.gateway.swap(_view(house))
    return house, Telling(house)


class Listener:
    """A modern caller that listens; every message on its stream in order."""

    def __init__(self, house: House, wanted: Json, **arrival: Any) -> None:
        self.house = house
        self.told: asyncio.Queue[Json] = asyncio.Queue()
        asked = modern("subscriptions/listen", {"notifications": wanted}, id_="l", **arrival)
        self.running = asyncio.create_task(house.gateway.answer(asked, self.told.put))

    async def acknowledged(self) -> Json:
        """What the gate honours."""
        message = await self.told.get()
        assert message["method"] == ACKNOWLEDGED
        honoured: Json = message["params"]["notifications"]
        return honoured

    async def ends(self) -> Json:
        """The answer, when the stream has ended."""
        body: Json = json.loads((await self.running).body)
        return body


@asynccontextmanager
async def _listening(house: House, wanted: Json, **arrival: Any) -> AsyncIterator[Listener]:
    listener = Listener(house, wanted, **arrival)
    yield listener
    listener.running.cancel()
    await asyncio.wait({listener.running})
    assert house.streams._streams == set()
    assert house.streams.board._feeds == {}


# ── the acknowledgement ───────────────────────────────────────────────────────────────────────────


async def test_the_first_message_says_what_will_be_told() -> None:
    house, _ = _house()
    wanted: Json = {
        "toolsListChanged": True,
        "promptsListChanged": False,
        "resourcesListChanged": True,
        "resourceSubscriptions": [A, "elif:///unknown", B, A, "common://doc"],
        "taskIds": [],
        "unheardOf": True,
    }
    async with _listening(house, wanted, meta=DECLARED) as listener:
        message = await listener.told.get()
        assert message == {
            "jsonrpc": "2.0",
            "method": ACKNOWLEDGED,
            "params": {
                "notifications": {
                    "toolsListChanged": True,
                    "resourcesListChanged": True,
                    "resourceSubscriptions": [A, B],
                },
                "_meta": {SUBSCRIPTION: "l"},
            },
        }


async def test_lists_that_an_endpoint_does_not_have_are_left_out() -> None:
    house = House()
    only = replace(listing("bare", dict.fromkeys(FILES, ())), capabilities={"tools": {}})
    house.gateway.swap(house.view(only))
    wanted = dict.fromkeys(("toolsListChanged", "promptsListChanged", "resourcesListChanged"), True)
    async with _listening(house, wanted, at="bare") as listener:
        assert await listener.acknowledged() == {"toolsListChanged": True}


async def test_what_a_caller_may_not_read_is_left_out_and_recorded() -> None:
    house, _ = _house()
    async with _listening(house, {"resourceSubscriptions": [A]}, who=EVE) as listener:
        assert await listener.acknowledged() == {}
    assert house.sent == []
    assert [reason for _, reason, _ in house.journal.of("refusal")] == ["policy.denied"]


async def test_what_a_server_does_not_honour_is_left_out() -> None:
    house, server = _house()
    server.honours = lambda wanted: {"resourceSubscriptions": [B]}
    async with _listening(house, {"resourceSubscriptions": [A, B]}) as listener:
        assert await listener.acknowledged() == {"resourceSubscriptions": [B]}
    assert sorted(status for _, _, status, _ in house.journal.of("outcome")) == [
        "not granted",
        "ok",
    ]


async def test_each_subscription_is_recorded_before_the_server_hears_of_it() -> None:
    house, _ = _house()
    async with _listening(house, {"resourceSubscriptions": [A, B]}) as listener:
        await listener.acknowledged()
        assert house.journal.words() == ["intent", "intent", "send", "outcome", "outcome"]
        names = [item.name for _, item, *_ in house.journal.of("intent")]
        assert names == [A, B]


async def test_nothing_is_listened_to_that_cannot_be_recorded() -> None:
    house, _ = _house()
    house.audit.failing = Refused(AUDIT_UNAVAILABLE)
    arrival = modern(
        "subscriptions/listen", {"notifications": {"resourceSubscriptions": [A], "toolsListChanged": True}}
    )  # fmt: skip
    await house.refused(arrival, "audit.unavailable")
    assert house.emitted == []
    assert house.streams._streams == set()


async def test_a_cut_that_comes_while_a_subscription_waits_for_the_disk_stops_it() -> None:
    house, _ = _house()
    written = asyncio.get_running_loop().create_future()
    house.audit.settling = written
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        while "intent" not in house.journal.words():
            await asyncio.sleep(0)
        house.gateway.cut(Cuts((Cut("server", "files", 0.0),)))
        written.set_result(None)
        assert reason_of(await listener.ends()) == "gate.cut"
    assert house.sent == []
    assert house.journal.words() == ["intent", "outcome"]


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"notifications": []},
        {"notifications": {"toolsListChanged": "yes"}},
        {"notifications": {"resourceSubscriptions": A}},
        {"notifications": {"resourceSubscriptions": [5]}},
        {"notifications": {"taskIds": [str(n) for n in range(300)]}},
    ],
)
async def test_a_filter_of_another_shape_is_refused(params: Json) -> None:
    await House().refused(modern("subscriptions/listen", params), "message.params")


async def test_streams_of_one_principal_are_bounded() -> None:
    house, _ = _house(limits=Limits(listens=1))
    async with _listening(house, {"toolsListChanged": True}) as listener:
        await listener.acknowledged()
        again = modern("subscriptions/listen", {"notifications": {}})
        _, body = await house.ask(again)
        assert reason_of(body) == "limit.listens"
        async with _listening_too(house, VIC) as other:
            await other.acknowledged()
    async with _listening(house, {}) as listener:
        assert await listener.acknowledged() == {}


@asynccontextmanager
async def _listening_too(house: House, who: Principal) -> AsyncIterator[Listener]:
    listener = Listener(house, {}, who=who)
    yield listener
    listener.running.cancel()
    await asyncio.wait({listener.running})


# ── what is told ──────────────────────────────────────────────────────────────────────────────────


async def test_a_new_view_tells_of_the_lists_that_changed() -> None:
    house, _ = _house()
    wanted = {"toolsListChanged": True, "promptsListChanged": True}
    async with _listening(house, wanted) as listener:
        await listener.acknowledged()
        fewer = {**FILES, next(iter(FILES)): ()}
        house.gateway.swap(_view(house, definitions=fewer))
        assert await listener.told.get() == {
            "jsonrpc": "2.0",
            "method": "notifications/tools/list_changed",
            "params": {"_meta": {SUBSCRIPTION: "l"}},
        }
        house.gateway.swap(_view(house, definitions=fewer))
        assert listener.told.empty()


async def test_a_change_of_a_resource_reaches_who_subscribed() -> None:
    house, server = _house()
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        await listener.acknowledged()
        await server.tell(UPDATED, {"uri": A, "_meta": {SUBSCRIPTION: "the gate's", "own": 1}})
        assert await listener.told.get() == {
            "jsonrpc": "2.0",
            "method": UPDATED,
            "params": {"uri": A, "_meta": {SUBSCRIPTION: "l", "own": 1}},
        }


async def test_callers_who_share_a_server_share_one_stream_to_it() -> None:
    shared = Server(url="http://127.0.0.1:9/mcp", isolation="shared")
    house, server = _house(servers={"files": shared, "issues": shared, "bare": shared})
    one = Listener(house, {"resourceSubscriptions": [A]})
    await one.acknowledged()
    other = Listener(house, {"resourceSubscriptions": [A]}, who=VIC)
    assert await other.acknowledged() == {"resourceSubscriptions": [A]}
    assert len(server.emits) == 1
    await server.tell(UPDATED, {"uri": A})
    for listener in (one, other):
        assert (await listener.told.get())["params"]["uri"] == A
        listener.running.cancel()
        await asyncio.wait({listener.running})
    await server.left.wait()


async def test_callers_of_a_server_that_keeps_them_apart_are_kept_apart() -> None:
    house, server = _house()
    one = Listener(house, {"resourceSubscriptions": [A]})
    other = Listener(house, {"resourceSubscriptions": [A]}, who=VIC)
    await one.acknowledged()
    await other.acknowledged()
    assert len({sent.isolation for sent in house.sent}) == len(server.emits) == 2
    for listener in (one, other):
        listener.running.cancel()
        await asyncio.wait({listener.running})


async def test_of_a_part_that_is_cut_it_is_told_that_the_whole_has_changed() -> None:
    house, server = _house()
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        await listener.acknowledged()
        await server.tell(UPDATED, {"uri": A + "/part"})
        assert (await listener.told.get())["params"]["uri"] == A + "/part"
        house.gateway.cut(Cuts((Cut("item", f"files:{A}/part", 0.0),)))
        await server.tell(UPDATED, {"uri": A + "/part"})
        assert (await listener.told.get())["params"]["uri"] == A


# ── the end ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "cut", [Cut("server", "files", 0.0), Cut("principal", ADA.subject, 0.0), Cut("gate", "", 0.0)]
)
async def test_a_cut_ends_the_stream(cut: Cut) -> None:
    house, server = _house()
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        await listener.acknowledged()
        house.gateway.cut(Cuts((cut,)))
        body = await listener.ends()
        assert body["result"] == {"resultType": "complete", "_meta": {SUBSCRIPTION: "l"}}
        await server.left.wait()


async def test_a_stream_does_not_outlive_its_credential() -> None:
    house, _ = _house()
    who = msgspec.structs.replace(ADA, expires=1.0)
    async with _listening(house, {"toolsListChanged": True}, who=who) as listener:
        await listener.acknowledged()
        assert "result" in await listener.ends()


async def test_a_worker_that_leaves_tells_every_list_and_ends() -> None:
    house, _ = _house()
    async with _listening(house, {"toolsListChanged": True, "resourcesListChanged": True}) as it:
        await it.acknowledged()
        house.gateway.retire()
        assert "result" in await it.ends()
        told = {(await it.told.get())["method"] for _ in range(2)}
        assert told == {
            "notifications/tools/list_changed",
            "notifications/resources/list_changed",
        }
        assert it.told.empty()


async def test_a_caller_that_goes_away_is_listened_for_no_more() -> None:
    house, server = _house()
    async with _listening(house, {"resourceSubscriptions": [A]}) as listener:
        await listener.acknowledged()
    await server.left.wait()


# ── tasks ─────────────────────────────────────────────────────────────────────────────────────────

DECLARED: Json = {META + "clientCapabilities": {"extensions": {versions.TASKS: {}}}}
STARTED = Answer(result={"resultType": "task", "taskId": "own-1", "status": "working"})


async def _started(house: House) -> str:
    Script(house, STARTED)
    _, body = await house.ask(modern("tools/call", {"name": "files__read"}, meta=DECLARED))
    house.journal.clear()
    return str(body["result"]["taskId"])


async def test_a_caller_is_told_of_its_task_under_the_id_that_it_knows() -> None:
    house, _ = _house()
    id_ = await _started(house)
    server = Telling(house)
    async with _listening(house, {"taskIds": [id_, "other"]}, meta=DECLARED) as listener:
        assert await listener.acknowledged() == {"taskIds": [id_]}
        assert house.journal.words() == ["intent", "outcome", "send"]
        assert house.sent[0].params["notifications"] == {"taskIds": ["own-1"]}
        await server.tell("notifications/tasks/status", {"taskId": "own-1", "status": "completed"})
        told = await listener.told.get()
        assert told["params"]["taskId"] == id_
        assert told["params"]["status"] == "completed"


async def test_a_client_without_the_extension_listens_for_no_tasks() -> None:
    house, _ = _house()
    id_ = await _started(house)
    arrival = modern("subscriptions/listen", {"notifications": {"taskIds": [id_]}})
    error = await house.refused(arrival, "input.undeclared")
    assert error["data"]["requiredCapabilities"] == {"extensions": {versions.TASKS: {}}}
    assert house.streams._streams == set()


async def test_nobody_is_told_of_anothers_task() -> None:
    house, _ = _house()
    id_ = await _started(house)
    Telling(house)
    async with _listening(house, {"taskIds": [id_]}, meta=DECLARED, who=VIC) as listener:
        assert await listener.acknowledged() == {}
    async with _listening(house, {"taskIds": [id_]}, meta=DECLARED, at="files") as listener:
        assert await listener.acknowledged() == {}
    assert house.sent == []


async def test_who_may_no_longer_use_the_tool_is_not_told_of_its_task() -> None:
    house, _ = _house()
    id_ = await _started(house)
    Telling(house)
    demoted = msgspec.structs.replace(ADA, roles=frozenset({"viewer"}))
    async with _listening(house, {"taskIds": [id_]}, meta=DECLARED, who=demoted) as listener:
        assert await listener.acknowledged() == {}
    assert house.sent == []
