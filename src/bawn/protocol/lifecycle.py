"""How a client gets to know the gate: `server/discover` (modern) and `initialize` (legacy)."""

from __future__ import annotations

from typing import Final

from bawn import __version__
from bawn.errors import MESSAGE_PARAMS, Refused
from bawn.model import Client, Endpoint, Json
from bawn.protocol import versions

SERVER_INFO: Final[Json] = {"name": "bawn", "title": "bawn gate", "version": __version__}


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
        "capabilities": endpoint.capabilities,
        "serverInfo": SERVER_INFO,
    }
    if instructions:
        answered["instructions"] = instructions
    return answered
