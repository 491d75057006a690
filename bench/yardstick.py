"""The yardstick: a bare relay on bawn's own stack, one process. `python -m bench.yardstick PORT URL`.

uvicorn with httptools and uvloop, a bare ASGI application, bawn's upstream client, and no checks:
it reads the body, posts it on with the headers of the same kind, and sends back what came.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

import uvicorn

from bawn.config import Limits
from bawn.ports import HttpRequest
from bawn.upstream.http1 import PooledClient

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_PASSED_ON: Final = frozenset(
    {b"content-type", b"accept", b"mcp-protocol-version", b"mcp-method", b"mcp-name"}
)


class Relay:
    """The application."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._limits = Limits()
        self._client: PooledClient | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._client is None:
            self._client = PooledClient(self._limits.connections, self._limits.connect)
        body, more = b"", True
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        passed_on = tuple(field for field in scope["headers"] if field[0] in _PASSED_ON)
        limits = self._limits
        reply = await self._client.send(
            HttpRequest(
                "POST", self._url, passed_on, body, limits.first_byte, limits.total, limits.result
            )
        )
        length = (b"content-length", b"%d" % len(reply.body))
        kind = (b"content-type", reply.headers.get(b"content-type", b"application/json"))
        start = {"type": "http.response.start", "status": reply.status, "headers": [kind, length]}
        await send(start)
        await send({"type": "http.response.body", "body": reply.body, "more_body": False})


def main() -> None:
    """Serve until ended."""
    port, url = sys.argv[1:]
    uvicorn.run(
        Relay(url),
        port=int(port),
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="off",
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_keep_alive=75,
    )


if __name__ == "__main__":
    main()
