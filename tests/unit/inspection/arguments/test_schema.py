"""Arguments are held against the approved schema, and what is said of that never repeats them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.arguments.schema import Schema

OBJECT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "n": {"type": "integer", "minimum": 3},
        "mode": {"enum": ["r", "w"]},
        "tags": {"type": "array", "items": {"type": "string", "maxLength": 4}},
    },
    "required": ["n"],
    "additionalProperties": False,
}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({}, "the arguments: expected property 'n'"),
        ({"n": "x"}, "/n: expected type integer"),
        ({"n": 1}, "/n: expected minimum 3"),
        ({"n": 3, "mode": "secret-value"}, "/mode: expected one of ['r', 'w']"),
        ({"n": 3, "tags": ["ok", "secret-value"]}, "/tags/1: expected maxLength 4"),
        (
            {"n": 3, "other": 1},
            "the arguments: expected no properties that the schema does not name",
        ),
        ([], "the arguments: expected type object"),
    ],
)
def test_what_is_wrong_is_told_by_place_and_expectation(arguments: Any, said: str) -> None:
    problem = Schema.of(OBJECT).invalid(arguments)
    assert problem == said
    assert "secret-value" not in problem


def test_valid_arguments_pass() -> None:
    assert Schema.of(OBJECT).invalid({"n": 7, "mode": "r", "tags": ["a"]}) is None


@pytest.mark.parametrize("schema", [None, True, {}])
def test_without_a_schema_everything_is_valid(schema: Any) -> None:
    assert Schema.of(schema).invalid({"a": 1}) is None


def test_the_draft_is_what_the_schema_says() -> None:
    seven = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "properties": {"a": {"items": [{"type": "string"}]}},
    }
    assert Schema.of(seven).invalid({"a": [1]}) is not None
    later = {"properties": {"a": {"prefixItems": [{"type": "string"}]}}}
    assert Schema.of(later).invalid({"a": [1]}) is not None
    assert (
        Schema.of({**later, "$schema": "http://json-schema.org/draft-07/schema#"}).invalid(
            {"a": [1]}
        )
        is None
    )


def test_formats_are_annotations() -> None:
    assert (
        Schema.of({"properties": {"a": {"type": "string", "format": "email"}}}).invalid({"a": "no"})
        is None
    )


def test_patterns_that_need_backtracking_are_dropped_and_named() -> None:
    schema = Schema.of({"properties": {"a": {"pattern": "^(?=x)y"}, "b": {"pattern": "^z$"}}})
    assert schema.problem is None
    assert schema.dropped == ("^(?=x)y",)
    assert schema.invalid({"a": "anything"}) is None
    assert schema.invalid({"b": "y"}) is not None


def test_a_property_called_pattern_is_none() -> None:
    schema = Schema.of({"properties": {"pattern": {"type": "string"}}, "required": ["pattern"]})
    assert schema.dropped == ()
    assert schema.invalid({}) is not None


def test_dropped_pattern_properties_do_not_make_properties_unknown() -> None:
    schema = Schema.of(
        {"patternProperties": {"^(?!a)": {"type": "string"}}, "additionalProperties": False}
    )
    assert schema.dropped == ("^(?!a)",)
    assert schema.invalid({"b": "x"}) is None


@pytest.mark.parametrize(
    "schema",
    [
        {"type": 7},
        {"properties": {"a": {"$ref": "https://schemas.example.com/a.json"}}},
        {"$ref": "#/nowhere"},
        "object",
    ],
)
def test_a_schema_that_cannot_be_compiled_is_a_problem_and_holds_nothing(schema: Any) -> None:
    compiled = Schema.of(schema)
    assert compiled.problem is not None
    assert len(compiled.problem) <= 200
    assert compiled.invalid({"a": object}) is None


def test_a_schema_that_is_nested_without_end_is_a_problem() -> None:
    schema: dict[str, Any] = {}
    for _ in range(500):
        schema = {"properties": {"a": schema}}
    assert Schema.of(schema).problem is not None


def test_catastrophic_patterns_take_no_time() -> None:
    schema = Schema.of({"properties": {"a": {"pattern": "^(a+)+$"}}})
    assert schema.invalid({"a": "a" * 5000 + "!"}) is not None


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    )
)
def test_whatever_comes_is_valid_or_told_in_bounds(arguments: Any) -> None:
    problem = Schema.of(OBJECT).invalid(arguments)
    assert problem is None or len(problem) <= 200


def test_null_for_what_is_optional_counts_as_left_out_and_for_what_is_required_does_not() -> None:
    schema = Schema.of(OBJECT)

    assert schema.invalid({"n": 7, "mode": None}) is None
    assert schema.invalid({"n": None}) is not None
    assert schema.invalid({"n": 7, "mode": None, "tags": 3}) is not None
