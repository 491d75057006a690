from __future__ import annotations

import time
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it ships no types
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.drift.schemas import compared


def closed(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "additionalProperties": False}


TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (closed(a=TEXT), {**closed(a=TEXT), "description": "new words"}, "equal"),
        (closed(a=TEXT), closed(a={"type": ["string"]}), "equal"),
        (closed(a=TEXT), closed(a={**TEXT, "maxLength": 5}), "narrowed"),
        (closed(a=TEXT), {**closed(a=TEXT), "required": ["a"]}, "narrowed"),
        (closed(a={"enum": ["x", "y"]}), closed(a={"enum": ["x"]}), "narrowed"),
        (closed(a=TEXT), closed(a=TEXT, b=TEXT), "widened"),
        (closed(a=TEXT), closed(a=True), "widened"),
        (closed(a={"enum": ["x"]}), closed(a={"enum": ["y", "x"]}), "widened"),
        (closed(a=TEXT), closed(a={"type": "integer"}), "both"),
        (None, closed(a=TEXT), "narrowed"),
        (closed(a=TEXT), None, "widened"),
        (None, None, "equal"),
    ],
)
def test_what_a_change_allows_is_told(old: Any, new: Any, expected: str) -> None:
    assert compared(old, new) == expected


def _bomb(keyword: str, levels: int) -> dict[str, Any]:
    defs: dict[str, Any] = {"a0": {"anyOf": [{"required": ["u"]}, {"required": ["v"]}]}}
    for level in range(1, levels):
        one = {"$ref": f"#/$defs/a{level - 1}"}
        two = {"anyOf": [{"required": [f"u{level}"]}, {"required": [f"v{level}"]}]}
        defs[f"a{level}"] = {keyword: [one, two, one]}
    return {"$ref": f"#/$defs/a{levels - 1}", "$defs": defs}


def _deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"properties": {"x": schema}}
    return schema


def _alternatives(count: int) -> dict[str, Any]:
    each = [
        {"anyOf": [{"required": [f"p{index}{side}"]} for side in "ab"]} for index in range(count)
    ]
    return {"allOf": each}


def _conditions(count: int) -> dict[str, Any]:
    return {
        "allOf": [
            {"if": {"required": [f"a{index}"]}, "then": {"required": [f"b{index}"]}}
            for index in range(count)
        ]
    }


HOSTILE = [
    *(_bomb(keyword, 24) for keyword in ("allOf", "anyOf", "oneOf")),
    _deep(400),
    _alternatives(20),
    _conditions(10),
    {"properties": {"c": {"$ref": "#"}}},
    {"$ref": "#"},
    {"$ref": "http://127.0.0.1:9/x"},
    {"$ref": "file:///etc/passwd"},
    {"type": "string", "pattern": "(.{0,100}){0,100}"},
    {"type": "string", "pattern": "(?=a)(a+)+$"},
    {"properties": {f"p{index}": {"pattern": "(.{0,30}){0,30}"} for index in range(24)}},
    {"properties": {f"p{index}": {"type": "string"} for index in range(20_000)}},
    {"description": "x" * (1 << 20), "enum": ["y" * (1 << 20)]},
    {"dependentSchemas": {f"a{index}": _alternatives(2) for index in range(8)}},
    {"$schema": "http://127.0.0.1:9/meta", "type": "string"},
    {"type": 7},
    {"enum": ["\ud800"]},
]


@pytest.mark.parametrize("schema", HOSTILE)
def test_a_hostile_schema_proves_nothing_and_costs_little(schema: dict[str, Any]) -> None:
    began = time.process_time()
    for old, new in (
        (closed(a=TEXT), schema),
        (schema, closed(a=TEXT)),
        (schema, {"allOf": [schema]}),
    ):
        assert compared(old, new) in ("unknown", "both", "equal")
    assert time.process_time() - began < 2  # measured: 0.05 s at worst


LEAVES = st.sampled_from(
    [
        {"type": "string"},
        {"type": "string", "maxLength": 2},
        {"type": "integer", "minimum": 1},
        {"enum": ["a", 1, None]},
        {"enum": ["a"]},
        {"const": 1},
        {"type": ["string", "null"]},
        True,
        {"not": {"type": "string"}},
    ]
)
SCHEMAS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.fixed_dictionaries(
            {
                "type": st.just("object"),
                "properties": st.fixed_dictionaries({"a": inner, "b": inner}),
            },
            optional={
                "required": st.sampled_from([["a"], ["a", "b"], ["c"]]),
                "additionalProperties": st.sampled_from([False, {"type": "string"}]),
            },
        ),
        st.fixed_dictionaries({"anyOf": st.lists(inner, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"allOf": st.lists(inner, min_size=1, max_size=2)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": inner}),
    ),
    max_leaves=6,
)
VALUES = st.recursive(
    st.sampled_from(["a", "abc", 1, 0, None, True]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=150)
@given(SCHEMAS, SCHEMAS, st.lists(VALUES, min_size=20, max_size=20))
def test_no_value_contradicts_what_is_said_to_be_proved(
    old: Any, new: Any, values: list[Any]
) -> None:
    told = compared(old, new)
    before, after = map(jsonschema.Draft202012Validator, (old, new))
    for value in values:
        was, is_ = before.is_valid(value), after.is_valid(value)
        if told in ("equal", "narrowed"):
            assert was or not is_
        if told in ("equal", "widened"):
            assert is_ or not was
