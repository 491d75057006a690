"""Servers of two tenants, callers of three, and which item a name stands for, told from these alone."""

from __future__ import annotations

import asyncio
import fnmatch
from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from bawn.config import RoleRule, Server
from bawn.model import Answer, Item, Json, Kind, Listing, Outbound, Principal
from bawn.ports import Emit
from bawn.protocol import versions
from tests.gate import ABLE, FORM, META, MODERN, asks

NOON: Final = 1_792_584_000.0
"""Wednesday, 2026-10-21T12:00:00Z."""

TENANT_OF: Final = {"files": "", "issues": "", "bare": "", "mail": "acme", "crm": "acme"}
PREFIX: Final = {name: f"{name}__" for name in TENANT_OF} | {"bare": ""}
GRAPH: Final = "com.example/graph"
"""An extension that the gate does not know, by which `files` and `mail` have methods."""

Isolation: TypeAlias = Literal["shared", "principal", "session", "project"]
Isolations: TypeAlias = Mapping[str, Isolation]


def _tool(name: str, **annotations: bool) -> Json:
    made: Json = {"name": name, "inputSchema": {"type": "object"}}
    return made | ({"annotations": annotations} if annotations else {})


def _definitions(later: bool) -> dict[str, dict[Kind, list[Json]]]:
    """What servers offer at first, and what they offer later."""
    doc = {"uri": "common://doc", "name": "doc"}
    files = [_tool("read", readOnlyHint=not later), _tool("write"), _tool("ask", readOnlyHint=True)]
    return {
        "files": {
            Kind.TOOL: [*files, *([] if later else [_tool("start", readOnlyHint=True)])],
            Kind.PROMPT: [{"name": "summary"}],
            Kind.RESOURCE: [{"uri": "file:///a", "name": "a"}, doc],
            Kind.TEMPLATE: [{"uriTemplate": "file:///{+path}", "name": "any"}],
        },
        "issues": {
            Kind.TOOL: [_tool("search_issues", openWorldHint=True), _tool("read")],
            Kind.RESOURCE: [doc],
        },
        "bare": {Kind.TOOL: [_tool("echo"), *([_tool("extra")] if later else [])]},
        "mail": {
            Kind.TOOL: [_tool("send_message"), _tool("read", readOnlyHint=True), _tool("start")],
            Kind.PROMPT: [{"name": "draft"}],
            Kind.RESOURCE: [{"uri": "mail://1", "name": "1"}],
            Kind.TEMPLATE: [{"uriTemplate": "mail://{id}", "name": "one"}],
        },
        "crm": {Kind.TOOL: [_tool("find_customer", readOnlyHint=True)]},
    }


def listings(later: bool = False, servers: frozenset[str] = frozenset(TENANT_OF)) -> list[Listing]:
    """What the servers say of themselves."""
    made = []
    for server, offered in _definitions(later).items():
        capabilities: Json = {"tools": {}, "prompts": {}, "completions": {}}
        if Kind.RESOURCE in offered:
            capabilities["resources"] = {"subscribe": True}
        if server in ("files", "mail"):
            capabilities["extensions"] = {GRAPH: {}, versions.TASKS: {}}
        whole = {kind: tuple(offered.get(kind, ())) for kind in versions.LIST_METHODS}
        told = f"How to use {server}."
        made.append(Listing(server, MODERN, capabilities, told, whole, 0))
    return [listing for listing in made if listing.server in servers]


def configured(isolations: Isolations) -> dict[str, Server]:
    """The servers as bawn.yaml has them."""
    return {
        name: Server(
            url="http://127.0.0.1:9/mcp",
            tenant=tenant,
            prefix=PREFIX[name],
            isolation=isolations.get(name, "principal"),
        )
        for name, tenant in TENANT_OF.items()
    }


# ── callers ───────────────────────────────────────────────────────────────────────────────────────

_IDP, _OTHER = "https://idp.example.com", "https://other.example.com"


def _who(subject: str, *roles: str, issuer: str = _IDP, **more: Any) -> Principal:
    token = f"token-of-{subject}-{len(roles)}-{issuer[8]}-{more.get('tenant', '')}"
    return Principal(subject, issuer, frozenset(roles), float("inf"), token=token, **more)


LOCAL: Final = Principal("uid:1000", "local", frozenset({"dev", "ops"}), float("inf"))
PRINCIPALS: Final = (
    _who("ada", "dev", scopes=frozenset({"read", "all"})),
    _who("eve", "viewer", scopes=frozenset({"read"})),
    _who("bob", "ops", scopes=frozenset({"all"})),
    _who("ada", "ops", issuer=_OTHER, scopes=frozenset({"all"})),
    _who("bot", "dev", agent="bot", scopes=frozenset({"all"})),
    _who("ada", "dev", "ops", agent="bot", scopes=frozenset({"all"})),
    _who("eve", "dev", scopes=frozenset({"all"}), endpoint="files"),
    LOCAL,
    _who("ada", "dev", tenant="acme", scopes=frozenset({"read", "all"})),
    _who("bob", "ops", tenant="acme", scopes=frozenset({"all"})),
    _who("eve", "dev", "ops", tenant="zeta", scopes=frozenset({"all"})),
)
CAPABILITIES: Final[Json] = ABLE | {"extensions": {versions.TASKS: {}, GRAPH: {}}}
"""Of a client that can be asked anything and follows tasks."""


# ── which item a name stands for ──────────────────────────────────────────────────────────────────


def offered_at(given: list[Listing], tenant: str, at: str | None, kind: Kind) -> dict[str, Item]:
    """What a list at this endpoint may hold, by the names that are shown there."""
    found: dict[str, list[Item]] = {}
    key = versions.IDENTIFIER[kind]
    for listing in _served(given, tenant, at):
        for definition in listing.definitions[kind]:
            own = definition[key]
            shown = PREFIX[listing.server] + own if kind in (Kind.TOOL, Kind.PROMPT) else own
            item = Item(kind, listing.server, own, shown, definition)
            found.setdefault(own if at is not None else shown, []).append(item)
    return {name: items[0] for name, items in found.items() if len(items) == 1}


def _served(given: list[Listing], tenant: str, at: str | None) -> list[Listing]:
    return [
        listing
        for listing in given
        if (TENANT_OF[listing.server] == tenant if at is None else listing.server == at)
    ]


def target(
    given: list[Listing], tenant: str, at: str | None, kind: Kind, name: str
) -> Item | list[Item] | None:
    """The item; several when all of these servers claim it, and nobody is told which is meant."""
    item = offered_at(given, tenant, at, kind).get(name)
    if item is not None or kind is not Kind.RESOURCE:
        return item
    servers = _served(given, tenant, at)
    claimants = [
        Item(kind, listing.server, name, name, definition)
        for listing in servers
        for definition in listing.definitions[kind]
        if definition["uri"] == name
    ]
    if claimants:
        return claimants
    owners = {
        listing.server
        for listing in servers
        for definition in listing.definitions[Kind.TEMPLATE]
        if name.startswith(definition["uriTemplate"].partition("{")[0])
    } or {listing.server for listing in servers if "resources" in listing.capabilities}
    return Item(kind, owners.pop(), name, name, {}) if len(owners) == 1 else None


def covers(rule: RoleRule, item: Item) -> bool:
    """Whether a rule of `roles` or `scopes` names an item."""
    patterns = {
        Kind.TOOL: rule.tools,
        Kind.PROMPT: rule.prompts,
        Kind.RESOURCE: rule.resources,
        Kind.TEMPLATE: rule.resources,
        Kind.METHOD: rule.methods,
    }[item.kind]
    return any(fnmatch.fnmatchcase(item.server, each) for each in rule.servers) and any(
        fnmatch.fnmatchcase(item.name, each) for each in patterns
    )


# ── how servers behave ────────────────────────────────────────────────────────────────────────────


async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
    """A server that has everything: tasks, questions, suggestions, and news of its resources."""
    if outbound.method == "subscriptions/listen" and emit is not None:
        told = {"notifications": outbound.params["notifications"]}
        method = "notifications/subscriptions/acknowledged"
        await emit({"jsonrpc": "2.0", "method": method, "params": told})
        await asyncio.Event().wait()
    if outbound.method == "tools/call" and outbound.name == "start":
        return Answer(result={"resultType": "task", "taskId": "own", "status": "working"})
    if outbound.name in ("ask", "summary") and "inputResponses" not in outbound.params:
        return asks({"sure": FORM}, "own")
    if outbound.method == "completion/complete":
        return Answer(result={"resultType": "complete", "completion": {"values": []}})
    return Answer(result={"resultType": "complete", "content": [], "from": outbound.server})


def declared(name: str, able: bool) -> Json:
    """The `_meta` of a modern client."""
    capabilities = CAPABILITIES if able else {"extensions": CAPABILITIES["extensions"]}
    return {META + "clientCapabilities": capabilities, META + "clientInfo": {"name": name}}
