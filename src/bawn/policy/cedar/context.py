"""A call as the context of Cedar's policies.

Nothing that a caller sends is dropped, so that `has` stays true, and nothing of it becomes an entity
or an extension that the caller made up: what Cedar cannot hold becomes a string, its JSON text.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from bawn.errors import MESSAGE_LIMITS, Refused
from bawn.model import Call, Item, Json, Label

_ESCAPES: Final = ("__entity", "__extn", "__expr")
_CALLS: Final = frozenset({"tools/call", "prompts/get"})
_I64: Final = range(-(2**63), 2**63)
_DEEPEST: Final = 32  # Cedar's parser of JSON gives up not far beyond
_PLACES: Final = 4  # of Cedar's decimal: an i64 of ten-thousandths
_MOST: Final = 16_384
"""Values that rules look at in one call's arguments: Cedar takes microseconds for each, on the loop."""
_NUMBER: Final = 4  # values that a number counts for, as it may become a decimal


class Shape(msgspec.Struct, frozen=True):
    """Which values a tool's input schema says are of type `number`: here, of fields, and of elements."""

    number: bool = False
    fields: Mapping[str, Shape] = {}
    elements: Shape | None = None

    @classmethod
    def of(cls, item: Item) -> Shape:
        """The shape of an item's arguments; of a prompt all are strings."""
        return cls.of_schema(item.definition.get("inputSchema"))

    @classmethod
    def of_schema(cls, schema: Any, deep: int = 0) -> Shape:
        """What a JSON Schema says by `type`, `properties` and `items`; more is not looked into."""
        if not isinstance(schema, dict) or deep >= _DEEPEST:
            return _PLAIN
        said = schema.get("type")
        number = said == "number" or (isinstance(said, list) and "number" in said)
        properties = schema.get("properties")
        fields = {}
        for name, each in properties.items() if isinstance(properties, dict) else ():
            shape = cls.of_schema(each, deep + 1)
            if shape != _PLAIN:
                fields[name] = shape
        elements = cls.of_schema(schema.get("items"), deep + 1)
        return cls(number, fields, None if elements == _PLAIN else elements)


_PLAIN: Final = Shape()


class Moment(msgspec.Struct, frozen=True, gc=False):
    """What a context is made of: the call, when, what its conversation touched, its arguments' shape.

    `looked` are the arguments that the rules at hand name one by one: no other one makes a difference.
    """

    call: Call
    now: float  # seconds since the epoch
    touched: frozenset[Label]
    shape: Shape
    looked: frozenset[str] | None = None

    @property
    def clock(self) -> datetime:
        """`now`, in UTC."""
        return datetime.fromtimestamp(self.now, UTC)


def _arguments(moment: Moment) -> Any:
    call = moment.call
    given = call.params.get("arguments", {}) if call.method in _CALLS else {}
    if moment.looked is not None and isinstance(given, dict) and not _escapes(given):
        given = {name: given[name] for name in moment.looked if name in given}
    _check_extent(given)
    return converted(given, moment.shape)


def _check_extent(given: Any) -> None:
    left, count = [given], 0
    while left:
        one = left.pop()
        count += _NUMBER if isinstance(one, int | float) else 1
        if isinstance(one, dict):
            left += one.values()
        elif isinstance(one, list):
            left += one
        if count + len(left) > _MOST:
            raise Refused(MESSAGE_LIMITS, f"policy looks at arguments of more than {_MOST} values")


_PARTS: Final[Mapping[str, Callable[[Moment], Any]]] = {
    "method": lambda moment: moment.call.method,
    "arguments": _arguments,
    "client": lambda moment: {
        "name": moment.call.client.name,
        "version": moment.call.client.version,
    },
    "agent": lambda moment: moment.call.principal.agent,
    "endpoint": lambda moment: moment.call.endpoint or "",
    "now": lambda moment: _extension("datetime", f"{moment.clock:%Y-%m-%dT%H:%M:%SZ}"),
    "hour": lambda moment: moment.clock.hour,
    "weekday": lambda moment: moment.clock.isoweekday(),
    "flow": lambda moment: {label.value: label in moment.touched for label in Label},
    "risk": lambda moment: [],
}
PARTS: Final = frozenset(_PARTS)
"""The names of what a context has."""


def context(moment: Moment, parts: frozenset[str] = PARTS) -> Json:
    """The context of a call. What is not among `parts` is left out: no policy may look at it.

    Raises:
        Refused: message.limits, when policies would have to look at too much.
    """
    return {name: made(moment) for name, made in _PARTS.items() if name in parts}


def converted(value: Any, shape: Shape = _PLAIN, deep: int = 0) -> Any:
    """One JSON value as Cedar holds it."""
    if isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        if shape.number:
            return _decimal(value)
        return value if value in _I64 else _text(value)
    if isinstance(value, float):
        return _decimal(value)
    if value is None:
        return {}
    if deep >= _DEEPEST:
        return _text(value)
    if isinstance(value, list):
        return [converted(each, shape.elements or _PLAIN, deep + 1) for each in value]
    if _escapes(value):
        return _text(value)
    fields = shape.fields
    return {
        name: converted(each, fields.get(name, _PLAIN), deep + 1) for name, each in value.items()
    }


def _escapes(value: Json) -> bool:
    return any(escape in value for escape in _ESCAPES)


def _decimal(value: float) -> Any:
    exact = Decimal(repr(value))
    scaled = exact.scaleb(_PLACES)
    if scaled != scaled.to_integral_value() or int(scaled) not in _I64:
        return _text(value)
    return _extension("decimal", f"{exact:.{_PLACES}f}")


def _extension(function: str, argument: str) -> Json:
    return {"__extn": {"fn": function, "arg": argument}}


def _text(value: Any) -> str:
    return msgspec.json.encode(value).decode()
