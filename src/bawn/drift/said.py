"""The texts of a definition: everything in it that a model may read, names and values too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

import msgspec

_SENTENCES: Final = frozenset(("description", "text", "$comment", "content", "instructions"))
"""Where sentences are expected."""

_USUAL: Final = frozenset(
    (
        *("name", "title", "description", "inputSchema", "outputSchema", "annotations", "_meta"),
        *("icons", "src", "mimeType", "sizes", "theme", "arguments", "uriTemplate", "required"),
        *(
            "readOnlyHint",
            "destructiveHint",
            "idempotentHint",
            "openWorldHint",
            "text",
            "execution",
        ),
        *(
            "type",
            "properties",
            "items",
            "enum",
            "const",
            "default",
            "examples",
            "format",
            "pattern",
        ),
        *("$schema", "$id", "$ref", "$defs", "definitions", "anyOf", "oneOf", "allOf", "not"),
        *("additionalProperties", "minimum", "maximum", "minLength", "maxLength", "minItems"),
        *("maxItems", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("command", "cwd", "env", "package"),
    )
)
"""Keys that say nothing by themselves."""

_SEAM: Final = re.compile(r"[_-]+|(?<=[a-z0-9])(?=[A-Z])")


class Said(msgspec.Struct, frozen=True):
    """One text. `free` where sentences are expected, and not a name, a value or a heading."""

    text: str
    free: bool


def said(value: Any, key: str, *, named: bool = False) -> Iterator[Said]:
    """The texts of the value of a key; `named` when the key itself is one, as a property's name is."""
    if named or key not in _USUAL:
        yield _name(key)
    waiting = [(key, value)]
    while waiting:
        key, value = waiting.pop()
        if isinstance(value, str):
            yield Said(value, free=key in _SENTENCES)
        elif isinstance(value, dict):
            yield from (_name(each) for each in value if each not in _USUAL)
            waiting += reversed(value.items())
        elif isinstance(value, list):
            waiting += [(key, each) for each in reversed(value)]


def _name(key: str) -> Said:
    return Said(_SEAM.sub(" ", key), free=False)
