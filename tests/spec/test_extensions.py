from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bawn.model import Json, View
from bawn.protocol import lifecycle, versions
from tests.gate import FILES, ISSUES, META, MODERN, House, legacy, listing, modern, session_of

PREFIXED = re.compile(r"([a-z]([a-z0-9-]*[a-z0-9])?\.)+[a-z]([a-z0-9-]*[a-z0-9])?/[a-z0-9._-]+")
OWN, SHARED = "com.example/own", "com.example/shared"
APPS: Json = {versions.APPS: {"mimeTypes": ["text/html;profile=mcp-app"]}}
READ: Json = {"name": "files__read"}
CAPABILITIES = META + "clientCapabilities"


def _view(house: House) -> View:
    own, other = {OWN: {"a": 1}, SHARED: {}, versions.TASKS: {}}, {SHARED: {}, **APPS}
    files = replace(listing("files", FILES), capabilities={"tools": {}, "extensions": own})
    issues = replace(listing("issues", ISSUES), capabilities={"tools": {}, "extensions": other})
    return house.view(files, issues)


async def _offered(house: House, at: str | None) -> Json:
    _, body = await house.ask(modern("server/discover", at=at))
    offered: Json = body["result"]["capabilities"].get("extensions", {})
    return offered


def test_every_extension_that_the_gate_knows_is_named_with_a_prefix() -> None:
    assert {versions.TASKS, versions.APPS} <= lifecycle._KNOWN
    assert [name for name in lifecycle._KNOWN if not PREFIXED.fullmatch(name)] == []


async def test_the_gate_has_no_extension_of_its_own() -> None:
    for at in (None, "files", "issues", "bare"):
        assert await _offered(House(), at) == {}


async def test_an_endpoint_offers_the_extensions_of_its_servers() -> None:
    house = House()
    house.gateway.swap(_view(house))
    assert await _offered(house, "files") == {OWN: {"a": 1}, SHARED: {}, versions.TASKS: {}}
    assert await _offered(house, "issues") == {SHARED: {}, **APPS}
    # what two servers have goes nowhere certain, unless the gate knows it or it has no methods
    assert await _offered(house, None) == {OWN: {"a": 1}, versions.TASKS: {}, **APPS}


async def test_a_handshake_offers_them_too_but_tasks() -> None:
    house = House()
    house.gateway.swap(_view(house))
    params = {"protocolVersion": "2025-11-25", "capabilities": {}}
    _, body = await house.ask(legacy("initialize", params, at="files", version=None))
    assert body["result"]["capabilities"]["extensions"] == {OWN: {"a": 1}, SHARED: {}}


@pytest.mark.parametrize("declared", [{}, APPS, {OWN: {"b": [2]}}, {**APPS, OWN: {}}])
async def test_a_server_learns_of_each_caller_what_that_one_declared(declared: Json) -> None:
    house = House()
    house.gateway.swap(_view(house))
    whole: Json = {"extensions": declared}
    session = await session_of(house, capabilities=whole)
    await house.answer(modern("tools/call", READ, meta={CAPABILITIES: whole}))
    await house.answer(legacy("tools/call", READ, session=session))
    await house.answer(modern("tools/call", READ))  # and that it declared none
    told = [sent.params["_meta"][CAPABILITIES] for sent in house.sent]
    assert told == [whole, whole, {}]
    assert {sent.params["_meta"][META + "protocolVersion"] for sent in house.sent} == {MODERN}
