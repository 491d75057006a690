"""Arguments that header fields repeat: `x-mcp-header` in a tool's input schema.

A tool whose annotations are invalid is not offered; the others are. What a caller's fields say is
checked against the arguments and then forgotten: those towards the server are written anew.

Source: transports/streamable-http "Custom Headers from Tool Parameters", server/tools (2026-07-28).
"""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bawn.errors import HEADER_BODY, Refused
from bawn.model import Json, Mirror
from bawn.protocol import headers

PREFIX: Final = "mcp-param-"

_ANNOTATION: Final = "x-mcp-header"
_TYPES: Final = frozenset({"string", "integer", "boolean"})
_TOKEN: Final = frozenset(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~")  # RFC 9110
_LONGEST: Final = 128  # characters of a name
_DEEPEST: Final = 16  # properties on the way to an argument
_WIDEST: Final = 1024  # bits of an integer that a header field repeats

# The keywords of JSON Schema, old drafts included, under which another schema stands. What stands
# under any other (`default`, `examples`, `const`, `enum`) is data, and `$ref` is never followed.
_ONE: Final = frozenset(
    {"items", "additionalItems", "contains", "unevaluatedItems", "additionalProperties"}
    | {"propertyNames", "unevaluatedProperties", "not", "if", "then", "else", "contentSchema"}
    | {"allOf", "anyOf", "oneOf", "prefixItems"}
)
_NAMED: Final = frozenset(
    {"patternProperties", "dependentSchemas", "dependencies", "$defs", "definitions"}
)


class InvalidMirror(ValueError):
    """An annotation that obliges us not to offer its tool; the text says why."""


def mirrors_of(definition: Json) -> tuple[Mirror, ...]:
    """The arguments of a tool that header fields repeat, in the order of their names.

    Raises:
        InvalidMirror: an annotation is not one that the specification allows.
    """
    found: dict[bytes, Mirror] = {}
    for path, schema in _schemas(definition.get("inputSchema")):
        if _ANNOTATION in schema:
            mirror = _mirror(path, schema)
            if mirror.header in found:
                raise InvalidMirror(f"{_where(mirror.path)}: another argument has the same name")
            found[mirror.header] = mirror
    return tuple(found[header] for header in sorted(found))


def fields(mirrors: tuple[Mirror, ...], arguments: Json) -> tuple[tuple[bytes, bytes], ...]:
    """The header fields that repeat these arguments.

    An argument that is null, absent, an object or an array has none. One of another primitive type
    than declared has: the server is to see that field and body agree, and to judge the input itself.
    """
    made = []
    for mirror in mirrors:
        text = _text(mirror, _value(arguments, mirror.path))
        if text is not None:
            made.append((mirror.header, headers.encode(text)))
    return tuple(made)


def check(mirrors: tuple[Mirror, ...], arguments: Json, named: Mapping[bytes, bytes]) -> None:
    """Refuse a call whose header fields do not repeat its arguments.

    Fields that no annotation declares are ignored, as the specification asks.

    Raises:
        Refused: header.mismatch, naming the field.
    """
    for mirror in mirrors:
        value = _value(arguments, mirror.path)
        expected, given = _text(mirror, value), named.get(mirror.header)
        if given is None and expected is None:
            continue
        name = mirror.header.decode()
        if given is None:
            raise Refused(HEADER_BODY, f"{name} is missing")
        if expected is None:
            raise Refused(HEADER_BODY, f"{name} repeats an argument that is not there")
        text = headers.decode(given)
        if text is None:
            raise Refused(HEADER_BODY, f"{name} is malformed")
        if text != expected and not (
            mirror.type == "integer" and _whole(text) == _whole(expected) is not None
        ):
            raise Refused(HEADER_BODY, f"{name} differs from the body")


def _schemas(root: Any) -> Iterator[tuple[tuple[str, ...] | None, Json]]:
    """Every schema in a schema, with the chain of properties that leads to it, if only such do."""
    pending: list[tuple[tuple[str, ...] | None, Any]] = [((), root)]
    while pending:
        path, schema = pending.pop()
        if not isinstance(schema, dict):
            continue
        yield path, schema
        for keyword, value in schema.items():
            if keyword == "properties" and isinstance(value, dict):
                for name, inner in value.items():
                    pending.append((_longer(path, name), inner))
            elif keyword in _ONE:
                pending += [
                    (None, each) for each in (value if isinstance(value, list) else [value])
                ]
            elif keyword in _NAMED and isinstance(value, dict):
                pending += [(None, each) for each in value.values()]


def _longer(path: tuple[str, ...] | None, name: str) -> tuple[str, ...] | None:
    return None if path is None or len(path) >= _DEEPEST else (*path, name)


def _mirror(path: tuple[str, ...] | None, schema: Json) -> Mirror:
    if not path:
        raise InvalidMirror(
            f"{_ANNOTATION} where not only `properties` lead, up to {_DEEPEST} deep"
        )
    name, type_ = schema[_ANNOTATION], schema.get("type")
    if not isinstance(name, str) or not 0 < len(name) <= _LONGEST or not _TOKEN.issuperset(name):
        raise InvalidMirror(f"{_where(path)}: {_ANNOTATION} is not a name for a header field")
    if not isinstance(type_, str) or type_ not in _TYPES:
        raise InvalidMirror(
            f"{_where(path)}: {_ANNOTATION} belongs to strings, integers and booleans only"
        )
    return Mirror(f"{PREFIX}{name.lower()}".encode(), path, type_)


def _where(path: tuple[str, ...]) -> str:
    return ascii(".".join(path))[:100]


def _value(arguments: Json, path: tuple[str, ...]) -> Any:
    node: Any = arguments
    for name in path:
        if not isinstance(node, dict):
            return None
        node = node.get(name)
    return node


def _text(mirror: Mirror, value: Any) -> str | None:
    """What a field says of a value; None when it says nothing."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # 42.0 is an integer in JSON Schema, and half of the world writes it 42
        whole = mirror.type == "integer" and value.is_integer() and abs(value) < 2.0**53
        return str(int(value)) if whole else repr(value)
    if isinstance(value, int) and value.bit_length() <= _WIDEST:
        return str(value)
    return None


def _whole(text: str) -> int | None:
    """The integer that a decimal stands for, a fraction of zeros allowed."""
    whole, point, fraction = text.partition(".")
    if point and (not fraction or fraction.strip("0")):
        return None
    digits = whole.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > _WIDEST:
        return None
    return int(whole)
