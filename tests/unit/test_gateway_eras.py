"""The gateway for callers of each era, and what of a message comes through."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import pytest

from bawn.config import Server
from bawn.model import Json
from bawn.ports import Arrival
from bawn.protocol import versions
from bawn.protocol.strict import OFF_LOOP
from tests.gate import (
    META,
    MODERN,
    House,
    arrive,
    legacy,
    modern,
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


async def test_initialize_begins_a_session_that_later_requests_name() -> None:
    house = House()
    session = await session_of(house)
    told = legacy("notifications/initialized", id_=None, session=session)
    assert (await house.answer(told)).status == 202
    _, body = await house.ask(legacy("tools/call", READ, session=session))
    assert "result" in body
    [(call, *_)] = house.journal.of("intent")
    assert (call.client.name, call.session) == ("test", session)


@pytest.mark.parametrize("version", ["2099-01-01", "2024-11-05", MODERN])
async def test_initialize_with_any_version_is_answered_by_one_that_is_served(version: str) -> None:
    params: Json = {"protocolVersion": version, "capabilities": {}}
    reply, body = await House().ask(legacy("initialize", params, version=None))
    assert body["result"]["protocolVersion"] == "2025-11-25"
    assert b"mcp-session-id" in dict(reply.headers)


async def test_discover_tells_the_endpoint() -> None:
    _, body = await House().ask(modern("server/discover", at="issues"))
    assert body["result"]["supportedVersions"] == list(versions.SUPPORTED)
    assert body["result"]["cacheScope"] == "private"


async def test_ping_is_answered_to_whoever_has_one() -> None:
    house = House()
    assert (await house.ask(legacy("ping", id_="p")))[1] == {
        "jsonrpc": "2.0",
        "id": "p",
        "result": {},
    }
    await house.refused(modern("ping"), "method.unknown")


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
