"""Connections of the edge over a transport that is a list of bytes."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from bawn.config import Limits
from bawn.model import Peer
from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.edge import EdgeProtocol, edge_with
from bawn.transport.http import McpEndpoint

App = Callable[[Scope, Receive, Send], Awaitable[None]]
LIMIT = 1000
REMOTE = Peer("192.0.2.1")


class FakeTransport(asyncio.Transport):
    """Remembers what is written."""

    def __init__(self, address: str = "192.0.2.1") -> None:
        super().__init__({"peername": (address, 5), "sockname": ("127.0.0.1", 8811)})
        self.written = b""
        self.closing = False
        self.ended = False  # what is written has been ended; there may still be something to read
        self.reading = True
        self.unread = 0
        self.aborted = False

    def get_write_buffer_size(self) -> int:
        return self.unread

    def abort(self) -> None:
        self.closing = self.aborted = True

    def write(self, data: Any) -> None:
        assert not self.ended
        if not self.closing:  # as real ones do
            self.written += bytes(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def close(self) -> None:
        self.closing = True

    def is_closing(self) -> bool:
        return self.closing

    def pause_reading(self) -> None:
        self.reading = False

    def resume_reading(self) -> None:
        self.reading = True


def limits(**changes: Any) -> Limits:
    """The bounds of these tests."""
    return Limits(**{"header": LIMIT, **changes})


def edge(peer: Peer = REMOTE, mcp: McpEndpoint | None = None, **more: Any) -> type[EdgeProtocol]:
    """An edge whose connections all come from this peer."""
    bounds = more.pop("limits", None) or limits()
    return edge_with(bounds, lambda _: peer, mcp=mcp, **more)


class Connection:
    """One connection, and the requests that the application saw on it."""

    def __init__(self, app: App | None = None, of: type[EdgeProtocol] | None = None) -> None:
        self.seen: list[Scope] = []
        self.bodies: list[bytes] = []
        self._app = app or echo
        config = uvicorn.Config(
            self._called, interface="asgi3", http=of or edge(), loop="none", ws="none",
            lifespan="off", log_config=None, proxy_headers=False,
        )  # fmt: skip
        config.load()
        self.state = ServerState()
        self.transport = FakeTransport()
        self.protocol: EdgeProtocol = (of or edge())(config, self.state, {"app": 1})
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
        """Let bytes arrive, none of them while reading is paused; everything that was written."""
        for piece in pieces:
            for _ in range(100):
                if self.transport.reading:
                    break
                await asyncio.sleep(0)
            self.protocol.data_received(piece)
            await settle()
        return self.transport.written

    def is_over(self) -> bool:
        """Whether the gate has ended it."""
        return self.transport.closing or self.transport.ended


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers by ASGI."""
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok"})


async def settle() -> None:
    """Let everything run that is ready to."""
    for _ in range(10):
        await asyncio.sleep(0)


def post(body: bytes = b"{}", *extra: bytes, path: bytes = b"/x") -> bytes:
    """The bytes of a request."""
    lines = [b"POST " + path + b" HTTP/1.1", b"host: x", b"content-length: %d" % len(body), *extra]
    return b"\r\n".join([*lines, b"", body])


def chunked(*parts: bytes, trailer: bytes = b"") -> bytes:
    """The same with a body in chunks."""
    head = b"POST /x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n"
    return (
        head + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in parts) + b"0\r\n" + trailer + b"\r\n"
    )
