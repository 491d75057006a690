"""A View as bytes, and back: how it goes from the process that compiles to those that serve."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from bawn.errors import GATE_NOT_READY, Refused
from bawn.model import Endpoint, Item, Json, Kind, Mirror, View


class _Item(msgspec.Struct, array_like=True):
    kind: Kind
    server: str
    name: str
    shown: str
    definition: Json
    mirrors: tuple[Mirror, ...]
    withheld: str


class _Endpoint(msgspec.Struct, array_like=True):
    server: str | None
    items: dict[Kind, dict[str, int]]
    claimed: list[str]
    capabilities: Json
    instructions: dict[str, str]
    ttl_ms: int
    changes: dict[str, str]
    named: dict[str, str]
    extensions: dict[str, str]
    resources: str | None
    withheld: dict[Kind, dict[str, int]]


class _View(msgspec.Struct, array_like=True):
    version: str
    items: list[_Item]
    endpoints: list[_Endpoint]
    aggregates: dict[str, _Endpoint]
    mark: str


# JSON, as definitions are: other codecs have no room for integers beyond 64 bits, and one would stop all
_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(_View).decode


def dump(view: View, mark: str = "") -> bytes:
    """The View as bytes; each item stands there once, however many endpoints have it.

    By its `mark` one file is told from an earlier one of the same View, which may be on its way out.
    """
    numbers: dict[int, int] = {}
    items: list[_Item] = []

    def number(item: Item) -> int:
        if id(item) not in numbers:
            numbers[id(item)] = len(items)
            fields = (item.kind, item.server, item.name, item.shown, item.definition)
            items.append(_Item(*fields, item.mirrors, item.withheld))
        return numbers[id(item)]

    def numbered(by_kind: Mapping[Kind, Mapping[str, Item]]) -> dict[Kind, dict[str, int]]:
        return {kind: {n: number(i) for n, i in named.items()} for kind, named in by_kind.items()}

    def raw(each: Endpoint) -> _Endpoint:
        return _Endpoint(
            each.server,
            numbered(each.items),
            sorted(each.claimed),
            each.capabilities,
            dict(each.instructions),
            each.ttl_ms,
            dict(each.changes),
            dict(each.named),
            dict(each.extensions),
            each.resources,
            numbered(each.withheld),
        )

    endpoints = [raw(each) for each in view.endpoints.values()]
    aggregates = {tenant: raw(each) for tenant, each in view.aggregates.items()}
    return _encode(_View(view.version, items, endpoints, aggregates, mark))


def load(content: bytes) -> View:
    """The View of these bytes.

    Raises:
        Refused: gate.not_ready, when they are none.
    """
    try:
        raw = _decode(content)
        items = [
            Item(i.kind, i.server, i.name, i.shown, i.definition, i.mirrors, i.withheld)
            for i in raw.items
        ]
        endpoints = {each.server: _endpoint(each, items) for each in raw.endpoints}
        aggregates = {tenant: _endpoint(each, items) for tenant, each in raw.aggregates.items()}
    except (msgspec.MsgspecError, IndexError, UnicodeError) as error:
        raise Refused(GATE_NOT_READY, detail=f"the view cannot be read: {error}") from None
    return View(raw.version, endpoints, aggregates)


def _endpoint(raw: _Endpoint, items: list[Item]) -> Endpoint:
    def named(numbers: dict[Kind, dict[str, int]]) -> Mapping[Kind, Any]:
        return {kind: {name: items[at] for name, at in by.items()} for kind, by in numbers.items()}

    return Endpoint(
        raw.server,
        named(raw.items),
        frozenset(raw.claimed),
        raw.capabilities,
        raw.instructions,
        raw.ttl_ms,
        raw.changes,
        raw.named,
        raw.extensions,
        raw.resources,
        named(raw.withheld),
    )
