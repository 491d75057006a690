"""Which schemas may be compared: those whose comparison is sure to be quick.

A comparison runs in native code that holds the interpreter and cannot be stopped, and multiplies out the
alternatives of a schema. So the schema is measured before: its values, its depth, its patterns, and how
many cases its alternatives make, with references followed. Beyond the bounds nothing is compared.
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

from bawn.drift.fields import NAMED, ONE, SEVERAL
from bawn.model import Json

NODES: Final = 1_500  # values, each as often as a reference leads to it
DEPTH: Final = 48
CASES: Final = 16
UNIONS: Final = 48  # alternatives by type, which make no cases, and several types at once
PATTERNS: Final = 24
MEMBERS: Final = 256  # of one object's properties, one enumeration or one list of schemas
PATTERN: Final = 256  # characters
DIGITS: Final = 32  # of a number

_WILD: Final = frozenset(("$dynamicRef", "$recursiveRef", "$id", "id", "$anchor", "$dynamicAnchor"))
_HARD: Final = frozenset(("if", "then", "else", "not", "contains", "propertyNames"))
_TYPES: Final = 7


class Untamed(Exception):
    """The schema is beyond the bounds."""


class Measure:
    """Measures one schema.

    Raises:
        Untamed: from `cases`.
    """

    def __init__(self, root: Json) -> None:
        self._root = root
        self._nodes = 0
        self._patterns = 0
        self._unions = 0
        self._open: list[str] = []

    def cases(self, schema: Any, depth: int = 0) -> int:
        """How many cases the alternatives of a schema make when they are multiplied out."""
        self._count(1)
        if isinstance(schema, bool):
            return 1
        if not isinstance(schema, dict) or depth > DEPTH or not _WILD.isdisjoint(schema):
            raise Untamed
        found = 1
        for key, value in schema.items():
            found *= self._keyword(key, value, depth + 1)
            if found > CASES:
                raise Untamed
        return found

    def _keyword(self, key: str, value: Any, depth: int) -> int:
        if key == "$ref":
            return self._reference(value, depth)
        if key in NAMED and isinstance(value, dict):
            return self._named(key, value, depth)
        if key in SEVERAL and isinstance(value, list):
            return self._several(key, value, depth)
        if key in ONE:
            return self.cases(value, depth) * (3 if key in _HARD else 1)
        if key == "pattern":
            self._pattern(value)
        if key == "type" and isinstance(value, list):
            self._union()
        self._values(value, depth)
        return 1

    def _named(self, key: str, schemas: Json, depth: int) -> int:
        self._few(schemas)
        if key in ("$defs", "definitions"):
            for schema in schemas.values():
                self.cases(schema, depth)
            return 1  # what they multiply counts where they are referred to
        if key == "patternProperties":
            for pattern in schemas:
                self._pattern(pattern)
        each = [
            self.cases(value, depth) if isinstance(value, dict | bool) else self._listed(value)
            for value in schemas.values()
        ]
        return prod(each) * (1 if key == "properties" else 3 ** len(each))

    def _several(self, key: str, schemas: list[Any], depth: int) -> int:
        self._few(schemas)
        each = [self.cases(schema, depth) for schema in schemas]
        if key in ("anyOf", "oneOf"):
            return self._union() if max(each, default=1) == 1 and _apart(schemas) else sum(each)
        return prod(each)

    def _reference(self, target: Any, depth: int) -> int:
        if target in self._open:
            raise Untamed
        self._open.append(target)
        found = self.cases(self._resolved(target), depth)
        self._open.pop()
        return found

    def _resolved(self, target: Any) -> Any:
        if not isinstance(target, str) or not target.startswith("#/") or "%" in target:
            raise Untamed
        found: Any = self._root
        for step in target[2:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")  # noqa: PLW2901
            if not isinstance(found, dict) or step not in found:
                raise Untamed
            found = found[step]
        return found

    def _union(self) -> int:
        self._unions += 1
        if self._unions > UNIONS:
            raise Untamed
        return 1

    def _pattern(self, value: Any) -> None:
        self._patterns += 1
        if self._patterns > PATTERNS or not isinstance(value, str) or len(value) > PATTERN:
            raise Untamed

    def _listed(self, value: Any) -> int:
        self._values(value, 0)
        return 1

    def _values(self, value: Any, depth: int) -> None:
        """Count a value that is no schema."""
        self._count(1)
        if depth > DEPTH:
            raise Untamed
        if isinstance(value, dict | list):
            self._few(value)
            for each in value.values() if isinstance(value, dict) else value:
                self._values(each, depth + 1)
        elif isinstance(value, int | float) and len(repr(value)) > DIGITS:
            raise Untamed

    def _few(self, several: Any) -> None:
        if len(several) > MEMBERS:
            raise Untamed

    def _count(self, nodes: int) -> None:
        self._nodes += nodes
        if self._nodes > NODES:
            raise Untamed


def _apart(schemas: list[Any]) -> bool:
    """Whether each of the schemas is for a type of its own."""
    types = [schema.get("type") if isinstance(schema, dict) else None for schema in schemas]
    named = [each for each in types if isinstance(each, str)]
    return len(types) <= _TYPES and len(named) == len(set(named)) == len(types)
