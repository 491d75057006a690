"""Cross-origin requests of browsers, for the origins that the operator lists and no other.

Source: Fetch standard, "HTTP CORS protocol". No cookies are in play: credentials are never allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from bawn.transport.head import Fields

_METHODS: Final = b"GET, POST, DELETE"
_HEADERS: Final = (
    b"accept", b"authorization", b"content-type", b"last-event-id", b"mcp-method", b"mcp-name",
    b"mcp-protocol-version", b"mcp-session-id", b"traceparent", b"tracestate", b"baggage",
)  # fmt: skip
_MIRRORED: Final = b"mcp-param-"
_MOST: Final = 64
_EXPOSED: Final = b"mcp-session-id, www-authenticate, retry-after"
_REMEMBERED: Final = b"600"  # seconds


class Cors:
    """What browsers are told on behalf of pages from these origins."""

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origin.lower().encode() for origin in origins)

    def preflight(self, method: bytes, named: Mapping[bytes, bytes]) -> Fields | None:
        """The answer to a browser's question what it may send; None when this is none of those."""
        if method != b"OPTIONS" or b"access-control-request-method" not in named:
            return None
        if not self.fields(named.get(b"origin")):
            return None
        asked = named.get(b"access-control-request-headers", b"").lower().split(b",")
        mirrored = [n.strip() for n in asked[:_MOST] if n.strip().startswith(_MIRRORED)]
        return (
            (b"access-control-allow-methods", _METHODS),
            (b"access-control-allow-headers", b", ".join([*_HEADERS, *mirrored])),
            (b"access-control-max-age", _REMEMBERED),
        )

    def fields(self, origin: bytes | None) -> Fields:
        """What an answer has to say so that a page of this origin may read it."""
        if origin is None or origin.lower() not in self._origins:
            return ()
        return (
            (b"access-control-allow-origin", origin),
            (b"access-control-expose-headers", _EXPOSED),
            (b"vary", b"origin"),
        )
