from __future__ import annotations

from typing import Any

import pytest

from bawn.drift.tame import CASES, MEMBERS, NODES, Measure, Untamed


def cases(schema: Any) -> int:
    return Measure(schema).cases(schema)


def wide(count: int) -> dict[str, Any]:
    return {"anyOf": [{"required": [f"p{index}"]} for index in range(count)]}


def test_alternatives_multiply() -> None:
    assert cases({"type": "object"}) == 1
    assert cases(wide(3)) == 3
    assert cases({"allOf": [wide(3), wide(4)]}) == 12
    assert cases({"properties": {"a": wide(2), "b": wide(3)}}) == 6
    assert cases({"anyOf": [{"type": "string"}, {"type": "null"}]}) == 1


def test_a_reference_counts_as_often_as_it_is_followed() -> None:
    schema = {"$defs": {"a": wide(3)}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}
    assert cases(schema) == 9


@pytest.mark.parametrize(
    "schema",
    [
        wide(CASES + 1),
        {"properties": {str(index): True for index in range(MEMBERS + 1)}},
        {"$ref": "https://example.com/schema"},
        {"$ref": "file:///etc/passwd"},
        {"$ref": "#"},
        {"$ref": "#/$defs/none"},
        {"$defs": {"a": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"$defs": {"evil": wide(CASES + 1)}},
        {"$id": "https://example.com/"},
        {"$dynamicRef": "#x"},
        {"pattern": "a" * 300},
        {"maximum": 10**40},
        {"allOf": [{"enum": list(range(200))}] * (NODES // 200 + 1)},
        {"dependentSchemas": {str(index): True for index in range(3)}},
        {"properties": "no schemas", "not": "a schema"},
    ],
)
def test_what_is_beyond_the_bounds_is_not_compared(schema: Any) -> None:
    with pytest.raises(Untamed):
        cases(schema)


def test_a_property_may_have_any_name() -> None:
    assert cases({"properties": {"$ref": {"type": "string"}, "$id": True}}) == 1
