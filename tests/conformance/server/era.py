"""A server of one era only, made of one that speaks both."""

from __future__ import annotations

import json
from typing import Final, Literal

from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from starlette.types import ASGIApp, Receive, Scope, Send

Era = Literal["both", "modern", "legacy"]

_MODERN: Final = {version.encode() for version in MODERN_PROTOCOL_VERSIONS}
_UNSUPPORTED: Final = -32022


def only(era: Era, app: ASGIApp) -> ASGIApp:
    """Refuse the requests of the other era as a server that never heard of it does."""
    if era == "both":
        return app

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope.get("headers", ()))
        modern = headers.get(b"mcp-protocol-version") in _MODERN
        if scope["type"] != "http" or modern == (era == "modern"):
            await app(scope, receive, send)
        else:
            await _refuse(era, send)

    return serve


async def _refuse(era: Era, send: Send) -> None:
    if era == "modern":
        data = {"supported": sorted(MODERN_PROTOCOL_VERSIONS), "requested": "a handshake"}
        error = {"code": _UNSUPPORTED, "message": "Unsupported protocol version", "data": data}
    else:
        error = {"code": -32600, "message": "Bad Request: Unsupported protocol version"}
    body = json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})
