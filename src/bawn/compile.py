"""What servers said, and the configuration, become one View."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final

from bawn.config import Config
from bawn.errors import INTEGRITY_UNAPPROVED
from bawn.model import Endpoint, Item, Json, Kind, Listing, Mirror, View, Withheld
from bawn.protocol import lifecycle, mirrors, names, outbound
from bawn.protocol.strict import encode
from bawn.protocol.versions import LIST_METHODS

log = logging.getLogger("bawn.steward")

_PREFIXED: Final = (Kind.TOOL, Kind.PROMPT)


def compile_view(
    config: Config, listings: Sequence[Listing], *, failing: Collection[str] = ()
) -> View:
    """The View of these listings, the last good one of a server that fails now among them.

    Nobody may keep the lists of an aggregate of which a server is `failing`: their ttl is 0. Each
    tenant's aggregate is made of its own servers alone, so that nothing of one shows in another's.
    """
    ordered = sorted(listings, key=lambda listing: listing.server)
    singles: dict[str | None, Endpoint] = {}
    aggregates: dict[str, Endpoint] = {}
    for tenant, servers in _by_tenant(config).items():
        theirs = [listing for listing in ordered if listing.server in servers]
        shown = _shown({name: config.prefix_of(name) for name in sorted(servers)}, theirs)
        own = {listing.server: _items(listing, shown) for listing in theirs}
        complete = servers.isdisjoint(failing)
        aggregates[tenant] = _aggregate(theirs, own, _withheld(theirs, shown), complete=complete)
        for listing in theirs:
            singles[listing.server] = _single(listing, own[listing.server])
    endpoints = {None: aggregates.pop(""), **singles}
    return View(_version(endpoints, aggregates), endpoints, aggregates)


def _by_tenant(config: Config) -> dict[str, set[str]]:
    """The servers of each tenant that serve, listed or not; under the empty one those of none."""
    found: dict[str, set[str]] = {"": set()}
    for name, server in sorted(config.servers.items()):
        if server.status != "disabled":
            found.setdefault(server.tenant, set()).add(name)
    return dict(sorted(found.items()))


def _shown(
    prefixes: Mapping[str, str], listings: Sequence[Listing]
) -> dict[tuple[Kind, str, str], str]:
    chosen: dict[tuple[Kind, str, str], str] = {}
    for kind in _PREFIXED:
        pairs = [
            (listing.server, name)
            for listing in listings
            for definition in (*listing.definitions[kind], *_kept(listing, kind))
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
            if name is None or (kind, name) in found:
                continue
            mirrored = _mirrors(listing.server, name, definition) if kind is Kind.TOOL else ()
            if mirrored is not None:
                alias = shown.get((kind, listing.server, name), name)
                found[kind, name] = Item(kind, listing.server, name, alias, definition, mirrored)
    return list(found.values())


def _kept(listing: Listing, kind: Kind) -> Iterable[Json]:
    """The definitions that are withheld and keep their names, so that no other item gets them.

    What was never approved has none to keep: else a server could rename what others offer.
    """
    several = listing.withheld.get(kind, ())
    return (each.definition for each in several if each.reason != INTEGRITY_UNAPPROVED.id)


def _withheld(
    listings: Sequence[Listing], shown: Mapping[tuple[Kind, str, str], str] | None
) -> dict[Kind, dict[str, Item]]:
    """What is there and not served, by the names of an aggregate, or by the server's own."""
    found: dict[Kind, dict[str, Item]] = {}
    for listing in listings:
        for kind, several in listing.withheld.items():
            for each in several:
                item = _as_withheld(listing.server, kind, each, shown)
                if item is not None:
                    name = item.name if shown is None else item.shown
                    found.setdefault(kind, {}).setdefault(name, item)
    return found


def _as_withheld(
    server: str, kind: Kind, each: Withheld, shown: Mapping[tuple[Kind, str, str], str] | None
) -> Item | None:
    name = outbound.identifier(kind, each.definition)
    if name is None:
        return None
    alias = name
    if shown is not None and kind in _PREFIXED:
        alias = shown.get((kind, server, name)) or names.shown(f"{server}__", name)
    return Item(kind, server, name, alias, each.definition, withheld=each.reason)


def _mirrors(server: str, name: str, definition: Json) -> tuple[Mirror, ...] | None:
    """The arguments that headers repeat; None for a tool that must be dropped, as its are not valid.

    Source: server/tools, "x-mcp-header" (2026-07-28).
    """
    try:
        return mirrors.mirrors_of(definition)
    except mirrors.InvalidMirror as invalid:
        told = {"server": server, "detail": f"{name[:128]}: {invalid}"}
        log.warning("a tool is not offered: its x-mcp-header is not valid", extra=told)
        return None


def _single(listing: Listing, items: Sequence[Item]) -> Endpoint:
    served: dict[Kind, dict[str, Item]] = {kind: {} for kind in LIST_METHODS}
    for item in sorted(items, key=lambda item: item.name):
        served[item.kind][item.name] = item
    return Endpoint(
        listing.server,
        served,
        frozenset(),
        lifecycle.capabilities(listing.capabilities),
        _instructions([listing]),
        listing.ttl_ms,
        _changes(served, [listing]),
        extensions=lifecycle.owners({listing.server: listing.capabilities}),
        resources=listing.server if "resources" in listing.capabilities else None,
        withheld=_withheld([listing], None),
    )


def _aggregate(
    listings: Sequence[Listing],
    own: Mapping[str, Sequence[Item]],
    withheld: Mapping[Kind, Mapping[str, Item]],
    *,
    complete: bool,
) -> Endpoint:
    offered: dict[Kind, dict[str, list[Item]]] = {kind: defaultdict(list) for kind in LIST_METHODS}
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
    offered_by = {listing.server: listing.capabilities for listing in listings}
    capabilities = lifecycle.merged(offered_by)
    readable = [server for server, each in offered_by.items() if "resources" in each]
    ttl = min((listing.ttl_ms for listing in listings), default=0) if complete else 0
    changes = _changes(served, listings)
    pages = _pages(served[Kind.TOOL].values())
    instructions = _instructions(listings)
    return Endpoint(
        None, served, claimed, capabilities, instructions, ttl, changes, pages,
        lifecycle.owners(offered_by), readable[0] if len(readable) == 1 else None, withheld,
    )  # fmt: skip


def _pages(tools: Iterable[Item]) -> dict[str, str]:
    """Whose the pages are that tools name: they need not be listed (MCP Apps, "Resource Discovery").

    A page that tools of two servers name is nobody's here.
    """
    owners: dict[str, set[str]] = defaultdict(set)
    for tool in tools:
        meta = tool.definition.get("_meta")
        page = meta.get("ui") if isinstance(meta, dict) else None
        uri = page.get("resourceUri") if isinstance(page, dict) else None
        if isinstance(uri, str) and uri.startswith("ui://") and len(uri) <= outbound.LONGEST:
            owners[uri].add(tool.server)
    return {uri: servers.pop() for uri, servers in owners.items() if len(servers) == 1}


def _changes(
    served: Mapping[Kind, Mapping[str, Item]], listings: Sequence[Listing]
) -> dict[str, str]:
    """For each list a digest of what stands in it, and of how often its servers said it had changed."""
    lists: dict[str, Any] = defaultdict(sha256)
    for kind, items in served.items():
        told = [[each.server, each.changes.get(kind, 0)] for each in listings]
        stands = [(name, item.server, item.definition) for name, item in items.items()]
        lists[lifecycle.CAPABILITY[kind]].update(encode([told, stands]))
    return {name: digest.hexdigest()[:16] for name, digest in lists.items()}


def _instructions(listings: Sequence[Listing]) -> dict[str, str]:
    return {each.server: each.instructions for each in listings if each.instructions}


def _version(endpoints: Mapping[str | None, Endpoint], aggregates: Mapping[str, Endpoint]) -> str:
    content = [_content(name, endpoint) for name, endpoint in endpoints.items()]
    tenants = [_content(name, endpoint) for name, endpoint in aggregates.items()]
    return sha256(encode([content, tenants])).hexdigest()


def _content(name: str | None, endpoint: Endpoint) -> list[Any]:
    items = [
        (item.server, item.shown, item.definition)
        for by_name in endpoint.items.values()
        for item in by_name.values()
    ]
    told = [endpoint.capabilities, endpoint.instructions, endpoint.ttl_ms, endpoint.changes]
    withheld = [
        (kind, item.server, item.shown, item.withheld, item.definition)
        for kind, by_name in endpoint.withheld.items()
        for item in by_name.values()
    ]
    return [name, items, *told, withheld]
