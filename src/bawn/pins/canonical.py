"""The canonical form of a definition: what means the same has the same bytes, anything else has others.

RFC 8785 (JSON Canonicalization Scheme), after the set-like arrays of JSON Schemas were put in order. One
thing is added: integers beyond 2^53, which RFC 8785 leaves out, are written with all their digits, so that
the form is still JSON of the same value and no two values share one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from json.encoder import encode_basestring as _quoted
from typing import Any, Final, TypeAlias

import rfc8785

from bawn.model import Json
from bawn.pins.record import Aspect

LARGEST: Final = 1 << 20
"""Bytes of one canonical form; a larger definition cannot be approved."""

DEEPEST: Final = 128
"""Levels of nesting of a definition, twice what messages may have by default."""

_SCHEMAS: Final[Mapping[Aspect, frozenset[str]]] = {
    "tool": frozenset({"inputSchema", "outputSchema"})
}
"""The members of a definition that are JSON Schemas."""

Writer: TypeAlias = Callable[[Any, int], str]
"""Writes a value that stands at this depth."""


class Uncanonical(ValueError):
    """A definition that has no canonical form: not JSON, too deep or too large. Says which."""


def canonical(aspect: Aspect, definition: Json) -> bytes:
    """The canonical form of the whole definition, members that nobody knows included.

    Raises:
        Uncanonical: it is not JSON, nested deeper than DEEPEST, or larger than LARGEST.
    """
    writers = dict.fromkeys(_SCHEMAS.get(aspect, ()), _schema)
    try:
        form = _object(definition, 0, writers, _data).encode()
    except UnicodeEncodeError:
        raise Uncanonical("it has a lone surrogate in a string") from None
    except RecursionError:
        raise Uncanonical("it is nested too deeply") from None
    if len(form) > LARGEST:
        raise Uncanonical(f"it is larger than {LARGEST} bytes")
    return form


def _data(value: Any, depth: int) -> str:
    """A value in which every order has a meaning, but that of members."""
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, dict):
        return _object(value, depth, {}, _data)
    if isinstance(value, list):
        return _array(value, depth, _data)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return _number(value)


def _object(members: Json, depth: int, writers: Mapping[str, Writer], other: Writer) -> str:
    if depth >= DEEPEST:
        raise Uncanonical(f"it is nested deeper than {DEEPEST} levels")
    written = []
    for name in sorted(members, key=_utf16):
        write = writers.get(name, other)
        written.append(f"{_quoted(name)}:{write(members[name], depth + 1)}")
    return f"{{{','.join(written)}}}"


def _array(values: list[Any], depth: int, write: Writer) -> str:
    if depth >= DEEPEST:
        raise Uncanonical(f"it is nested deeper than {DEEPEST} levels")
    return f"[{','.join([write(value, depth + 1) for value in values])}]"


def _utf16(name: object) -> bytes:
    """By what RFC 8785 §3.2.3 sorts names."""
    if not isinstance(name, str):
        raise Uncanonical("the name of a member is not a string")
    return name.encode("utf-16-be", "surrogatepass")


def _number(value: Any) -> str:
    """A number by its value: 1, 1.0 and 1e0 are one, and 0 has no sign."""
    try:
        if isinstance(value, float) and not value.is_integer():
            return rfc8785.dumps(value).decode()
        if isinstance(value, int | float):
            return str(int(value))
    except rfc8785.FloatDomainError:
        raise Uncanonical("it has a number that is not finite") from None
    except ValueError:  # CPython's limit on the digits of an integer
        raise Uncanonical("it has an integer of too many digits") from None
    raise Uncanonical(f"it has a value that is not JSON ({type(value).__name__})")


def _schema(value: Any, depth: int) -> str:
    """A JSON Schema, or a list of them. Source: JSON Schema 2020-12; draft-07 for the older keywords."""
    if isinstance(value, dict):
        ordered = "enum" in value and _is_parallel(value)
        return _object(value, depth, _ORDERED if ordered else _KEYWORDS, _data)
    if isinstance(value, list):
        return _array(value, depth, _schema)
    return _data(value, depth)


def _named(write: Writer) -> Writer:
    """For an object whose members have names of the author's choice."""

    def written(value: Any, depth: int) -> str:
        return _object(value, depth, {}, write) if isinstance(value, dict) else _data(value, depth)

    return written


def _names(value: Any, depth: int) -> str:
    """An array of strings in which neither order nor repetition has a meaning."""
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return _set(value, depth)
    return _data(value, depth)


def _set(value: Any, depth: int) -> str:
    if not isinstance(value, list):
        return _data(value, depth)
    if depth >= DEEPEST:
        raise Uncanonical(f"it is nested deeper than {DEEPEST} levels")
    return f"[{','.join(sorted({_data(each, depth + 1) for each in value}))}]"


def _names_or_schema(value: Any, depth: int) -> str:
    return _names(value, depth) if isinstance(value, list) else _schema(value, depth)


_KEYWORDS: Final[Mapping[str, Writer]] = {
    "required": _names,
    "type": _names,
    "enum": _set,
    "dependentRequired": _named(_names),
    "dependencies": _named(_names_or_schema),
    **dict.fromkeys(
        ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas"),
        _named(_schema),
    ),
    **dict.fromkeys(
        (
            "items", "prefixItems", "additionalItems", "unevaluatedItems", "contains",
            "additionalProperties", "unevaluatedProperties", "propertyNames", "contentSchema",
            "anyOf", "allOf", "oneOf", "not", "if", "then", "else",
        ),
        _schema,
    ),
}  # fmt: skip
"""How the value of a keyword is written; that of any other is data."""

_ORDERED: Final = {name: write for name, write in _KEYWORDS.items() if name != "enum"}

_STANDARD: Final = frozenset(
    {
        "enum", "required", "type", "default", "const", "examples",
        "items", "prefixItems", "anyOf", "allOf", "oneOf",
    }
)  # fmt: skip
"""Keywords whose value may be an array that tells nothing of the values of `enum`."""


def _is_parallel(schema: Json) -> bool:
    """Whether an array of the author's own stands beside `enum`, such as `enumNames`.

    It may tell of each value by position, and then the order of the values has a meaning.
    """
    return any(isinstance(each, list) and name not in _STANDARD for name, each in schema.items())
