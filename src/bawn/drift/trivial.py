"""Differences that say nothing new: spacing, and constraints of a schema that no word comes with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from bawn.drift.fields import Field

_TEXTS: Final = frozenset(("description", "title", "text"))
_CONSTRAINTS: Final = frozenset(
    (
        *("type", "required", "properties", "items", "minimum", "maximum", "multipleOf"),
        *("exclusiveMinimum", "exclusiveMaximum", "minLength", "maxLength", "minItems", "maxItems"),
        *("uniqueItems", "minProperties", "maxProperties", "minContains", "maxContains"),
        *("additionalProperties", "additionalItems", "unevaluatedProperties", "unevaluatedItems"),
    )
)
_TYPES: Final = frozenset(("string", "integer", "number", "boolean", "null", "array", "object"))
_SPACES: Final = " \t\r\n"


def is_cosmetic(field: Field) -> bool:
    """Whether only the spacing of a description or title differs, or the full stop at its end."""
    return (
        field.kind == "changed"
        and field.key in _TEXTS
        and field.place in ("plain", "keyword")
        and isinstance(field.old, str)
        and isinstance(field.new, str)
        and _words(field.old) == _words(field.new)
    )


def says_nothing_new(field: Field, names: frozenset[str]) -> bool:
    """Whether a difference within a schema brings in no word but these names of properties."""
    if field.place == "keyword":
        fine = field.key in _CONSTRAINTS
        return fine and (field.kind == "removed" or _is_mute(field.new, names))
    if field.kind == "removed":
        return field.place in ("name", "branch", "member")
    return (
        field.place == "member"
        and field.within in ("type", "required")
        and _is_mute(field.new, names)
    )


def property_names(schema: Any) -> frozenset[str]:
    """The names that a schema has for properties, at whatever depth."""
    return frozenset(_names(schema))


def _names(schema: Any) -> Iterator[str]:
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            named = value.get("properties")
            if isinstance(named, dict):
                yield from named
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def _is_mute(value: Any, names: frozenset[str]) -> bool:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str) and each not in _TYPES and each not in names:
            return False
        if isinstance(each, list):
            waiting += each
        elif isinstance(each, dict):
            if not (_CONSTRAINTS | names).issuperset(each):
                return False
            waiting += each.values()
    return True


def _words(text: str) -> list[str]:
    for each in _SPACES:
        text = text.replace(each, " ")
    text = text.strip(" ")
    if text.endswith(".") and text[-2:-1].isalpha():
        text = text[:-1]
    return [word for word in text.split(" ") if word]
