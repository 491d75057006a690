"""How often a schema is applied to one value: references and combinations may multiply without end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

from bawn.model import Json

MOST: Final = 2048
"""Schemas that are applied to one value."""

_WORK: Final = 50_000
_DEEPEST: Final = 64
_SOME: Final = ("allOf", "anyOf", "oneOf")
_ONE: Final = ("not", "if", "then", "else")
_ANY: Final = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_ITEMS: Final = ("items", "additionalItems", "unevaluatedItems", "contains")

_Times: TypeAlias = Counter[int]


class TooDear(ValueError):
    """To hold values against the schema may take too long."""


def check(schema: Json) -> None:
    """See to it that no value is held against more than 2,048 schemas, at any depth.

    Raises:
        TooDear: it may be, or that cannot be told.
    """
    _Effort(schema).check()


class _Effort:
    """One look at one schema: places of values are sets of schemas that are applied there, and how often."""

    def __init__(self, root: Json) -> None:
        self._root = root
        self._known: dict[int, Json] = {}
        self._closures: dict[int, _Times | None] = {}
        self._left = _WORK

    def check(self) -> None:
        """Go through all places that differ."""
        waiting = [(Counter({self._id(self._root): 1}), 0)]
        seen: set[frozenset[tuple[int, int]]] = set()
        while waiting:
            times, depth = waiting.pop()
            key = frozenset(times.items())
            if key in seen or depth > _DEEPEST:
                continue
            seen.add(key)
            waiting += [(below, depth + 1) for below in self._below(self._all(times))]

    def _all(self, times: Mapping[int, int]) -> _Times:
        whole: _Times = Counter()
        for each, count in times.items():
            for inner, often in self._closure(each).items():
                whole[inner] += count * often
        self._spend(len(whole))
        if whole.total() > MOST:
            raise TooDear(f"it applies more than {MOST} schemas to one value")
        return whole

    def _closure(self, id_: int) -> _Times:
        """A schema and those that are applied to the same value by it, and how often."""
        if id_ in self._closures:
            known = self._closures[id_]
            if known is None:
                raise TooDear("it refers to itself without end")
            return known
        self._closures[id_] = None
        whole: _Times = Counter({id_: 1})
        for inner in self._beside(self._known[id_]):
            for each, often in self._closure(self._id(inner)).items():
                whole[each] += often
            self._spend(len(whole))
            if whole.total() > MOST:
                raise TooDear(f"it applies more than {MOST} schemas to one value")
        self._closures[id_] = whole
        return whole

    def _beside(self, schema: Json) -> Iterator[Json]:
        for key in _SOME:
            parts = schema.get(key)
            yield from (each for each in _listed(parts) if isinstance(each, dict))
        yield from (each for key in _ONE if isinstance(each := schema.get(key), dict))
        for key in ("dependentSchemas", "dependencies"):
            yield from (each for each in _values(schema.get(key)) if isinstance(each, dict))
        for key in ("$ref", "$dynamicRef", "$recursiveRef"):
            if isinstance(reference := schema.get(key), str):
                yield self._referred(reference)

    def _referred(self, reference: str) -> Json:
        target: Any = self._root
        if reference != "#" and not reference.startswith("#/"):
            raise TooDear("it refers to what is not in it by a pointer")
        steps = reference[2:].split("/") if len(reference) > 1 else []
        for part in (step.replace("~1", "/").replace("~0", "~") for step in steps):
            if isinstance(target, list):
                target = target[int(part)] if part.isdecimal() and int(part) < len(target) else {}
            else:
                target = target.get(part) if isinstance(target, dict) else {}
        return target if isinstance(target, dict) else {}

    def _below(self, whole: _Times) -> Iterator[_Times]:
        """What is applied to each member and item."""
        named: dict[str, _Times] = {}
        others: _Times = Counter()
        items: _Times = Counter()
        for id_, often in whole.items():
            schema = self._known[id_]
            properties = schema.get("properties")
            for name, inner in properties.items() if isinstance(properties, dict) else ():
                if isinstance(inner, dict):
                    named.setdefault(name, Counter())[self._id(inner)] += often
            several = [*_values(schema.get("patternProperties")), *map(schema.get, _ANY)]
            others.update({self._id(each): often for each in several if isinstance(each, dict)})
            listed = [*_listed(schema.get("prefixItems")), *_listed(schema.get("items"))]
            several = [*listed, *map(schema.get, _ITEMS)]
            items.update({self._id(each): often for each in several if isinstance(each, dict)})
        for times in (*named.values(), Counter[int]()):
            self._spend(1 + len(others))
            times.update(others)
            yield times
        yield items

    def _id(self, schema: Json) -> int:
        self._known[id(schema)] = schema
        return id(schema)

    def _spend(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            raise TooDear("it is too large to tell how long it takes")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []
