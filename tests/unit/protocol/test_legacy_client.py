from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import (
    CreateMessageRequestParams,
    ElicitRequestFormParams,
    ElicitRequestURLParams,
)

from bawn.model import Client, Json, Kind
from bawn.protocol import degrade, legacy_client

META = "io.modelcontextprotocol/"
MODERN = "2026-07-28"
OLD, MARCH, JUNE, LEGACY = "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"
VERSIONS = (OLD, MARCH, JUNE, LEGACY)

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)


# ── what it says ────────────────────────────────────────────────────────────────────────────────


def test_a_legacy_request_gets_the_metadata_of_a_modern_one() -> None:
    client = Client(LEGACY, "inspector", {"sampling": {}})
    assert legacy_client.canonical_meta({"progressToken": 7}, client) == {
        "progressToken": 7,
        META + "protocolVersion": MODERN,
        META + "clientCapabilities": {"sampling": {}},
        META + "clientInfo": {"name": "inspector", "version": ""},
    }


def test_a_client_without_a_name_is_called_unknown() -> None:
    made = legacy_client.canonical_meta({}, Client(LEGACY))
    assert made[META + "clientInfo"] == {"name": "unknown", "version": ""}


def test_what_a_modern_client_says_goes_on_verbatim() -> None:
    meta: Json = {
        META + "protocolVersion": MODERN,
        META + "clientCapabilities": {"elicitation": {}, "extensions": {META + "tasks": {}}},
        META + "clientInfo": {"name": "x"},
        META + "logLevel": "info",
        "com.example/own": [1],
    }
    assert legacy_client.canonical_meta(meta, Client(MODERN)) is meta


def test_a_legacy_request_cannot_declare_more_than_its_session_did() -> None:
    meta: Json = {META + "clientCapabilities": {"elicitation": {}}, META + "clientInfo": {}}
    made = legacy_client.canonical_meta(meta, Client(LEGACY, "c", {"roots": {}}))
    assert made[META + "clientCapabilities"] == {"roots": {}}
    assert made[META + "clientInfo"]["name"] == "c"


@pytest.mark.parametrize(
    ("version", "declared", "canonical"),
    [
        (LEGACY, {"elicitation": {}}, {"elicitation": {"form": {}}}),
        (LEGACY, {"elicitation": {"url": {}}}, {"elicitation": {"url": {}}}),
        (LEGACY, {"elicitation": {"form": {}, "x": 1}}, {"elicitation": {"form": {}, "x": 1}}),
        (JUNE, {"elicitation": {"form": {}, "url": {}}}, {"elicitation": {"form": {}}}),
        (JUNE, {"elicitation": {}}, {"elicitation": {"form": {}}}),
        (JUNE, {"elicitation": {"url": {}}}, {}),
        (MARCH, {"elicitation": {}}, {}),
        (LEGACY, {"elicitation": None}, {}),
        (LEGACY, {"sampling": {"tools": {}, "context": {}}}, None),
        (JUNE, {"sampling": {"tools": {}, "context": {}}}, {"sampling": {"context": {}}}),
        (OLD, {"sampling": {}, "roots": {}}, None),
        (LEGACY, {"roots": {"listChanged": True}}, {"roots": {}}),
        (LEGACY, {"roots": True, "sampling": "yes"}, {}),
        (LEGACY, {"tasks": {"list": {}}, "experimental": {"x": {}}}, {"experimental": {"x": {}}}),
        (LEGACY, {"com.example/own": {"a": [1]}}, None),
        (
            LEGACY,
            {"extensions": {META + "tasks": {}, META + "ui": {"mimeTypes": ["text/html"]}}},
            {"extensions": {META + "ui": {"mimeTypes": ["text/html"]}}},
        ),
        (LEGACY, {"extensions": []}, None),
    ],
)
def test_capabilities_are_those_that_its_version_has(
    version: str, declared: Json, canonical: Json | None
) -> None:
    before = copy.deepcopy(declared)
    assert legacy_client.capabilities(Client(version, "", declared)) == (
        declared if canonical is None else canonical
    )
    assert declared == before


# ── what it is told ─────────────────────────────────────────────────────────────────────────────


def test_a_result_loses_what_older_versions_do_not_know() -> None:
    result = {
        "resultType": "complete",
        "ttlMs": 5,
        "cacheScope": "public",
        "_meta": {META + "serverInfo": {"name": "s"}, META + "subscriptionId": 1, "own": 1},
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


def test_a_notification_loses_the_id_of_its_subscription() -> None:
    told: Json = {
        "jsonrpc": "2.0",
        "method": "notifications/resources/updated",
        "params": {"uri": "file:///a", "_meta": {META + "subscriptionId": 1, "own": 1}},
    }
    assert legacy_client.notification(told) == {
        **told,
        "params": {"uri": "file:///a", "_meta": {"own": 1}},
    }
    bare: Json = {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}
    assert legacy_client.notification(bare) is bare
    stamped: Json = {**bare, "params": {"_meta": {META + "subscriptionId": 1}}}
    assert legacy_client.notification(stamped) == {**bare, "params": {}}


@pytest.mark.parametrize("value", [None, 5, "x", [1], True])
def test_structured_content_that_is_no_object_is_left_to_the_text(value: Any) -> None:
    result = {"content": [{"type": "text", "text": "5"}], "structuredContent": value}
    assert legacy_client.result("tools/call", result) == {"content": result["content"]}


def test_structured_content_that_is_an_object_stays() -> None:
    result: Json = {"content": [], "structuredContent": {}}
    assert legacy_client.result("tools/call", result) == result


def test_a_result_is_degraded_by_the_version_of_its_reader() -> None:
    audio: Json = {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"}
    told = {"type": "text", "text": "[audio, audio/wav]"}
    for method, value, degraded in (
        ("tools/call", {"content": [audio]}, {"content": [told]}),
        ("prompts/get", {"messages": [{"content": audio}]}, {"messages": [{"content": told}]}),
    ):
        assert legacy_client.result(method, value, OLD) == degraded
        assert legacy_client.result(method, value, MARCH) == value
        assert legacy_client.result(method, value) == value
    other = {"contents": [audio], "content": [audio], "messages": [{"content": audio}]}
    assert legacy_client.result("resources/read", other, OLD) == other


@pytest.mark.parametrize("schema", [None, {}, {"type": "array"}, {"$ref": "#/x"}, [], "object", 5])
def test_an_output_schema_that_would_fail_the_list_is_left_out(schema: Any) -> None:
    definition = {"name": "a", "inputSchema": {"type": "object"}, "outputSchema": schema}
    assert legacy_client.tool(definition) == {"name": "a", "inputSchema": {"type": "object"}}


def test_any_other_tool_is_listed_as_it_is() -> None:
    for definition in ({"name": "a"}, {"name": "a", "outputSchema": {"type": "object"}}):
        assert legacy_client.tool(definition) is definition


def test_definitions_are_degraded_by_the_version_of_their_reader() -> None:
    defined: Json = {"name": "a", "title": "A"}
    assert legacy_client.definition(Kind.PROMPT, defined, MARCH) == {"name": "a"}
    assert legacy_client.tool(defined, MARCH) == {"name": "a"}
    assert legacy_client.definition(Kind.PROMPT, defined) is defined


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
        ("tools/call", -32042, -32600),
        ("tools/call", -32099, -32600),
        ("tools/call", -32019, -32019),
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
    assert not -32099 <= mapped["code"] <= -32020


# ── what it is asked ────────────────────────────────────────────────────────────────────────────

FORM: Json = {
    "mode": "form",
    "message": "[files] Who?",
    "requestedSchema": {"type": "object", "properties": {"name": {"type": "string"}}},
}
URL: Json = {"mode": "url", "message": "[files] Sign in", "url": "https://example.com/"}
TEXT: Json = {"type": "text", "text": "hi"}
AUDIO: Json = {"type": "audio", "data": "aGk=", "mimeType": "audio/wav"}


def _sampling(*contents: Any, **more: Any) -> Json:
    messages = [{"role": "user", "content": content, "x": 1} for content in contents]
    return {"messages": messages, "maxTokens": 5, **more}


def _asked(method: str, params: Json | None, version: str) -> Any:
    before = copy.deepcopy(params)
    made = legacy_client.input_request(method, params, version)
    assert params == before
    if made is None:
        return None
    assert (made["jsonrpc"], made["method"], "id" in made) == ("2.0", method, False)
    return made["params"]


def test_the_newest_legacy_client_is_asked_the_same() -> None:
    assert _asked("elicitation/create", FORM, LEGACY) == FORM
    talk = _sampling([TEXT, {"type": "tool_use", "x": 1}], tools=[], toolChoice={})
    assert _asked("sampling/createMessage", talk, LEGACY) == talk
    assert _asked("roots/list", {"_meta": {"x": 1}}, LEGACY) == {"_meta": {"x": 1}}


@pytest.mark.parametrize("version", VERSIONS)
def test_every_legacy_client_may_be_asked_for_its_roots_and_for_words(version: str) -> None:
    assert _asked("roots/list", None, version) == {}
    assert _asked("sampling/createMessage", _sampling(TEXT), version) == _sampling(TEXT)


def test_forms_came_with_june() -> None:
    assert _asked("elicitation/create", FORM, MARCH) is None
    assert _asked("elicitation/create", FORM, OLD) is None
    assert _asked("elicitation/create", FORM, JUNE) == {
        "message": FORM["message"],
        "requestedSchema": FORM["requestedSchema"],
    }


def test_links_to_open_came_with_november_and_had_an_id() -> None:
    for version in (OLD, MARCH, JUNE):
        assert _asked("elicitation/create", URL, version) is None
    made = _asked("elicitation/create", URL, LEGACY)
    assert made == {**URL, "elicitationId": made["elicitationId"]}
    assert made == _asked("elicitation/create", URL, LEGACY)
    other = _asked("elicitation/create", {**URL, "url": "https://example.org/"}, LEGACY)
    assert other["elicitationId"] != made["elicitationId"]
    ElicitRequestURLParams.model_validate(made)


def test_an_id_that_the_server_gave_stays() -> None:
    given_ = {**URL, "elicitationId": "e-1"}
    assert _asked("elicitation/create", given_, LEGACY) == given_


def test_choices_are_written_as_june_had_them() -> None:
    fields: Json = {
        "colour": {
            "type": "string",
            "title": "Colour",
            "oneOf": [{"const": "#f00", "title": "Red"}, {"const": "#0f0"}],
            "default": "#f00",
        },
        "name": {"type": "string", "enum": ["a"]},
        "odd": True,
    }
    asked = {**FORM, "requestedSchema": {"type": "object", "properties": fields, "x": 1}}
    made = _asked("elicitation/create", asked, JUNE)
    assert made["requestedSchema"] == {
        "type": "object",
        "x": 1,
        "properties": {
            "colour": {
                "type": "string",
                "title": "Colour",
                "default": "#f00",
                "enum": ["#f00", "#0f0"],
                "enumNames": ["Red", "#0f0"],
            },
            "name": {"type": "string", "enum": ["a"]},
            "odd": True,
        },
    }
    assert _asked("elicitation/create", asked, LEGACY) == asked
    ElicitRequestFormParams.model_validate(made)


def test_a_choice_of_several_cannot_be_asked_in_june() -> None:
    several = {"type": "array", "items": {"enum": ["a", "b"]}}
    asked = {**FORM, "requestedSchema": {"type": "object", "properties": {"a": several}}}
    assert _asked("elicitation/create", asked, JUNE) is None
    assert _asked("elicitation/create", asked, LEGACY) == asked


@pytest.mark.parametrize(
    "talk",
    [
        _sampling(TEXT, tools=[{"name": "a"}]),
        _sampling(TEXT, toolChoice={"mode": "auto"}),
        _sampling(TEXT, [TEXT, {"type": "tool_use"}]),
        _sampling({"type": "tool_result"}),
    ],
)
def test_tools_in_sampling_came_with_november(talk: Json) -> None:
    for version in (OLD, MARCH, JUNE):
        assert _asked("sampling/createMessage", talk, version) is None
    assert _asked("sampling/createMessage", talk, LEGACY) == talk


def test_several_blocks_become_several_messages() -> None:
    made = _asked("sampling/createMessage", _sampling([TEXT, AUDIO], TEXT, tools=None), JUNE)
    assert made == _sampling(TEXT, AUDIO, TEXT)
    CreateMessageRequestParams.model_validate(made)


def test_blocks_are_degraded_by_the_version_of_the_client() -> None:
    told = {"type": "text", "text": "[audio, audio/wav]"}
    assert _asked("sampling/createMessage", _sampling(AUDIO), OLD) == _sampling(told)
    assert _asked("sampling/createMessage", _sampling(AUDIO), MARCH) == _sampling(AUDIO)


def test_an_answer_comes_back_as_it_is() -> None:
    for method, answer in (
        ("elicitation/create", {"action": "accept", "content": {"name": None}, "x": 1}),
        ("elicitation/create", {"action": "decline"}),
        ("sampling/createMessage", {"role": "assistant", "content": None, "model": "m"}),
        ("roots/list", {"roots": [], "_meta": {"x": 1}}),
    ):
        assert legacy_client.input_result(method, answer) is answer


def test_an_answer_without_content_has_none() -> None:
    answer = {"action": "cancel", "content": None, "x": 1}
    made = legacy_client.input_result("elicitation/create", answer)
    assert made == {"action": "cancel", "x": 1}


@given(
    st.sampled_from(["elicitation/create", "sampling/createMessage", "roots/list"]),
    st.dictionaries(
        st.sampled_from(["mode", "message", "messages", "requestedSchema", "tools", "url", "x"]),
        values | st.just("url") | st.lists(st.fixed_dictionaries({"content": values})),
    ),
    st.sampled_from([*VERSIONS, "1999-01-01"]),
)
def test_any_request_is_asked_or_cannot_be(method: str, params: Json, version: str) -> None:
    made = _asked(method, params, version)
    if made is not None:
        assert made.get("x") == params.get("x")
        assert made.get("message") == params.get("message")


def test_a_version_that_nobody_knows_understands_the_least() -> None:
    assert degrade.abilities("1999-01-01") == degrade.abilities(OLD)
