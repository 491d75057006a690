"""A schema that would take without end to hold a value against is not used; everyday ones are."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments import effort
from bawn.inspection.arguments.schema import Schema
from bawn.model import Json

NODE: Json = {"$ref": "#/$defs/n"}


def _doubling(count: int) -> Json:
    defs: Json = {
        f"d{at}": {"anyOf": [{"$ref": f"#/$defs/d{at + 1}"}, {"$ref": f"#/$defs/d{at + 1}"}]}
        for at in range(count)
    }
    return {"$defs": {**defs, f"d{count}": {"type": "string"}}, "$ref": "#/$defs/d0"}


TWICE: Json = {"allOf": [{"properties": {"a": NODE}}, {"properties": {"a": NODE}}]}


@pytest.mark.parametrize(
    "schema",
    [
        _doubling(40),
        {"$defs": {"n": TWICE}, "$ref": "#/$defs/n"},
        {"$defs": {"n": {"$ref": "#/$defs/m"}, "m": NODE}, "$ref": "#/$defs/n"},
        {"$ref": "#elsewhere"},
    ],
)
def test_what_multiplies_without_end_is_too_dear(schema: Json) -> None:
    with pytest.raises(effort.TooDear):
        effort.check(schema)
    assert Schema.of(schema).problem is not None


@pytest.mark.parametrize(
    "schema",
    [
        {"$defs": {"n": {"properties": {"left": NODE, "right": NODE}}}, "$ref": "#/$defs/n"},
        {"$defs": {"n": {"anyOf": [{"type": "string"}, {"items": NODE}]}}, "$ref": "#/$defs/n"},
        {"properties": {f"p{at}": {"anyOf": [{"const": 1}, {}]} for at in range(500)}},
        _doubling(5),
    ],
)
def test_recursive_and_large_schemas_of_everyday_are_used(schema: Json) -> None:
    assert Schema.of(schema).problem is None
