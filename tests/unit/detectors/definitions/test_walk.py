"""Every string is met, with its place and what it is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.definitions.walk import NODES, Role, walk

TOOL: dict[str, Any] = {
    "name": "find",
    "description": "Finds.",
    "annotations": {"title": "Find it", "my note": "hello"},
    "inputSchema": {
        "type": "object",
        "properties": {
            "a/b": {"type": "string", "description": "First.", "default": "x y", "enum": ["e1"]},
            "default": {"title": "Named like a keyword", "examples": [{"deep": "ex"}]},
        },
        "$defs": {"N": {"description": "Nested.", "properties": {"q": {"const": "c"}}}},
    },
    "outputSchema": {"properties": {"o": {"description": "Out."}}},
    "_meta": {"m/k": "v"},
}


def test_each_string_has_its_place_and_kind() -> None:
    found = {(each.place, each.text): each.kind for each in walk(TOOL)}
    assert found["/description", "Finds."] == "description"
    assert found["/inputSchema/properties/a~1b", "a/b"] == "param_name"
    assert found["/inputSchema/properties/default", "default"] == "param_name"
    assert found["/inputSchema/properties/a~1b/description", "First."] == "param_description"
    assert found["/inputSchema/properties/a~1b/default", "x y"] == "default"
    assert found["/inputSchema/properties/a~1b/enum/0", "e1"] == "enum"
    assert found["/inputSchema/properties/default/examples/0/deep", "ex"] == "examples"
    assert found["/inputSchema/$defs/N/description", "Nested."] == "defs"
    assert found["/outputSchema/properties/o/description", "Out."] == "output_schema"
    assert found["/annotations/title", "Find it"] == "annotations"
    assert found["/_meta/m~1k", "v"] == "meta"


def test_names_and_prose_have_different_roles() -> None:
    roles = {each.text: each.role for each in walk(TOOL)}
    assert roles["find"] is Role.CALLED
    assert roles["a/b"] is Role.NAME
    assert roles["First."] is Role.PROSE
    assert roles["Find it"] is Role.TITLE
    assert roles["x y"] is Role.VALUE


def test_a_keyword_with_words_in_it_is_met_too() -> None:
    schema = {"properties": {"a": {"type": "string", "format": "send it to me"}}}
    assert "send it to me" in {each.text for each in walk({"inputSchema": schema})}


def test_instructions_are_prose() -> None:
    (text,) = walk({"text": "Do this."}, "instructions")
    assert (text.kind, text.role) == ("instructions", Role.PROSE)


def test_arguments_of_prompts_are_parameters() -> None:
    prompt = {"name": "p", "arguments": [{"name": "who", "description": "Whom."}]}
    assert [each.kind for each in walk(prompt, "prompt")] == [
        "name", "param_name", "param_description",
    ]  # fmt: skip


def test_a_huge_definition_ends() -> None:
    assert len(list(walk({"a": ["b c"] * (2 * NODES)}))) <= NODES


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(max_size=8), JSON))
def test_any_definition_is_walked(definition: dict[str, Any]) -> None:
    for each in walk(definition):
        assert each.place.startswith("/")
