"""The HTTP edge: uvicorn's protocol, with what it does not do by itself.

It bounds the header section, tells the application which process is at the other end of a Unix
socket, and refuses what has two readings before anything looks at it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf
from typing import Any, ClassVar

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from bawn.errors import HTTP_HEADER, HTTP_HOST, HTTP_UPGRADE, Reason
from bawn.model import Peer
from bawn.transport.whole import Whole

_LINES = {400: b"400 Bad Request", 431: b"431 Request Header Fields Too Large"}


class EdgeProtocol(HttpToolsProtocol):
    """One connection. The class variables are set on a subclass by `edge_for`."""

    header_limit: ClassVar[int] = 16 << 10
    body_time: ClassVar[float] = 30.0
    peer_of: ClassVar[Callable[[asyncio.BaseTransport], Peer]]

    _header_bytes = 0
    _quiet = 0  # bytes since there was body data
    _rejected = False
    _begun = inf  # loop time of the header's end
    waiting_since = inf
    """Loop time since when a request header is due; never while a request is being answered."""

    _unread = 0  # bytes that waited for the peer at the last sweep
    _stalled_since = inf

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's
        super().connection_made(transport)
        peer = type(self).peer_of(transport)
        # uvicorn copies this mapping into each request's scope
        self.app_state = {**self.app_state, "peer": peer}
        self.waiting_since = self.loop.time()

    def on_response_complete(self) -> None:
        # as uvicorn's, but for the timer that it sets after each answer: `sweep` looks at all of them
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
        else:
            self.waiting_since = self.loop.time()

    def sweep(self, now: float) -> None:
        """Close a connection that has been without a whole request header, or unread, for too long."""
        if now - self.waiting_since > self.timeout_keep_alive:
            self.transport.close()
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is not None and cycle.more_body and now - self._begun > self.body_time:
            self.transport.close()  # whoever waits for the body is told that the caller went away
        unread = self.transport.get_write_buffer_size()
        if unread == 0:
            self._stalled_since = inf
        elif unread != self._unread or self._stalled_since == inf:
            self._stalled_since = now
        elif now - self._stalled_since > self.timeout_keep_alive:
            self.transport.abort()  # `close` would wait for the peer to read
        self._unread = unread

    def data_received(self, data: bytes) -> None:
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or not cycle.more_body:
            # counted before parsing: the parser would gather an endless header value by itself
            end = data.find(b"\r\n\r\n")
            self._header_bytes += len(data) if end < 0 else end
            if self._header_bytes > self.header_limit:
                self._reject(431, HTTP_HEADER)
                return
        elif self._quiet > self.header_limit:  # a trailer, which the parser gathers as well
            self._reject(431, HTTP_HEADER)
            return
        else:
            self._quiet += len(data)
        super().data_received(data)

    def on_headers_complete(self) -> None:
        counted, self._header_bytes = self._header_bytes, 0
        self.waiting_since = inf
        self._begun = self.loop.time()
        if not self.url.startswith(b"/"):
            self._reject(400, HTTP_HOST)
        elif not counted and self._size() > self.header_limit:  # pipelined behind another request
            self._reject(431, HTTP_HEADER)
        elif self.parser.should_upgrade():  # what follows would be another protocol's
            self._reject(400, HTTP_UPGRADE)
        else:
            super().on_headers_complete()
            self.headers = []  # for the trailer: whoever judged the header has not seen it
            return
        raise HttpParserError  # the parser stops here, and uvicorn's answer to that is muted

    def on_body(self, body: bytes) -> None:
        self._quiet = 0
        super().on_body(body)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        # as uvicorn's, which keeps the task to itself
        task = self.loop.create_task(cycle.run_asgi(app))
        task.add_done_callback(self.tasks.discard)
        self.tasks.add(task)
        cycle.scope["state"]["whole"] = Whole(cycle, task)

    def send_400_response(self, msg: str) -> None:
        if not self._rejected:
            super().send_400_response(msg)

    def _size(self) -> int:
        return len(self.url) + sum(len(name) + len(value) + 4 for name, value in self.headers)

    def _reject(self, status: int, reason: Reason) -> None:
        self._rejected = True
        body = f'{{"error":"{reason.id}","message":"{reason.message}"}}'.encode()
        self.transport.write(
            b"HTTP/1.1 %s\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%s" % (_LINES[status], len(body), body)
        )
        self.transport.close()


def edge_for(
    header_limit: int, body_time: float, peer_of: Callable[[asyncio.BaseTransport], Peer]
) -> type[EdgeProtocol]:
    """The protocol class for a listener with these bounds."""
    members: dict[str, Any] = {
        "header_limit": header_limit,
        "body_time": body_time,
        "peer_of": staticmethod(peer_of),
    }
    return type("ConfiguredEdge", (EdgeProtocol,), members)
