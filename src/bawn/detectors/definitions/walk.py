"""Every string of a definition, with its place and what is expected there."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from typing import Any, Final

import msgspec

from bawn.model import Json

NODES: Final = 50_000
"""Nodes of one definition that are looked at; an honest one has a few hundred."""


class Role(StrEnum):
    """What is expected where a text stands."""

    PROSE = "prose"
    NAME = "name"
    VALUE = "value"
    TITLE = "title"
    CALLED = "called"
    """The name of the definition itself."""


class Text(msgspec.Struct, frozen=True):
    """One string. `kind` says where it stands, for people; `role` is what is expected there.

    `place` is an RFC 6901 pointer; that of a key is the pointer of its value.
    """

    place: str
    kind: str
    role: Role
    text: str


_SCHEMAS: Final = frozenset(("inputSchema", "outputSchema"))
_NAMED: Final = frozenset(
    ("properties", "patternProperties", "$defs", "definitions", "dependentRequired",
     "dependentSchemas")
)  # fmt: skip
"""Keywords whose keys are names somebody chose (JSON Schema 2020-12)."""

_DEFINED: Final = frozenset(("$defs", "definitions"))
_VALUES: Final = {
    "default": "default", "const": "enum", "enum": "enum", "examples": "examples",
    "example": "examples", "enumNames": "enum", "required": "required",
}  # fmt: skip
_PROSE: Final = frozenset(
    ("description", "text", "instructions", "$comment", "comment", "content", "deprecationMessage",
     "errorMessage", "markdownDescription", "summary", "note", "help", "hint")
)  # fmt: skip
_TITLES: Final = frozenset(("title", "label", "displayName"))
_TECHNICAL: Final = frozenset(
    ("type", "format", "$ref", "$schema", "$id", "$anchor", "$dynamicRef", "$dynamicAnchor",
     "contentEncoding", "contentMediaType", "mimeType", "uri", "uriTemplate", "src", "href",
     "pattern", "sizes", "theme", "additionalProperties", "items", "anyOf", "oneOf", "allOf", "not",
     "arguments", "icons", "execution", "if", "then", "else", "prefixItems", "contains",
     "propertyNames", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems",
     "uniqueItems", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "nullable", "readOnly",
     "writeOnly", "deprecated", "unevaluatedProperties", "minProperties", "maxProperties",
     "annotations", "_meta", "name", "readOnlyHint", "destructiveHint", "idempotentHint",
     "openWorldHint", "taskSupport", "additionalItems", "discriminator", "propertyName")
)  # fmt: skip
_TYPES: Final = frozenset(("string", "number", "integer", "boolean", "array", "object", "null"))
_USUAL: Final = (
    _SCHEMAS | _NAMED | _PROSE | _TITLES | _TECHNICAL | _DEFINED | frozenset(_VALUES)
)  # keys that say nothing by themselves


class _Node(msgspec.Struct, frozen=True):
    """A value that waits: `area` is the part of the definition, `within` what its key means."""

    place: str
    key: str
    value: Any
    area: str
    within: str
    inside: bool  # a schema's part, and not the definition's own fields


def walk(definition: Json, aspect: str = "tool") -> Iterator[Text]:
    """The strings of a definition in the order in which they stand, keys before their values."""
    area = "instructions" if aspect == "instructions" else "top"
    waiting = [_Node("", "", definition, area, "", inside=False)]
    for _ in range(NODES):
        if not waiting:
            return
        node = waiting.pop()
        if isinstance(node.value, str):
            if not _says_nothing(node):
                yield _text(node)
        elif isinstance(node.value, dict):
            for key in node.value:
                named = _named(node, str(key))
                if named is not None:
                    yield named
            waiting += reversed([_below(node, str(key), each) for key, each in node.value.items()])
        elif isinstance(node.value, list):
            waiting += reversed(
                [
                    msgspec.structs.replace(node, place=f"{node.place}/{index}", value=each)
                    for index, each in enumerate(node.value)
                ]
            )


def _says_nothing(node: _Node) -> bool:
    """What a schema has for programs alone, unless it has words."""
    if node.value in _TYPES:
        return True
    return node.inside and node.key in _TECHNICAL and node.key != "name" and " " not in node.value


def _below(node: _Node, key: str, value: Any) -> _Node:
    place = f"{node.place}/{key.replace('~', '~0').replace('/', '~1')}"
    if node.within == "value":
        return msgspec.structs.replace(node, place=place, value=value)
    if node.within == "names":  # the key is a name, and its value a schema
        return _Node(place, "", value, node.area, "property", inside=True)
    area = _area(node, key)
    inside = node.inside or key in _SCHEMAS
    within = "names" if key in _NAMED else _VALUES.get(key, "")
    if within in {"default", "enum", "examples"}:
        return _Node(place, within, value, area, "value", inside=inside)
    return _Node(place, key, value, area, within, inside=inside)


def _area(node: _Node, key: str) -> str:
    if key in _DEFINED:
        return "defs"
    if not node.inside and key in {"outputSchema", "annotations", "_meta"}:
        return {"outputSchema": "output_schema", "annotations": "annotations", "_meta": "meta"}[key]
    if not node.inside and key in {"inputSchema", "arguments"}:
        return "param"
    return node.area


def _named(node: _Node, key: str) -> Text | None:
    """A key as a text, if somebody chose it."""
    if node.within != "names" and key in _USUAL:
        return None
    place = f"{node.place}/{key.replace('~', '~0').replace('/', '~1')}"
    kind = "param_name" if node.area == "param" and node.within == "names" else ""
    return Text(place, kind or _kind(node.area, "key"), Role.NAME, key)


def _text(node: _Node) -> Text:
    if node.within == "value":
        return Text(node.place, _kind(node.area, node.key, own=True), Role.VALUE, node.value)
    if node.key in _PROSE:
        return Text(node.place, _kind(node.area, "description"), Role.PROSE, node.value)
    if node.key in _TITLES:
        return Text(node.place, _kind(node.area, "title"), Role.TITLE, node.value)
    if node.place == "/name":
        return Text(node.place, "name", Role.CALLED, node.value)
    if node.key in {"name", "required"}:
        return Text(node.place, _kind(node.area, "name"), Role.NAME, node.value)
    return Text(node.place, _kind(node.area, "value"), Role.VALUE, node.value)


def _kind(area: str, what: str, *, own: bool = False) -> str:
    """The field kind that is told: of what is nested, where it is nested."""
    if area in {"output_schema", "defs", "annotations", "meta", "instructions"}:
        return area
    if area == "param" and not own:
        return {"description": "param_description", "title": "title"}.get(what, f"param_{what}")
    return what
