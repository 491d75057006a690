"""What servers said, and the configuration, become one View."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from bawn.config import Config
from bawn.model import Endpoint, Item, Json, Kind, Listing, View
from bawn.protocol import names, outbound
from bawn.protocol.strict import encode

_CAPABILITY: Final[Mapping[Kind, str]] = {
    Kind.TOOL: "tools",
    Kind.PROMPT: "prompts",
    Kind.RESOURCE: "resources",
    Kind.TEMPLATE: "resources",
}
_PREFIXED: Final = (Kind.TOOL, Kind.PROMPT)


def compile_view(config: Config, listings: Sequence[Listing], *, complete: bool) -> View:
    """The View of these listings, the last good one of a server that fails now among them.

    Unless `complete`, nobody may keep the aggregate's lists: their ttl is 0.
    """
    ordered = sorted(listings, key=lambda listing: listing.server)
    shown = _shown(config, ordered)
    own = {listing.server: _items(listing, shown) for listing in ordered}
    endpoints: dict[str | None, Endpoint] = {None: _aggregate(ordered, own, complete=complete)}
    for listing in ordered:
        endpoints[listing.server] = _single(listing, own[listing.server])
    return View(_version(endpoints), endpoints)


def _shown(config: Config, listings: Sequence[Listing]) -> dict[tuple[Kind, str, str], str]:
    prefixes = {name: config.prefix_of(name) for name in config.servers}
    chosen: dict[tuple[Kind, str, str], str] = {}
    for kind in _PREFIXED:
        pairs = [
            (listing.server, name)
            for listing in listings
            for definition in listing.definitions[kind]
            if (name := outbound.identifier(kind, definition)) is not None
        ]
        for (server, name), text in names.assign(pairs, prefixes).items():
            chosen[kind, server, name] = text
    return chosen


def _items(listing: Listing, shown: Mapping[tuple[Kind, str, str], str]) -> list[Item]:
    """The items of one server; of two with one name the first counts, as no client could tell them apart."""
    found: dict[tuple[Kind, str], Item] = {}
    for kind, definitions in listing.definitions.items():
        for definition in definitions:
            name = outbound.identifier(kind, definition)
            if name is not None and (kind, name) not in found:
                alias = shown.get((kind, listing.server, name), name)
                found[kind, name] = Item(kind, listing.server, name, alias, definition)
    return list(found.values())


def _single(listing: Listing, items: Sequence[Item]) -> Endpoint:
    served: dict[Kind, dict[str, Item]] = {kind: {} for kind in Kind}
    for item in sorted(items, key=lambda item: item.name):
        served[item.kind][item.name] = item
    capabilities: Json = {
        name: {} for name in ("tools", "prompts", "resources") if name in listing.capabilities
    }
    return Endpoint(
        listing.server, served, frozenset(), capabilities, _instructions([listing]), listing.ttl_ms
    )


def _aggregate(
    listings: Sequence[Listing], own: Mapping[str, Sequence[Item]], *, complete: bool
) -> Endpoint:
    offered: dict[Kind, dict[str, list[Item]]] = {kind: defaultdict(list) for kind in Kind}
    for listing in listings:
        for item in own[listing.server]:
            offered[item.kind][item.shown].append(item)
    served = {
        kind: {name: items[0] for name, items in sorted(by_name.items()) if len(items) == 1}
        for kind, by_name in offered.items()
    }
    claimed = frozenset(
        name
        for kind in (Kind.RESOURCE, Kind.TEMPLATE)
        for name, items in offered[kind].items()
        if len(items) > 1
    )
    capabilities: Json = {_CAPABILITY[kind]: {} for kind in Kind if served[kind]}
    ttl = min((listing.ttl_ms for listing in listings), default=0) if complete else 0
    return Endpoint(None, served, claimed, capabilities, _instructions(listings), ttl)


def _instructions(listings: Sequence[Listing]) -> dict[str, str]:
    return {each.server: each.instructions for each in listings if each.instructions}


def _version(endpoints: Mapping[str | None, Endpoint]) -> str:
    content: list[Any] = []
    for name, endpoint in endpoints.items():
        items = [
            (item.server, item.shown, item.definition)
            for by_name in endpoint.items.values()
            for item in by_name.values()
        ]
        content.append([name, items, endpoint.capabilities, endpoint.instructions, endpoint.ttl_ms])
    return sha256(encode(content)).hexdigest()
