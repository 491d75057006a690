"""The gateway for callers of each era, and what of a message comes through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import Limits, Server
from bawn.model import Json
from bawn.ports import Arrival, Elsewhere
from bawn.protocol import versions
from bawn.protocol.strict import OFF_LOOP
from tests.gate import (
    ADA,
    LEGACY,
    META,
    Held,
    House,
    arrive,
    legacy,
    modern,
    reason_of,
    session_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}


# ── eras ──────────────────────────────────────────────────────────────────────────────────────────


async def test_a_modern_session_header_is_ignored_and_goes_nowhere() -> None:
    remote = Server(url="http://127.0.0.1:9/mcp", isolation="session")
    house = House(servers={"files": remote, "issues": remote, "bare": remote})
    for session in (b"one", b"two"):
        await house.answer(modern("tools/call", READ, headers={b"mcp-session-id": session}))
    assert len({sent.isolation for sent in house.sent}) == 1
    assert {call.session for call, *_ in house.journal.of("intent")} == {None}


async def test_a_legacy_client_is_served_without_a_session_too() -> None:
    house = House()
    for version in (*versions.HANDSHAKE, None):
        _, body = await house.ask(legacy("tools/call", READ, version=version))
        assert body["result"] == {"content": [], "from": "files"}


@pytest.mark.parametrize(
    "method", ["notifications/initialized", "notifications/roots/list_changed", "x", "tools/call"]
)
async def test_a_notification_is_accepted_and_goes_nowhere(method: str) -> None:
    house = House()
    reply = await house.answer(legacy(method, READ, id_=None))
    assert (reply.status, reply.body) == (202, b"")
    assert house.journal == []


@pytest.mark.parametrize("id_", [0, 1, -1, "0", "", 2**63, -(2**70), 10**40, "é" * 100])
@pytest.mark.parametrize("ask", [modern, legacy])
async def test_an_id_comes_back_as_it_was(ask: Callable[..., Arrival], id_: str | int) -> None:
    house = House()
    for method, params in (("tools/call", READ), ("tools/list", {}), ("tools/call", {})):
        _, body = await house.ask(ask(method, params, id_=id_))
        assert body["id"] == id_
        assert type(body["id"]) is type(id_)


async def test_an_unsupported_version_is_told_what_is_served() -> None:
    arrival = modern(
        "tools/list",
        meta={META + "protocolVersion": "2099-01-01"},
        headers={b"mcp-protocol-version": b"2099-01-01"},
    )
    error = await House().refused(arrival, "version.unsupported")
    assert error["code"] == -32022
    assert error["data"]["supported"] == list(versions.SUPPORTED)
    assert error["data"]["requested"] == "2099-01-01"


async def test_a_missing_resource_has_the_code_of_the_callers_era() -> None:
    house = House()
    uri = {"uri": "nowhere://"}
    assert (await house.refused(modern("resources/read", uri), "target.unknown"))["code"] == -32602
    error = await house.refused(legacy("resources/read", uri), "target.unknown", status=200)
    assert error["code"] == -32002


# ── batches ───────────────────────────────────────────────────────────────────────────────────────

EARLY = "2025-03-26"


def _batch(*messages: object, version: str | None = EARLY, session: str | None = None) -> Arrival:
    headers: dict[bytes, bytes | None] = {
        b"mcp-protocol-version": version.encode() if version else None,
        b"mcp-session-id": session.encode() if session else None,
    }
    return arrive(list(messages), headers)


def _call(id_: object, name: str = "files__read") -> Json:
    params = {"name": name, "arguments": {}}
    return {"jsonrpc": "2.0", "id": id_, "method": "tools/call", "params": params}


TOLD: Json = {"jsonrpc": "2.0", "method": "notifications/initialized"}
PING: Json = {"jsonrpc": "2.0", "id": "p", "method": "ping"}


@pytest.mark.parametrize("version", [EARLY, None])
async def test_the_messages_of_a_batch_are_answered_together(version: str | None) -> None:
    house = House()
    reply = await house.answer(_batch(_call(1), TOLD, PING, _call("2"), version=version))
    assert reply.status == 200
    bodies = json.loads(reply.body)
    assert [body["id"] for body in bodies] == [1, "p", "2"]
    assert all("result" in body for body in bodies)
    assert house.journal.words() == ["intent", "send", "outcome"] * 2


async def test_a_batch_of_notifications_is_accepted() -> None:
    reply = await House().answer(_batch(TOLD, TOLD))
    assert (reply.status, reply.body) == (202, b"")


async def test_a_batch_in_a_session_speaks_the_sessions_version() -> None:
    house = House()
    early, late = await session_of(house, version=EARLY), await session_of(house)
    reply = await house.answer(_batch(_call(1), version=None, session=early))
    assert "result" in json.loads(reply.body)[0]
    assert house.journal.of("intent")[0][0].session == early
    house.journal.clear()
    for version in (EARLY, LEGACY, None):
        await house.refused(_batch(_call(1), version=version, session=late), "message.shape")


async def test_one_bad_part_does_not_spoil_the_others() -> None:
    house = House()
    parts: list[object] = [
        _call(1),
        _call(2, "unknown"),
        {"jsonrpc": "2.0", "id": 3, "method": "nonsense"},
        {"jsonrpc": "1.0", "id": 4, "method": "ping"},
        {"jsonrpc": "2.0", "id": 5, "method": "initialize", "params": {}},
        json.loads(modern("tools/call", READ, id_=6).body),
        [_call(7)],
        5,
        {"jsonrpc": "2.0", "id": 9, "result": {}},
        _call(10),
    ]
    bodies = json.loads((await house.answer(_batch(*parts))).body)
    outcomes = {body["id"]: "result" if "result" in body else reason_of(body) for body in bodies}
    assert outcomes == {
        1: "result",
        2: "target.unknown",
        3: "method.unknown",
        4: "message.shape",
        5: "message.shape",
        6: "header.mismatch",
        None: "message.shape",
        9: "session.unknown",
        10: "result",
    }
    assert len(bodies) == len(parts)
    assert len(house.sent) == 2


async def test_one_slow_part_does_not_hold_the_others_back() -> None:
    house = House()
    slow, quick = Held(house, "files"), Held(house, "issues")
    parts = _batch(_call(1), _call(2, "issues__search"))
    answering = asyncio.create_task(house.answer(parts))
    await slow.reached.wait()
    await quick.reached.wait()
    quick.let.set()
    slow.let.set()
    assert [body["id"] for body in json.loads((await answering).body)] == [1, 2]


async def test_one_part_of_a_batch_is_cancelled_alone() -> None:
    house = House()
    held = Held(house)
    answering = asyncio.create_task(house.answer(_batch(_call(1), _call(2, "issues__search"))))
    await held.reached.wait()
    cancel = legacy("notifications/cancelled", {"requestId": 1}, id_=None, version=EARLY)
    await house.answer(cancel)
    first, second = json.loads((await answering).body)
    assert reason_of(first) == "call.cancelled"
    assert "result" in second


async def test_a_batch_has_a_size() -> None:
    house = House(limits=Limits(batch=2))
    assert (await house.answer(_batch(PING, PING))).status == 200
    for parts in ((), (PING, PING, PING)):
        error = await house.refused(_batch(*parts), "message.shape")
        assert error["code"] == -32600


@pytest.mark.parametrize("version", [v for v in versions.SUPPORTED if v != EARLY])
async def test_a_batch_of_a_version_that_has_none_is_refused(version: str) -> None:
    await House().refused(_batch(PING, version=version), "message.shape")


async def test_a_batch_comes_in_by_the_same_door_as_a_message() -> None:
    house = House()
    house.gateway.cut(Cuts((Cut("principal", ADA.subject, 0.0),)))
    await house.refused(_batch(_call(1)), "gate.cut")
    session = await session_of(House(slot=1, workers=2), version=EARLY)
    house = House(slot=0, workers=2)
    with pytest.raises(Elsewhere):
        await house.answer(_batch(_call(1), session=session))
    assert house.journal == []


# ── bodies ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_large_body_of_another_spelling_is_read_off_the_loop_to_the_same_end() -> None:
    house = House()
    arrival = modern("tools/call", READ | {"arguments": {"text": "a" * (2 * OFF_LOOP)}})
    spaced = b" " + arrival.body
    await house.answer(msgspec.structs.replace(arrival, body=spaced))
    [sent] = house.sent
    assert sent.params["arguments"] == {"text": "a" * (2 * OFF_LOOP)}


async def test_unknown_members_and_odd_keys_survive_to_the_server() -> None:
    house = House()
    arguments = {"__proto__": {"x": 1}, "constructor": None, "n": 2**70, "e": 0.1, "Name": "é😀"}
    await house.answer(modern("tools/call", READ | {"arguments": arguments, "x-own": True}))
    [sent] = house.sent
    assert sent.params["arguments"] == arguments
    assert sent.params["x-own"] is True


async def test_the_callers_trace_is_the_one_correlation_id() -> None:
    house = House()
    trace = "0af7651916cd43dd8448eb211c80319c"
    parent = f"00-{trace}-b7ad6b7169203331-01"
    await house.answer(modern("tools/call", READ, meta={"traceparent": parent}))
    assert house.sent[0].trace == house.journal.of("outcome")[0][1] == trace
    _, body = await house.ask(arrive(b"{", {b"traceparent": parent.encode()}))
    assert body["error"]["data"]["trace"] == trace


async def test_a_body_that_cannot_be_read_has_a_trace_as_well() -> None:
    _, body = await House().ask(arrive(b"not json"))
    assert len(body["error"]["data"]["trace"]) == 32
    assert body["id"] is None


async def test_a_refusal_is_counted_once_by_what_the_caller_reads() -> None:
    house = House()
    await house.answer(modern("tools/call", {"name": "nothing"}))
    assert house.meter.refusals == ["target.unknown"]
    assert house.meter.calls == []
