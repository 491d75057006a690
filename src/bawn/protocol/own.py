"""What the gate says of itself when it asks a server in its own name."""

from __future__ import annotations

from typing import Final

from bawn.model import Json
from bawn.protocol import legacy_server, versions

_EVERYTHING: Final[Json] = {
    "sampling": {},
    "elicitation": {"form": {}, "url": {}},
    "roots": {},
    "extensions": {versions.APPS: {"mimeTypes": ["text/html;profile=mcp-app"]}},
}
"""What is declared where lists are read: servers hide what needs more, and some caller may have it.

What a server asks on the way is answered with an error.
"""

_META: Final[Json] = {
    **legacy_server.discover_params()["_meta"],
    versions.META_CAPABILITIES: _EVERYTHING,
}


def asking(params: Json) -> Json:
    """The parameters of a request of the gate's own."""
    return {**params, "_meta": _META}
