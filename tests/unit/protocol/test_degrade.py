from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mcp_types import CallToolResult, GetPromptResult, Tool

from bawn.model import Json, Kind
from bawn.protocol import degrade, versions
from bawn.protocol.degrade import abilities

OLD, MARCH, JUNE, NOVEMBER = (
    abilities(version) for version in ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
)
LEGACY = (OLD, MARCH, JUNE, NOVEMBER)

texts = st.text(max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=4,
)
KNOWN = frozenset(
    {"type", "text", "data", "mimeType", "uri", "name", "title", "description", "size", "icons"}
    | {"content", "structuredContent", "annotations", "outputSchema", "arguments"}
    | {"inputSchema", "messages"}
)
unknown = st.dictionaries(texts.filter(lambda key: key not in KNOWN), values, max_size=2)
blocks = st.builds(
    lambda more, own: {**more, **own},
    unknown,
    st.fixed_dictionaries(
        {},
        optional={
            "type": values
            | st.sampled_from(["text", "image", "audio", "resource_link", "resource", "tool_use"]),
            "text": values,
            "data": values,
            "mimeType": values,
            "uri": values,
            "name": values,
            "description": values,
        },
    ),
)


def _text(text: str, **more: Any) -> Json:
    return {**more, "type": "text", "text": text}


def test_every_handshake_version_has_its_abilities() -> None:
    assert set(degrade.OF) >= set(versions.HANDSHAKE)


# ── blocks ──────────────────────────────────────────────────────────────────────────────────────

AUDIO: Json = {"type": "audio", "data": "aGk=", "mimeType": "audio/wav", "_meta": {"a": 1}}
LINK: Json = {
    "type": "resource_link",
    "uri": "file:///a.rs",
    "name": "a.rs",
    "mimeType": "text/x-rust",
    "description": "The entry point",
    "annotations": {"priority": 1},
}


@pytest.mark.parametrize("type_", ["text", "image", "resource"])
def test_what_every_version_knows_stays(type_: str) -> None:
    given_ = {"type": type_, "x": 1}
    assert all(degrade.block(given_, able) is given_ for able in LEGACY)


def test_audio_came_with_march() -> None:
    assert degrade.block(AUDIO, OLD) == _text("[audio, audio/wav]", _meta={"a": 1})
    assert all(degrade.block(AUDIO, able) is AUDIO for able in LEGACY[1:])


def test_links_came_with_june() -> None:
    told = _text(
        "[resource: a.rs, file:///a.rs, text/x-rust] The entry point", annotations={"priority": 1}
    )
    assert degrade.block(LINK, OLD) == told
    assert degrade.block(LINK, MARCH) == told
    assert degrade.block(LINK, JUNE) is LINK
    assert degrade.block({"type": "resource_link", "uri": "x:y"}, OLD) == _text("[resource: x:y]")


@pytest.mark.parametrize("able", LEGACY)
def test_a_type_that_nobody_knows_is_told_as_text(able: degrade.Abilities) -> None:
    hologram = {"type": "hologram", "data": "aGk=", "annotations": {}}
    told = _text("[content of type hologram]", data="aGk=", annotations={})
    assert degrade.block(hologram, able) == told
    assert degrade.block({"type": "markdown", "text": "# hi"}, able) == _text("# hi")
    assert degrade.block({"x": 1}, able) == _text("[content of type unknown]", x=1)
    assert degrade.block({"type": 5}, able) == _text("[content of type unknown]")


@given(blocks, st.sampled_from(LEGACY))
def test_a_block_never_fails_and_keeps_what_is_unknown(given_: Json, able: Any) -> None:
    before = copy.deepcopy(given_)
    made = degrade.block(given_, able)
    assert given_ == before
    assert made["type"] in {"text", "image", "resource", "audio", "resource_link"}
    assert {key: value for key, value in made.items() if key not in KNOWN} == {
        key: value for key, value in given_.items() if key not in KNOWN
    }
    assert degrade.block(made, able) is made


# ── results ─────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("able", [OLD, MARCH])
def test_structured_content_came_with_june(able: degrade.Abilities) -> None:
    result: Json = {"content": [], "structuredContent": {"a": [1, "é"]}, "isError": False}
    made = degrade.tool_result(result, able)
    assert made == {"content": [_text('{"a":[1,"é"]}')], "isError": False}
    said: Json = {"content": [_text("one")], "structuredContent": {"a": 1}}
    assert degrade.tool_result(said, able) == {"content": [_text("one")]}


@pytest.mark.parametrize("able", [JUNE, NOVEMBER])
def test_since_then_it_is_an_object(able: degrade.Abilities) -> None:
    result: Json = {"content": [], "structuredContent": {"a": 1}}
    assert degrade.tool_result(result, able) == result
    made = degrade.tool_result({"content": [AUDIO], "structuredContent": [1, None]}, able)
    assert made == {"content": [AUDIO, _text("[1,null]")]}
    assert degrade.tool_result({"structuredContent": None}, able) == {"content": [_text("null")]}


def test_a_block_that_was_told_as_text_counts_as_text() -> None:
    made = degrade.tool_result({"content": [AUDIO], "structuredContent": 5}, OLD)
    assert made["content"] == [_text("[audio, audio/wav]", _meta={"a": 1})]


def test_prompts_have_a_block_in_each_message() -> None:
    result: Json = {
        "description": "d",
        "messages": [{"role": "user", "content": LINK, "x": 1}, {"role": "user"}, "odd"],
    }
    made = degrade.prompt_result(result, MARCH)
    assert made["messages"][0]["content"]["type"] == "text"
    assert made["messages"][0]["x"] == 1
    assert made["messages"][1:] == result["messages"][1:]
    assert degrade.prompt_result(result, JUNE) == result


@given(
    unknown,
    st.fixed_dictionaries(
        {}, optional={"content": st.lists(blocks, max_size=3) | values, "structuredContent": values}
    ),
    st.sampled_from(LEGACY),
)
def test_a_tools_result_never_fails_and_keeps_what_is_unknown(
    more: Json, own: Json, able: Any
) -> None:
    result = {**more, **own}
    before = copy.deepcopy(result)
    made = degrade.tool_result(result, able)
    assert result == before
    assert {key: value for key, value in made.items() if key not in KNOWN} == more
    assert isinstance(made.get("structuredContent", {}), dict)
    if "structuredContent" in own and "structuredContent" not in made:
        shown = made["content"]
        assert not isinstance(shown, list) or any(
            isinstance(each, dict) and each["type"] == "text" for each in shown if each
        )


@given(unknown, st.lists(blocks, max_size=2), st.sampled_from(LEGACY))
def test_a_prompts_result_never_fails_and_keeps_what_is_unknown(
    more: Json, contents: list[Json], able: Any
) -> None:
    messages = [{**more, "role": "user", "content": content} for content in contents]
    made = degrade.prompt_result({**more, "messages": messages}, able)
    assert {**made, "messages": 0} == {**more, "messages": 0}
    for message, content in zip(made["messages"], contents, strict=True):
        assert message == {**more, "role": "user", "content": degrade.block(content, able)}


def test_the_sdk_reads_what_we_made_of_what_it_would_refuse() -> None:
    odd: Json = {"type": "hologram", "data": 5}
    with pytest.raises(ValueError, match="hologram"):
        CallToolResult.model_validate({"content": [odd]})
    for able in LEGACY:
        CallToolResult.model_validate(degrade.tool_result({"content": [odd, AUDIO, LINK]}, able))
        message = {"role": "user", "content": odd}
        GetPromptResult.model_validate(degrade.prompt_result({"messages": [message]}, able))


# ── definitions ─────────────────────────────────────────────────────────────────────────────────

TOOL: Json = {
    "name": "a",
    "title": "A",
    "description": "d",
    "inputSchema": {"type": "object", "title": "kept"},
    "outputSchema": {"type": "object"},
    "annotations": {"readOnlyHint": True},
    "icons": [{"src": "data:,"}],
    "_meta": {"ui": {"resourceUri": "ui://a"}},
    "com.example/own": {"title": 1},
}


def _less(defined: Json, *names: str) -> Json:
    return {key: value for key, value in defined.items() if key not in names}


def test_a_tool_has_what_the_version_of_its_reader_has() -> None:
    assert degrade.definition(Kind.TOOL, TOOL, NOVEMBER) is TOOL
    assert degrade.definition(Kind.TOOL, TOOL, JUNE) == _less(TOOL, "icons")
    march = _less(TOOL, "icons", "title", "outputSchema")
    assert degrade.definition(Kind.TOOL, TOOL, MARCH) == march
    assert degrade.definition(Kind.TOOL, TOOL, OLD) == _less(march, "annotations")


@pytest.mark.parametrize("kind", [Kind.RESOURCE, Kind.TEMPLATE, Kind.PROMPT])
def test_others_keep_their_annotations(kind: Kind) -> None:
    defined = _less(TOOL, "inputSchema")
    assert degrade.definition(kind, defined, NOVEMBER) is defined
    assert degrade.definition(kind, defined, OLD) == _less(defined, "title", "icons")


def test_arguments_of_prompts_had_no_titles_before_june() -> None:
    prompt: Json = {"name": "p", "arguments": [{"name": "x", "title": "X", "y": 1}, "odd"]}
    assert degrade.definition(Kind.PROMPT, prompt, JUNE) is prompt
    assert degrade.definition(Kind.PROMPT, prompt, MARCH) == {
        "name": "p",
        "arguments": [{"name": "x", "y": 1}, "odd"],
    }
    plain: Json = {"name": "p", "arguments": [{"name": "x"}]}
    assert degrade.definition(Kind.PROMPT, plain, OLD) is plain


def test_an_output_schema_of_another_type_costs_the_schema_and_not_the_list() -> None:
    listed = {**TOOL, "outputSchema": {"type": "array", "items": {}}}
    for able in LEGACY:
        assert "outputSchema" not in degrade.definition(Kind.TOOL, listed, able)


def test_boolean_schemas_are_spelt_as_objects() -> None:
    schema: Json = {"type": "object", "properties": {"a": True, "b": False, "c": {"x": [True]}}}
    spelt = {"type": "object", "properties": {"a": {}, "b": {"not": {}}, "c": {"x": [True]}}}
    tool: Json = {"name": "t", "inputSchema": schema, "outputSchema": schema}
    for able in (JUNE, NOVEMBER):
        made = degrade.definition(Kind.TOOL, tool, able)
        assert made == {"name": "t", "inputSchema": spelt, "outputSchema": spelt}
    assert degrade.definition(Kind.TOOL, tool, OLD) == {"name": "t", "inputSchema": spelt}
    assert schema["properties"]["a"] is True
    Tool.model_validate(degrade.definition(Kind.TOOL, tool, OLD))


@given(
    unknown,
    st.dictionaries(st.sampled_from(sorted(KNOWN)), values),
    st.sampled_from(list(Kind)),
    st.sampled_from(LEGACY),
)
def test_a_definition_never_fails_and_keeps_what_is_unknown(
    more: Json, own: Json, kind: Kind, able: Any
) -> None:
    defined = {**more, **own}
    before = copy.deepcopy(defined)
    made = degrade.definition(kind, defined, able)
    assert defined == before
    assert {key: value for key, value in made.items() if key not in KNOWN} == more
    assert made.get("name") == own.get("name")
    assert json.dumps(degrade.definition(kind, made, able)) == json.dumps(made)
