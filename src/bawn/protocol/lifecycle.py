"""How a client gets to know the gate: `server/discover` (modern) and `initialize` (legacy)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from bawn import __version__
from bawn.errors import MESSAGE_PARAMS, Refused
from bawn.model import Client, Endpoint, Json, Kind
from bawn.protocol import versions
from bawn.protocol.strict import encode

SERVER_INFO: Final[Json] = {"name": "bawn", "title": "bawn gate", "version": __version__}

CAPABILITY: Final[Mapping[Kind, str]] = {
    Kind.TOOL: "tools",
    Kind.PROMPT: "prompts",
    Kind.RESOURCE: "resources",
    Kind.TEMPLATE: "resources",
}
"""The capability by which each kind is offered."""

_LISTS: Final = frozenset(CAPABILITY.values())
_PLAIN: Final = ("completions", "logging")
_SETTINGS: Final = 4096
"""Bytes of an extension's settings that stand in what everybody reads; larger ones are left out."""
_KNOWN: Final = frozenset({versions.TASKS, versions.APPS})
"""Extensions whose methods the gate knows, or which bring none: any number of servers may have them."""


def capabilities(offered: Json) -> Json:
    """What the gate offers of one server's capabilities; it tells of changed lists by itself."""
    made: Json = {}
    for name in _LISTS & offered.keys():
        made[name] = {"listChanged": True}
    if "resources" in made:
        said = offered["resources"]
        made["resources"]["subscribe"] = isinstance(said, Mapping) and bool(said.get("subscribe"))
    for name in _PLAIN:
        if name in offered:
            made[name] = {}
    for name in ("extensions", "experimental"):
        if isinstance(offered.get(name), dict) and offered[name]:
            made[name] = offered[name]
    return dict(sorted(made.items()))


def extensions(capabilities: Mapping[str, Any]) -> Json:
    """The extensions that capabilities declare, with their settings."""
    declared = capabilities.get("extensions")
    return declared if isinstance(declared, dict) else {}


def owners(every: Mapping[str, Json]) -> dict[str, str]:
    """The server of each extension that one alone has, of which the gate does not know the methods."""
    found: dict[str, set[str]] = defaultdict(set)
    for server, offered in every.items():
        for name in extensions(offered).keys() - _KNOWN:
            found[name].add(server)
    return {name: servers.pop() for name, servers in found.items() if len(servers) == 1}


def merged(every: Mapping[str, Json]) -> Json:
    """What the gate offers of many servers' capabilities together."""
    made: Json = {}
    alone = owners(every)
    for offered in map(capabilities, every.values()):
        for name, value in offered.items():
            if name == "extensions":
                shared = {k: v for k, v in value.items() if k in _KNOWN or k in alone}
                known = {k: v if len(encode(v)) <= _SETTINGS else {} for k, v in shared.items()}
                if known:
                    made[name] = {**known, **made.get(name, {})}
            elif name == "resources":
                before = made.get(name, {}).get("subscribe", False)
                made[name] = {**value, "subscribe": before or value["subscribe"]}
            elif name != "experimental":
                made[name] = value
    return dict(sorted(made.items()))


def _for_legacy(offered: Json) -> Json:
    """Capabilities as `initialize` tells them: without the extension that came with 2026-07-28."""
    declared = extensions(offered)
    if versions.TASKS not in declared:
        return offered
    rest = {name: value for name, value in declared.items() if name != versions.TASKS}
    made = {name: value for name, value in offered.items() if name != "extensions"}
    return {**made, "extensions": rest} if rest else made


def discover(endpoint: Endpoint, instructions: str) -> Json:
    """The canonical result of server/discover."""
    found: Json = {
        "resultType": "complete",
        "supportedVersions": list(versions.SUPPORTED),
        "capabilities": endpoint.capabilities,
        "ttlMs": endpoint.ttl_ms,
        "cacheScope": "private",
        "_meta": {versions.META_SERVER: SERVER_INFO},
    }
    if instructions:
        found["instructions"] = instructions
    return found


def handshake(params: Json) -> Client:
    """What an `initialize` request says of its client, with the version that will be spoken.

    A version that is not served is answered by the newest that is: the client then decides.

    Raises:
        Refused: message.params.
    """
    requested = params.get("protocolVersion")
    capabilities = params.get("capabilities")
    info = params.get("clientInfo")
    if not isinstance(requested, str) or not isinstance(capabilities, dict):
        raise Refused(MESSAGE_PARAMS, "initialize needs `protocolVersion` and `capabilities`")
    version = requested if requested in versions.HANDSHAKE else versions.HANDSHAKE[0]
    name = info.get("name") if isinstance(info, dict) else None
    return Client(version, name[:128] if isinstance(name, str) else "", capabilities)


def initialize(client: Client, endpoint: Endpoint, instructions: str) -> Json:
    """The result of `initialize`."""
    answered: Json = {
        "protocolVersion": client.version,
        "capabilities": _for_legacy(endpoint.capabilities),
        "serverInfo": SERVER_INFO,
    }
    if instructions:
        answered["instructions"] = instructions
    return answered
