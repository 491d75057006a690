"""Connections of the edge over a transport that is a list of bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from bawn.model import Peer
from bawn.transport.edge import EdgeProtocol, edge_for
from bawn.transport.http import Receive, Scope, Send

App = Callable[[Scope, Receive, Send], Awaitable[None]]
LIMIT = 1000


class FakeTransport(asyncio.Transport):
    """Remembers what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 5), "sockname": ("127.0.0.1", 8811)})
        self.written = b""
        self.closing = False
        self.reading = True
        self.unread = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.closing = self.aborted = True

    def write(self, data: Any) -> None:
        if not self.closing:  # as real ones do
            self.written += bytes(data)

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


class Connection:
    """One connection, and the requests that the application saw on it."""

    def __init__(self, app: App | None = None) -> None:
        self.seen: list[Scope] = []
        self.bodies: list[bytes] = []
        self._app = app or echo
        edge = edge_for(LIMIT, 30.0, lambda _: Peer("unix", 1000))
        config = uvicorn.Config(
            self._called, interface="asgi3", http=edge, loop="none", ws="none", lifespan="off", log_config=None,
            proxy_headers=False, server_header=False, date_header=False, timeout_keep_alive=75,
        )  # fmt: skip
        config.load()
        self.transport = FakeTransport()
        self.protocol: EdgeProtocol = edge(config, ServerState(), {})
        self.protocol.connection_made(self.transport)

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.seen.append(scope)
        body, more = b"", True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            body, more = body + message["body"], message["more_body"]
        self.bodies.append(body)
        await self._app(scope, receive, send)

    async def feed(self, *pieces: bytes) -> bytes:
        """Let bytes arrive; everything that was written until now."""
        for piece in pieces:
            self.protocol.data_received(piece)
            await settle()
        return self.transport.written


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers by ASGI."""
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def settle() -> None:
    """Let everything run that is ready to."""
    for _ in range(10):
        await asyncio.sleep(0)


def post(body: bytes = b"{}", *extra: bytes, path: bytes = b"/mcp") -> bytes:
    """The bytes of a request."""
    lines = [b"POST " + path + b" HTTP/1.1", b"host: x", b"content-length: %d" % len(body), *extra]
    return b"\r\n".join([*lines, b"", body])


def chunked(*parts: bytes, trailer: bytes = b"") -> bytes:
    """The same with a body in chunks."""
    head = b"POST /mcp HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return (
        head + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts) + b"0\r\n" + trailer + b"\r\n"
    )
