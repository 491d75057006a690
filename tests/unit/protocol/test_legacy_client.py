from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Client, Json
from bawn.protocol import legacy_client
from tests.gate import LEGACY, META, MODERN

CLIENT = Client(LEGACY, "inspector", {"sampling": {}})


# ── towards the server ──────────────────────────────────────────────────────────────────────────


def test_a_legacy_request_gets_the_metadata_of_a_modern_one() -> None:
    assert legacy_client.canonical_meta({"progressToken": 7}, CLIENT) == {
        "progressToken": 7,
        META + "protocolVersion": MODERN,
        META + "clientCapabilities": {},
        META + "clientInfo": {"name": "inspector", "version": ""},
    }


def test_a_client_without_a_name_is_called_unknown() -> None:
    made = legacy_client.canonical_meta({}, Client(LEGACY))
    assert made[META + "clientInfo"] == {"name": "unknown", "version": ""}


def test_no_capability_reaches_a_server_that_could_then_ask_back() -> None:
    declared: Json = {
        META + "protocolVersion": MODERN,
        META + "clientCapabilities": {"elicitation": {}},
    }
    undeclared: Json = {META + "clientCapabilities": {"elicitation": {}}}
    for meta in (declared, undeclared):
        made = legacy_client.canonical_meta(meta, CLIENT)
        assert made[META + "clientCapabilities"] == {}
        assert made[META + "protocolVersion"] == MODERN


def test_what_the_caller_added_survives_and_its_own_object_is_not_changed() -> None:
    meta = {
        META + "protocolVersion": MODERN,
        META + "clientInfo": {"name": "x"},
        META + "logLevel": "info",
        "com.example/own": [1],
    }
    before = dict(meta)
    assert legacy_client.canonical_meta(meta, CLIENT) == before | {META + "clientCapabilities": {}}
    assert meta == before


# ── towards the client ──────────────────────────────────────────────────────────────────────────


def test_a_result_loses_what_older_versions_do_not_know() -> None:
    result = {
        "resultType": "complete",
        "ttlMs": 5,
        "cacheScope": "public",
        "_meta": {META + "serverInfo": {"name": "s"}, "own": 1},
        "content": [],
        "isError": True,
    }
    assert legacy_client.result("tools/call", result) == {
        "_meta": {"own": 1},
        "content": [],
        "isError": True,
    }
    assert "resultType" in result


def test_a_meta_that_only_named_the_server_goes_away() -> None:
    result = {"_meta": {META + "serverInfo": {}}, "messages": []}
    assert legacy_client.result("prompts/get", result) == {"messages": []}


@pytest.mark.parametrize("value", [None, 5, "x", [1], True])
def test_structured_content_that_is_no_object_is_left_to_the_text(value: Any) -> None:
    result = {"content": [{"type": "text", "text": "5"}], "structuredContent": value}
    assert legacy_client.result("tools/call", result) == {"content": result["content"]}


def test_structured_content_that_is_an_object_stays() -> None:
    result: Json = {"content": [], "structuredContent": {}}
    assert legacy_client.result("tools/call", result) == result


@pytest.mark.parametrize("schema", [None, {}, {"type": "array"}, {"$ref": "#/x"}, [], "object", 5])
def test_an_output_schema_that_would_fail_the_list_is_left_out(schema: Any) -> None:
    definition = {"name": "a", "inputSchema": {"type": "object"}, "outputSchema": schema}
    assert legacy_client.tool(definition) == {"name": "a", "inputSchema": {"type": "object"}}


def test_any_other_tool_is_listed_as_it_is() -> None:
    for definition in ({"name": "a"}, {"name": "a", "outputSchema": {"type": "object"}}):
        assert legacy_client.tool(definition) is definition


@pytest.mark.parametrize(
    ("method", "code", "legacy"),
    [
        ("resources/read", -32602, -32002),
        ("resources/read", -32603, -32603),
        ("tools/call", -32602, -32602),
        ("prompts/get", -32602, -32602),
        ("tools/call", -32020, -32600),
        ("tools/call", -32021, -32600),
        ("resources/read", -32022, -32600),
        ("tools/call", 31001, 31001),
        ("tools/call", -32002, -32002),
    ],
)
def test_error_codes_become_those_of_the_handshake_versions(
    method: str, code: int, legacy: int
) -> None:
    error = {"code": code, "message": "m", "data": {"x": 1}}
    assert legacy_client.error(method, error) == error | {"code": legacy}
    assert error["code"] == code


@given(st.integers(-32100, -31900) | st.integers())
def test_no_code_of_2026_reaches_a_legacy_client(code: int) -> None:
    mapped = legacy_client.error("tools/call", {"code": code, "message": ""})
    assert mapped["code"] not in {-32020, -32021, -32022}
