"""The HTTP edge: one connection, from bytes to requests, one after another.

Nothing of a request is looked at before its header section has come whole and was read in the one
way in which it can be read (`head.py`). Requests for the MCP endpoints go to them at once; all
others go by ASGI. While one is answered, what follows it waits unread. It stands where uvicorn's own
protocol would: the server counts on `connections`, `tasks` and `shutdown`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, ClassVar, Final

import uvicorn
from uvicorn.server import ServerState

from bawn.config import Limits
from bawn.errors import HTTP_CROWDED, HTTP_SLOW, HTTP_SYNTAX, INTERNAL, Reason, Refused
from bawn.model import Peer
from bawn.ports import Meter
from bawn.transport import asgi
from bawn.transport.body import LARGE, Body
from bawn.transport.crowd import Crowd
from bawn.transport.flow import Flow
from bawn.transport.head import END, Head, HeadReader
from bawn.transport.held import Held
from bawn.transport.http import McpEndpoint, is_ours
from bawn.transport.proxies import FORWARDED_FOR, Proxies
from bawn.transport.request import JSON, Request, lines

log = logging.getLogger("bawn.transport")

KEEP_ALIVE: Final = 10.0
"""Seconds of silence until a stream carries a comment, lest a proxy between takes it for dead."""

PATIENCE: Final = 30.0
"""Seconds that the reader of an event stream may take nothing of what lies there."""

LINGER: Final = 5.0
"""Seconds that a refused caller gets to read why, before its connection is cut."""


class EdgeProtocol(Flow):
    """One connection. The class variables are set on a subclass by `edge_with`."""

    limits: ClassVar[Limits]
    heads: ClassVar[HeadReader]
    crowd: ClassVar[Crowd]
    proxies: ClassVar[Proxies]
    peer_of: ClassVar[Callable[[asyncio.BaseTransport], Peer]]
    meter: ClassVar[Meter | None]
    mcp: ClassVar[McpEndpoint | None]

    last = False
    _peer = Peer("")
    _counted: str | None = None  # the address that this connection counts for
    _entered = False
    _proxied = False
    _served = False
    _over = False  # refused, or ended by us: what comes now is not looked at
    _dropped = 0  # bytes of that
    _buffer = b""  # what has come and is not read yet
    _request: Request | None = None

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self._app: Any = config.loaded_app
        self._server_state = server_state
        self._tasks: set[Any] = server_state.tasks
        self._connections: set[Any] = server_state.connections
        self._app_state = app_state
        self._loop = _loop or asyncio.get_running_loop()
        self._since = self._loop.time()  # since when a header is due, or since when it is over

    # ── the connection's life ──

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # of a stream
        """Let it in if there is room."""
        self._transport = transport
        try:
            self._peer = peer = type(self).peer_of(transport)
        except OSError:  # it has gone already
            self._over = True
            transport.abort()
            return
        if peer.uid is None:
            self._proxied = self.proxies.trusts(peer.address)
            self._counted = None if self._proxied else peer.address or None
        self._entered = self.crowd.enter(self._counted)
        if self._entered:
            self._connections.add(self)
        else:  # at once: whoever floods us shall not make us wait for him
            self._over = True
            self._say(HTTP_CROWDED)
            transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever works for the caller is told."""
        self._connections.discard(self)
        self._over = True
        self._buffer = b""
        if self._entered:
            self._entered = False
            self.crowd.leave(self._counted)
        self.resume_writing()
        if self._request is not None:
            self._request.abandon()

    def shutdown(self) -> None:
        """uvicorn's: the process ends as soon as what is under way is answered."""
        self.last = True
        if self._request is None or self._over:
            self._transport.close()
        else:
            self._request.leave()

    # ── from bytes to requests ──

    def data_received(self, data: bytes) -> None:
        """Take what has come."""
        if self._over:
            self._dropped += len(data)
            if self._dropped > self.limits.body:
                self._transport.abort()
            return
        request = self._request
        if request is None:
            self._next(self._buffer + data if self._buffer else data)
            return
        coming = request.coming
        if coming is not None and not coming.done:
            try:
                data = coming.feed(data)
            except Refused as refused:
                self._refuse(refused)
                return
            if coming.full:
                self._pause()
        if data:
            self._buffer += data
            self._pause()
        self._ready(request)

    def _next(self, data: bytes) -> None:
        """Begin with the next request, if its header is there."""
        end = data.find(END)
        if end < 0:
            self._wait(data)
            return
        end += len(END)
        try:
            self._begin(self.heads.read(data[:end]), data, end)
        except Refused as refused:
            self._refuse(refused)

    def _wait(self, data: bytes) -> None:
        """The header has not come whole: does it look like one so far?"""
        if not data[:1].isalpha() or data.count(b"\n") != data.count(b"\r\n"):
            self._refuse(Refused(HTTP_SYNTAX, detail=f"a request begins with {data[:16]!r}"))
        elif len(data) > self.heads.size:
            self._refuse(self.heads.too_large())
        else:
            if self._served and not self._buffer:
                self._since = self._loop.time()
            self._buffer = data
            self._resume()

    def _begin(self, head: Head, data: bytes, end: int) -> None:
        request = Request(self, head, self._peer)
        length, there = head.length, len(data) - end
        self._buffer = b""
        if length == there:
            request.body = data[end:]
        elif length is not None and length < there:
            request.body, self._buffer = data[end : end + length], data[end + length :]
            self._pause()
        else:
            request.coming = coming = Body(length, self._loop.time())
            self._buffer = coming.feed(data[end:])
            if self._buffer or coming.full:
                self._pause()
        if self._proxied:
            self._name_caller(request)
        self._served = True
        self._request = request
        request.task = task = self._loop.create_task(self._run(request))
        self._tasks.add(task)

    def _name_caller(self, request: Request) -> None:
        """Who it is that a proxy speaks for, and whether there is room for one more from there."""
        address = self.proxies.caller(
            request.head.headers.get(FORWARDED_FOR, b""), self._peer.address
        )
        if not self.crowd.begin(address):
            raise Refused(HTTP_CROWDED)
        request.counted = address
        request.peer = Peer(address)

    async def _run(self, request: Request) -> None:
        """Have a request answered, and see to it that the connection does not outlive one that is not."""
        task = request.task
        try:
            if request.lost:
                return
            if self.mcp is not None and is_ours(request.head.target):
                request.cancels = True
                await self.mcp.serve(request)
            else:
                await asgi.serve(self._app, request, self._transport, self._app_state)
            if not request.answered:
                self._fail(request)
        except asyncio.CancelledError:
            if not request.lost:
                if not request.answered:
                    self._transport.abort()
                raise
        except Exception:
            log.exception("answering a request failed")
            if request.task is not None:
                self._fail(request)
        finally:
            self._tasks.discard(task)
            if request.counted is not None:
                self.crowd.end(request.counted)
            if request.task is not None:  # else the connection has gone on to other requests
                request.task = None
                self._ready(request)

    def _ready(self, request: Request | None) -> None:
        """Go on to the next request, once this one is answered and has come whole."""
        if request is not None:
            if request.task is not None or not (request.coming is None or request.coming.done):
                return
            self._request = None
        if self._over:
            return
        if self._writable is not None:  # a caller who does not read is not read either
            self._pause()
        elif self._buffer:
            data, self._buffer = self._buffer, b""
            self._next(data)
        else:
            self._since = self._loop.time()
            self._resume()

    def writable(self) -> None:
        """Fills `flow.Flow`: the caller reads again, so it is read again."""
        if self._request is None:
            self._ready(None)

    def resume(self) -> None:
        """Fills `request.Line`."""
        if not self._buffer:
            self._resume()

    def answered(self, request: Request, size: int, *, keep: bool) -> None:
        """Fills `request.Line`."""
        self._server_state.total_requests += 1
        if size > LARGE:
            self.count_unread(size)
        coming = request.coming
        if not keep:
            self._end(linger=self._paused or not (coming is None or coming.done))
        elif coming is not None and not coming.done:
            coming.drop()
            self._resume()
        if request.task is None:  # whoever works on goes on elsewhere
            self._ready(request)

    # ── ends ──

    def sweep(self, now: float) -> None:
        """See to what has taken too long; to be called every few seconds."""
        request = self._request
        streams = request is not None and request.streaming
        self.cut_unread(now, min(PATIENCE, self.limits.idle) if streams else self.limits.idle)
        if self._over:
            if now - self._since > LINGER and not self._transport.get_write_buffer_size():
                self._transport.abort()
        elif request is None:
            if now - self._since > self._patience():
                self._refuse(Refused(HTTP_SLOW)) if self._buffer else self._transport.close()
        elif request.coming is not None and not request.coming.done:
            if now - request.coming.begun > self.limits.body_time:
                self._refuse(Refused(HTTP_SLOW))
        elif self._writable is None:
            request.look(now, KEEP_ALIVE)

    def _patience(self) -> float:
        resting = self._served and not self._buffer
        return self.limits.idle if resting else self.limits.header_time

    def _refuse(self, refused: Refused) -> None:
        """Say why not, unless something else is being said, and end."""
        log.info(
            "refused",
            extra={
                "reason": refused.reason.id,
                "detail": refused.detail,
                "peer": self._peer.address,
            },
        )
        request = self._request
        if request is None or not (request.streaming or request.answered):
            self._say(refused.reason, refused.message)
        elif self.meter is not None:
            self.meter.refusal(refused.reason.id)
        if request is not None:
            request.abandon()
        self._end(linger=True)

    def _say(self, reason: Reason, message: str = "") -> None:
        if self.meter is not None:
            self.meter.refusal(reason.id)
        body = b'{"error":"%b","message":"%b"}' % (
            reason.id.encode(),
            (message or reason.message).encode(),
        )
        closing = (
            *JSON,
            (b"content-length", b"%d" % len(body)),
            (b"connection", b"close"),
        )
        self._transport.write(lines(reason.status, closing) + b"\r\n" + body)

    def _fail(self, request: Request) -> None:
        """Nothing good can be said any more."""
        self.last = True
        if request.streaming:
            self._transport.abort()
        else:
            body = b'{"error":"%b"}' % INTERNAL.id.encode()
            request.respond(500, JSON, body)

    def _end(self, *, linger: bool) -> None:
        """Close, but not before a caller who is still sending could read what was said."""
        self._over = True
        self._buffer = b""
        self._since = self._loop.time()
        if linger and not self.last and self._transport.can_write_eof():
            self._transport.write_eof()
            self._resume()
        else:
            self._transport.close()


def edge_with(
    limits: Limits,
    peer_of: Callable[[asyncio.BaseTransport], Peer],
    *,
    meter: Meter | None = None,
    proxies: Proxies | None = None,
    mcp: McpEndpoint | None = None,
) -> type[EdgeProtocol]:
    """The protocol class of a listener: `mcp` answers at /mcp and below, the application elsewhere.

    Its connections are counted together.
    """
    members: dict[str, Any] = {
        "limits": limits,
        "heads": HeadReader(limits.header, limits.header_count),
        "crowd": Crowd(limits.clients, limits.clients_per_address),
        "proxies": proxies or Proxies(),
        "peer_of": staticmethod(peer_of),
        "meter": meter,
        "mcp": mcp,
        "held": mcp.held if mcp is not None else Held(limits.held),
    }
    return type("ConfiguredEdge", (EdgeProtocol,), members)
