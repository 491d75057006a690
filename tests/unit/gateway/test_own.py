"""The methods that the gate answers itself."""

from __future__ import annotations

import pytest

from bawn.model import Json
from bawn.protocol import versions
from tests.gate import MODERN, House, legacy, modern, session_of

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}


async def test_initialize_begins_a_session_that_later_requests_name() -> None:
    house = House()
    session = await session_of(house)
    told = legacy("notifications/initialized", id_=None, session=session)
    assert (await house.answer(told)).status == 202
    _, body = await house.ask(legacy("tools/call", READ, session=session))
    assert "result" in body
    [(call, *_)] = house.journal.of("intent")
    assert (call.client.name, call.session) == ("test", session)


@pytest.mark.parametrize("version", ["2099-01-01", "2024-10-07", MODERN])
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


async def test_what_the_gate_answers_itself_reaches_no_server() -> None:
    house = House()
    for arrival in (
        modern("server/discover"),
        modern("tools/list"),
        legacy("ping"),
        legacy("initialize", {"protocolVersion": "2025-11-25", "capabilities": {}}, version=None),
        legacy("logging/setLevel", {"level": "debug"}, session=await session_of(house)),
    ):
        _, body = await house.ask(arrival)
        assert "result" in body
    assert house.journal == []
