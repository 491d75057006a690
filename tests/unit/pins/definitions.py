"""Random definitions, what they mean, and ways to write the same or to change it.

`SetLike` marks by construction the arrays whose order has no meaning, so that what a definition means is
told here without any knowledge of JSON Schema.
"""

from __future__ import annotations

import copy
import random
from fractions import Fraction
from typing import Any, TypeAlias

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from bawn.model import Json

Path: TypeAlias = tuple[str | int, ...]


class SetLike(list[Any]):
    """An array whose order and repetitions mean nothing."""


NAMES = st.sampled_from(
    ["required", "type", "enum", "properties", "items", "default", "a", "b", "", "__proto__", "\0",
     "é", "\ufb33", "\U0001f600", "1", "x-list"]
)  # fmt: skip
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, 1, 2**53 - 1, 2**53, 2**53 + 1, 2**63, 2**64, 10**21, 10**30, -(10**30)]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["1", "1.0", "true", "null", "[]", str(10**30), "9007199254740992"]),
    st.text(max_size=4),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def _apart(values: list[Any]) -> SetLike:
    """Values of which none means the same as another."""
    return SetLike({repr(meaning(value)): value for value in values}.values())


_WORDS = st.lists(st.sampled_from(["a", "b", "c", "type"]), max_size=3).map(_apart)


def _in_order(schema: Json) -> Json:
    """A list of the author's own beside `enum` may tell of its values by position."""
    if any(isinstance(schema.get(own), list) for own in ("enumNames", "x-of-my-own")):
        return {key: list(each) if key == "enum" else each for key, each in schema.items()}
    return schema


def _schema(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    named = st.dictionaries(NAMES, inner, max_size=2)
    several = st.lists(inner, max_size=2)
    keywords: dict[str, st.SearchStrategy[Any]] = {
        "type": st.just("object") | _WORDS,
        "required": _WORDS,
        "enum": st.lists(DATA, max_size=3).map(_apart),
        "dependentRequired": st.dictionaries(NAMES, _WORDS, max_size=2),
        "dependencies": st.dictionaries(NAMES, _WORDS | inner, max_size=2),
        "properties": named,
        "$defs": named,
        "patternProperties": named,
        "items": inner | several,
        "prefixItems": several,
        "anyOf": several,
        "not": inner,
        "additionalProperties": inner,
        "default": DATA,
        "const": DATA,
        "examples": st.lists(DATA, max_size=2),
        "description": st.text(max_size=4),
        "x-of-my-own": DATA,
        "enumNames": st.lists(st.text(max_size=2), max_size=3),
    }
    some = st.lists(st.sampled_from(sorted(keywords)), max_size=5, unique=True)
    made = some.flatmap(
        lambda names: st.fixed_dictionaries({name: keywords[name] for name in names})
    )
    return st.booleans() | made.map(_in_order)


_SCHEMAS = _schema(_schema(_schema(st.booleans())))

TOOLS: st.SearchStrategy[Json] = st.fixed_dictionaries(
    {"name": st.text(max_size=4), "inputSchema": _SCHEMAS},
    optional={
        "title": st.text(max_size=4),
        "description": st.text(max_size=8),
        "outputSchema": _SCHEMAS,
        "annotations": st.dictionaries(NAMES, DATA, max_size=3),
        "icons": st.lists(st.dictionaries(NAMES, DATA, max_size=2), max_size=2),
        "_meta": st.dictionaries(NAMES, DATA, max_size=3),
        "execution": DATA,
    },
)


def meaning(value: Any) -> Any:
    """A value that is equal for two definitions if, and only if, they mean the same."""
    if isinstance(value, bool) or value is None:
        return str(value)
    if isinstance(value, int | float):
        return Fraction(value)
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, SetLike) and value:  # an empty array has no order, whatever it is
        return frozenset(meaning(each) for each in value)
    if isinstance(value, list):
        return tuple(meaning(each) for each in value)
    return frozenset((name, meaning(each)) for name, each in value.items())


def disguised(value: Any, chance: random.Random) -> Any:
    """The same definition as another writer may put it: orders, repetitions and forms of numbers."""
    if isinstance(value, dict):
        names = list(value)
        chance.shuffle(names)
        return {name: disguised(value[name], chance) for name in names}
    if isinstance(value, SetLike):
        several = [disguised(each, chance) for each in value]
        several += [disguised(each, chance) for each in value if chance.random() < 0.3]
        chance.shuffle(several)
        return SetLike(several)
    if isinstance(value, list):
        return [disguised(each, chance) for each in value]
    return _number(value, chance)


def _number(value: Any, chance: random.Random) -> Any:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and chance.random() < 0.5 else value
    if value == 0:
        return chance.choice([0, 0.0, -0.0])
    exact = abs(value) < 10**300 and int(float(value)) == value
    return float(value) if exact and chance.random() < 0.5 else value


def places(value: Any, at: Path = ()) -> list[Path]:
    """Where anything stands in a definition, itself at the empty path."""
    found = [at]
    if isinstance(value, dict):
        for name, each in value.items():
            found += places(each, (*at, name))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            found += places(each, (*at, index))
    return found


def at(value: Any, path: Path) -> Any:
    """What stands there."""
    for step in path:
        value = value[step]
    return value


@st.composite
def changed(draw: DrawFn, definition: Json) -> Json:
    """The definition with a single change anywhere, which may be one that means nothing."""
    made = copy.deepcopy(definition)
    path = draw(st.sampled_from(places(made)))
    there = at(made, path)
    if isinstance(there, dict):
        _change_object(draw, there)
    elif isinstance(there, list) and there:
        _change_array(draw, there)
    else:
        at(made, path[:-1])[path[-1]] = draw(SCALARS | DATA)
    return made


def _change_object(draw: DrawFn, there: Json) -> None:
    name = draw(NAMES)
    how = draw(st.sampled_from(["add", "drop", "rename"]))
    if how == "add" or not there:
        there[name] = draw(DATA)
        return
    value = there.pop(draw(st.sampled_from(sorted(there))))
    if how == "rename":
        there[name] = value


def _change_array(draw: DrawFn, there: list[Any]) -> None:
    one, other = draw(st.integers(0, len(there) - 1)), draw(st.integers(0, len(there) - 1))
    how = draw(st.sampled_from(["swap", "drop", "repeat", "replace"]))
    if how == "swap":
        there[one], there[other] = there[other], there[one]
    elif how == "drop":
        del there[one]
    elif how == "repeat":
        there.insert(one, copy.deepcopy(there[other]))
    else:
        there[one] = draw(DATA)
