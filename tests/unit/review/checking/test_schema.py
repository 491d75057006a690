"""JSON Schemas of tools become types that Cedar checks policies by."""

from __future__ import annotations

from typing import Any

import cedarpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Json
from bawn.policy.files import schema as static
from bawn.review.checking import schema

UNTYPED = static.untyped()


def typed(given: Any) -> Json:
    record = schema.of_tool({"inputSchema": {"properties": {"a": given}, "required": ["a"]}})
    found = dict(record["attributes"]["a"])
    assert found.pop("required")
    return found


@pytest.mark.parametrize(
    ("given", "type_"),
    [
        ({"type": "string"}, static.TEXT),
        ({"type": "string", "anyOf": [{"minLength": 1}]}, static.TEXT),
        ({"type": "boolean"}, static.BOOL),
        ({"type": "integer"}, static.LONG),
        ({"type": "number"}, static.DECIMAL),
        ({"enum": ["a", "b"]}, static.TEXT),
        ({"const": "a"}, static.TEXT),
        ({"enum": ["a", 1]}, UNTYPED),
        ({"enum": []}, UNTYPED),
        ({"type": "array", "items": {"type": "integer"}}, static.set_of(static.LONG)),
        ({"type": "array"}, static.set_of(UNTYPED)),
        ({"type": "object", "properties": {"x": {"type": "string"}}}, static.record({"x": static.TEXT}, frozenset())),
        ({"type": "object"}, UNTYPED),
        ({"type": ["string", "null"]}, UNTYPED),
        ({"anyOf": [{"type": "string"}]}, UNTYPED),
        ({"$ref": "#/x"}, UNTYPED),
        ({"type": "null"}, UNTYPED),
        ({}, UNTYPED),
        (True, UNTYPED),
        (None, UNTYPED),
    ],
)  # fmt: skip
def test_a_schema_has_the_type_that_calls_have(given: Any, type_: Json) -> None:
    assert typed(given) == type_


def test_what_is_not_required_is_optional() -> None:
    record = schema.of_tool({"inputSchema": {"properties": {"a": {}}, "required": "a"}})
    assert not record["attributes"]["a"]["required"]


def test_arguments_of_several_prompts_are_of_one_record() -> None:
    one = schema.of_prompt({"arguments": [{"name": "a", "required": True}, {"name": "b"}, "x", {}]})
    two = static.record({"a": static.LONG, "c": static.TEXT})
    assert set(one["attributes"]) == {"a", "b"}
    assert schema.together([one, two]) == static.record(
        {"a": UNTYPED, "b": static.TEXT, "c": static.TEXT}, frozenset()
    )


def test_a_path_leads_to_the_type_of_a_field() -> None:
    inner = static.record({"x": static.TEXT}, frozenset())
    record = static.record({"a": inner}, frozenset())
    assert schema.field(record, ("a", "x")) == {**static.TEXT, "required": False}
    assert schema.field(record, ("a", "y")) is None
    assert schema.field(record, ("a", "x", "y")) is None


HOSTILE = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(("string", "object", "array")),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "type",
                    "properties",
                    "items",
                    "required",
                    "enum",
                    "const",
                    "inputSchema",
                    "arguments",
                    "name",
                )
            )
            | st.text(max_size=8),
            inner,
            max_size=4,
        )
    ),
)


@given(st.dictionaries(st.sampled_from(("inputSchema", "arguments")), HOSTILE))
def test_whatever_a_server_declares_the_schema_is_one_that_cedar_takes(definition: Json) -> None:
    types = static.of({"call a/b": schema.of_tool(definition)}, schema.of_prompt(definition))
    assert cedarpy.validate_policies("permit (principal, action, resource);", types).errors == []


def test_schemas_without_end_are_cut_off() -> None:
    deep: Json = {"type": "string"}
    for _ in range(3000):
        deep = {"type": "object", "properties": {"a": deep}}
    types = static.of({"call a/b": schema.of_tool({"inputSchema": deep})})
    assert cedarpy.validate_policies("", types).errors == []
