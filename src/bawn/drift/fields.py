"""How two definitions differ, field by field.

What canonical form ignores is no difference: the order of keys, the form of numbers, and the order of
`required` and `type` in a schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal, TypeAlias

import msgspec

from bawn.model import Json

Place: TypeAlias = Literal["plain", "keyword", "name", "branch", "member"]
"""What a field is: a `keyword` of a schema, a `name` that a schema gives (of a property, say), one of
several schemas (`branch`), one of a list's values (`member`), or none of these.
"""

DEEPEST: Final = 64
"""Steps of a path; what differs further inside is a change of the value there."""

SCHEMAS: Final = ("inputSchema", "outputSchema")

ONE: Final = frozenset(
    (
        *("items", "additionalItems", "unevaluatedItems", "contains"),
        *("additionalProperties", "unevaluatedProperties", "propertyNames"),
        *("not", "if", "then", "else", "contentSchema"),
    )
)
NAMED: Final = frozenset(
    ("properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies")
)
SEVERAL: Final = frozenset(("allOf", "anyOf", "oneOf", "prefixItems", "items"))
_SETS: Final = frozenset(("required", "type"))
_LISTED: Final = _SETS | {"enum"}
_PLAIN_KEY: Final = re.compile(r"[A-Za-z0-9_$-]{1,64}", re.ASCII)

_Inside: TypeAlias = Literal["plain", "schema", "names", "branches"]


class Field(msgspec.Struct, frozen=True):
    """One difference. `path` is readable: `inputSchema.properties.path.description`, `icons[0].src`.

    `old` is None for what was added, `new` for what was removed; the values are whole.
    """

    path: str
    kind: Literal["added", "removed", "changed"]
    old: Any
    new: Any
    key: str  # the last step of the path
    place: Place = "plain"
    within: str = ""  # the keyword whose name, branch or member it is


def differences(old: Json | None, new: Json) -> tuple[Field, ...]:
    """Every difference, in the order of the paths; all of it is added where there was nothing."""
    return tuple(_objects(old or {}, new, "", "plain", ""))


def same(old: Any, new: Any) -> bool:
    """Equal in value: 1 and 1.0 are, 1 and true are not. For values of any depth."""
    pairs = [(old, new)]
    while pairs:
        one, other = pairs.pop()
        if isinstance(one, dict) and isinstance(other, dict):
            if one.keys() != other.keys():
                return False
            pairs += [(one[key], other[key]) for key in one]
        elif isinstance(one, list) and isinstance(other, list):
            if len(one) != len(other):
                return False
            pairs += zip(one, other, strict=True)
        elif isinstance(one, bool) != isinstance(other, bool) or one != other:
            return False
    return True


def _objects(
    old: Mapping[str, Any], new: Mapping[str, Any], at: str, inside: _Inside, within: str
) -> Iterator[Field]:
    place: Place = {"schema": "keyword", "names": "name"}.get(inside, "plain")  # type: ignore[assignment]  # a narrower str
    for key in sorted(old.keys() | new.keys()):
        path = _path(at, key)
        if key not in old:
            yield Field(path, "added", None, new[key], key, place, within)
        elif key not in new:
            yield Field(path, "removed", old[key], None, key, place, within)
        else:
            yield from _values(old[key], new[key], path, key, place, within, inside)


def _values(
    old: Any, new: Any, path: str, key: str, place: Place, within: str, parent: _Inside
) -> Iterator[Field]:
    inside = _inside(parent, key, path, new)
    if path.count(".") > DEEPEST:
        if not same(old, new):
            yield Field(path, "changed", old, new, key, place, within)
    elif isinstance(old, dict) and isinstance(new, dict):
        yield from _objects(old, new, path, inside, key if inside == "names" else "")
    elif isinstance(old, list) and isinstance(new, list):
        if parent == "schema" and key in _LISTED:
            yield from _members(old, new, path, key)
        else:
            yield from _arrays(old, new, path, key, inside)
    elif parent == "schema" and key == "type" and _same_types(old, new):
        return
    elif not same(old, new):
        yield Field(path, "changed", old, new, key, place, within)


def _arrays(old: list[Any], new: list[Any], at: str, key: str, inside: _Inside) -> Iterator[Field]:
    place: Place = "branch" if inside == "branches" else "plain"
    item: _Inside = "schema" if inside == "branches" else "plain"
    for index in range(max(len(old), len(new))):
        path = f"{at}[{index}]"
        if index >= len(old):
            yield Field(path, "added", None, new[index], str(index), place, key)
        elif index >= len(new):
            yield Field(path, "removed", old[index], None, str(index), place, key)
        elif isinstance(old[index], dict) and isinstance(new[index], dict):
            yield from _objects(old[index], new[index], path, item, "")
        elif isinstance(old[index], list) and isinstance(new[index], list):
            yield from _arrays(old[index], new[index], path, key, "plain")
        elif not same(old[index], new[index]):
            yield Field(path, "changed", old[index], new[index], str(index), place, key)


def _members(old: list[Any], new: list[Any], path: str, key: str) -> Iterator[Field]:
    """Differences of a list whose values count, wherever they stand; `enum` has an order, too."""
    before, after = _by_form(old), _by_form(new)
    found = False
    for form in sorted(before.keys() | after.keys()):
        if form not in before:
            found = True
            yield Field(path, "added", None, after[form], key, "member", key)
        elif form not in after:
            found = True
            yield Field(path, "removed", before[form], None, key, "member", key)
    if not found and key not in _SETS and not same(old, new):
        yield Field(path, "changed", old, new, key, "keyword")


def _by_form(values: list[Any]) -> dict[str, Any]:
    return {_form(value): value for value in values}


def _form(value: Any) -> str:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return json.dumps(value, sort_keys=True)


def _same_types(old: Any, new: Any) -> bool:
    """A type by itself is the list of it alone."""
    return (old == [new]) if isinstance(old, list) else (new == [old])


def _inside(parent: _Inside, key: str, path: str, value: Any) -> _Inside:
    """What the value of this key holds."""
    if parent == "names":
        return "schema"
    if parent == "plain":
        return "schema" if path in SCHEMAS else "plain"
    if key in NAMED:
        return "names"
    if key in SEVERAL and isinstance(value, list):
        return "branches"
    return "schema" if key in ONE else "plain"


def _path(at: str, key: str) -> str:
    step = key if _PLAIN_KEY.fullmatch(key) else f"[{json.dumps(key)}]"
    return f"{at}{'.' if at and not step.startswith('[') else ''}{step}"
