from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.drift.fields import differences, same

TOOL: dict[str, Any] = {
    "name": "read",
    "description": "Reads.",
    "inputSchema": {
        "type": "object",
        "properties": {"path": {"type": "string", "enum": ["a", "b"], "maxLength": 9}},
        "required": ["path", "mode"],
        "anyOf": [{"minProperties": 1}],
    },
    "icons": [{"src": "a.png"}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(), JSON, max_size=5)


def changed(**parts: Any) -> dict[str, Any]:
    return {**TOOL, **parts}


def schema(**parts: Any) -> dict[str, Any]:
    return changed(inputSchema={**TOOL["inputSchema"], **parts})


@pytest.mark.parametrize(
    ("new", "path", "kind", "place"),
    [
        (changed(description="Writes."), "description", "changed", "plain"),
        (changed(title="Read"), "title", "added", "plain"),
        ({k: v for k, v in TOOL.items() if k != "icons"}, "icons", "removed", "plain"),
        (changed(icons=[{"src": "b.png"}]), "icons[0].src", "changed", "plain"),
        (schema(required=["mode", "path", "x"]), "inputSchema.required", "added", "member"),
        (schema(required=["mode"]), "inputSchema.required", "removed", "member"),
        (schema(anyOf=[{"minProperties": 2}]), "inputSchema.anyOf[0].minProperties", "changed", "keyword"),
        (schema(anyOf=[{"minProperties": 1}, True]), "inputSchema.anyOf[1]", "added", "branch"),
        (
            schema(properties={**TOOL["inputSchema"]["properties"], "odd name": {}}),
            'inputSchema.properties["odd name"]',
            "added",
            "name",
        ),
        (
            schema(properties={"path": {"type": "string", "enum": ["a"], "maxLength": 9}}),
            "inputSchema.properties.path.enum",
            "removed",
            "member",
        ),
    ],
)  # fmt: skip
def test_each_difference_has_its_readable_path(
    new: dict[str, Any], path: str, kind: str, place: str
) -> None:
    (field,) = differences(TOOL, new)
    assert (field.path, field.kind, field.place) == (path, kind, place)


def test_the_order_of_keys_and_sets_and_the_form_of_numbers_are_none() -> None:
    again = schema(
        required=["mode", "path"],
        properties={"path": {"maxLength": 9.0, "enum": ["b", "a"], "type": "string"}},
    )
    fields = differences(TOOL, again)
    assert [each.path for each in fields] == ["inputSchema.properties.path.enum"]
    assert fields[0].kind == "changed"  # which canonical form may put in order before


def test_true_is_not_one() -> None:
    assert not same(True, 1)
    assert same({"a": [1]}, {"a": [1.0]})
    assert [each.path for each in differences({"a": 1}, {"a": True})] == ["a"]


def test_all_of_what_never_was_is_added() -> None:
    assert {each.kind for each in differences(None, TOOL)} == {"added"}


def test_values_of_any_depth_are_compared() -> None:
    old: Any = "x"
    new: Any = "y"
    for _ in range(300):
        old, new = {"a": old}, {"a": new}
    (field,) = differences(old, new)
    assert field.kind == "changed"
    assert differences(old, old) == ()


@given(OBJECTS, OBJECTS)
def test_there_is_a_difference_exactly_when_the_values_differ(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    assert bool(differences(old, new)) == (not same(old, new))
    assert differences(old, old) == ()
