"""Streamable HTTP: POST /mcp and /mcp/{server}, as a bare ASGI application.

Source: transports/streamable-http (2026-07-28 and 2025-11-25). The answer is JSON; it becomes an
event stream when the server reports progress first, or when a long call needs a sign of life.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from time import time
from typing import Any, Final
from urllib.parse import unquote

from bawn.config.model import SERVER_ID
from bawn.errors import (
    HTTP_ACCEPT,
    HTTP_BODY,
    HTTP_MEDIA_TYPE,
    HTTP_METHOD,
    HTTP_NOT_FOUND,
    Reason,
    Refused,
)
from bawn.model import Json, Peer
from bawn.ports import Arrival, Gate, Identity, Meter, Reply
from bawn.protocol import headers as mirrored
from bawn.protocol import replies, sse
from bawn.protocol.strict import encode
from bawn.transport.origin import OriginGuard
from bawn.transport.watch import Watch
from bawn.transport.whole import Whole

log = logging.getLogger("bawn.transport")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

KEEP_ALIVE: Final = 15.0
"""Seconds of silence until a stream carries a comment, lest a proxy between takes it for dead."""

_STREAM_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_JSON_ONLY: Final = (replies.JSON_TYPE,)
_PATH: Final = "/mcp"
_FINE: Final = 1024


class McpEndpoint:
    """Takes messages in, bounded and authenticated, and gives them to the gate."""

    def __init__(
        self,
        gate: Gate,
        identity: Identity,
        guard: OriginGuard,
        meter: Meter,
        *,
        servers: Collection[str],
        challenge: Callable[[Reason, str | None], str | None],
        body_limit: int,
    ) -> None:
        self._gate = gate
        self._identity = identity
        self._guard = guard
        self._meter = meter
        self._endpoints: dict[bytes, str | None] = {f"{_PATH}/{n}".encode(): n for n in servers}
        self._endpoints[_PATH.encode()] = None
        self._watch = Watch()
        self._fine: set[tuple[bytes | None, ...]] = set()  # headers that passed every check before
        self._challenge = challenge
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = _Exchange(scope, receive, send)
        try:
            arrival = await self._admit(scope, exchange)
        except Refused as refused:
            await exchange.finish(self._refusal(scope, refused))
            return
        if arrival is None:
            return
        self._watch.enter(exchange)
        try:
            reply = await self._gate.answer(arrival, exchange.emit)
        except asyncio.CancelledError:
            if not exchange.abandoned():
                raise
            return
        finally:
            self._watch.leave(exchange)
            exchange.stop_looking()
        await exchange.finish(reply)

    def _refusal(self, scope: Scope, refused: Refused) -> Reply:
        self._meter.refusal(refused.reason.id)
        said = {"reason": refused.reason.id, "detail": refused.detail}
        log.info("refused", extra={**said, "peer": scope["state"]["peer"].address})
        refused.challenge = self._challenge(refused.reason, _endpoint_of(scope["path"]))
        return replies.refusal(refused, id_=None, trace="", method="", modern=True)

    async def _admit(self, scope: Scope, exchange: _Exchange) -> Arrival | None:
        """The message as far as the transport judges it; None when the caller went away meanwhile."""
        headers = mirrored.single(scope["headers"])
        peer: Peer = scope["state"]["peer"]
        host, origin = headers.get(b"host"), headers.get(b"origin")
        media, accept = headers.get(b"content-type"), headers.get(b"accept")
        fine = (host, origin, media, accept) in self._fine
        if not fine and peer.uid is None:
            self._guard.check(host, origin)
        if scope["query_string"]:
            raise Refused(HTTP_NOT_FOUND, detail="a query in the URL, where tokens get logged")
        # before the path is judged: a stranger learns nothing of which servers there are
        authorization = headers.get(b"authorization")
        principal = self._identity.recognise(authorization, peer, time())
        if principal is None:
            principal = await self._identity.verify(authorization or b"", time())
        # the raw path: an escaped one would name an endpoint in a second way
        raw_path = scope["raw_path"]
        if raw_path not in self._endpoints:
            raise Refused(HTTP_NOT_FOUND)
        if scope["method"] != "POST":
            raise Refused(HTTP_METHOD)
        if not fine:
            _check_media(media or b"", accept or b"")
            if peer.uid is None and len(self._fine) < _FINE:
                self._fine.add((host, origin, media, accept))
        body = exchange.ready_body()
        if body is None:
            body = await exchange.body(headers.get(b"content-length"), self._body_limit)
            if body is None:
                return None
        if len(body) > self._body_limit:
            raise Refused(HTTP_BODY, f"at most {self._body_limit} bytes")
        project = None
        if peer.uid is not None and b"bawn-project" in headers:
            project = unquote(headers[b"bawn-project"].decode("latin-1"))
        return Arrival(principal, self._endpoints[raw_path], headers, body, project)


def _check_media(content_type: bytes, accept: bytes) -> None:
    if content_type != b"application/json":
        media = content_type.partition(b";")[0].strip().lower()
        if media != b"application/json":
            raise Refused(HTTP_MEDIA_TYPE)
    if b"application/json" in accept and b"text/event-stream" in accept:
        return
    ranges = accept.lower()
    if b"*/*" not in ranges and (
        b"application/json" not in ranges or b"text/event-stream" not in ranges
    ):
        raise Refused(HTTP_ACCEPT)


def _endpoint_of(path: str) -> str | None:
    """The endpoint that a path names, served or not: a challenge must not tell which servers there are."""
    server = path.removeprefix(f"{_PATH}/")
    return server if server != path and SERVER_ID.fullmatch(server) else None


class _Exchange:
    """One message and its answer; a stream only if something must be said before the end."""

    __slots__ = ("_call", "_gone", "_receive", "_send", "_streaming", "_watcher", "_whole")

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._receive = receive
        self._send = send
        # taken out: it leads back to the scope, and the circle would wait for the collector
        self._whole: Whole | None = scope["state"].pop("whole", None)
        self._streaming = False
        self._gone = False
        self._call = self._whole.task if self._whole is not None else asyncio.current_task()
        self._watcher: asyncio.Task[None] | None = None

    def ready_body(self) -> bytes | None:
        """The request's body, if it came whole already."""
        return self._whole.body() if self._whole is not None else None

    async def body(self, length: bytes | None, limit: int) -> bytes | None:
        """The request's body, no longer than one part above `limit`; None when the caller went away.

        Raises:
            Refused: http.body, for one that announces more than `limit` bytes.
        """
        if length is not None and (not length.isdigit() or int(length) > limit):
            raise Refused(HTTP_BODY, f"at most {limit} bytes")
        parts = bytearray()
        more = True
        while more and len(parts) <= limit:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                return None
            parts += message["body"]
            more = message.get("more_body", False)
        return bytes(parts)

    async def emit(self, message: Json) -> None:
        """Send a notification towards the caller, which makes the answer a stream."""
        await self._stream(sse.event(encode(message)))

    async def finish(self, reply: Reply) -> None:
        """Send the answer: by itself, or as the last event of the stream."""
        if self._streaming:
            if reply.body:
                await self._stream(sse.event(reply.body))
            await self._send({"type": "http.response.body", "body": b"", "more_body": False})
            return
        headers = reply.headers or _JSON_ONLY
        if self._whole is not None and self._whole.respond(reply.status, headers, reply.body):
            return
        length = (b"content-length", b"%d" % len(reply.body))
        start = {
            "type": "http.response.start",
            "status": reply.status,
            "headers": [*headers, length],
        }
        await self._send(start)
        await self._send({"type": "http.response.body", "body": reply.body, "more_body": False})

    async def _stream(self, frame: bytes) -> None:
        if not self._streaming:
            self._streaming = True
            start = {"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS}
            await self._send(start)
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    def look_after(self) -> None:
        """The call lasts: notice when its caller goes away, and give signs of life."""
        self._watcher = asyncio.create_task(self._until_gone())

    def stop_looking(self) -> None:
        """The call ended."""
        if self._watcher is not None:
            self._watcher.cancel()

    def abandoned(self) -> bool:
        """Whether the call was cancelled because its caller went away; then that is dealt with."""
        if self._gone and self._call is not None:
            self._call.uncancel()
        return self._gone

    async def _until_gone(self) -> None:
        gone = asyncio.ensure_future(self._receive())
        try:
            while True:
                done, _ = await asyncio.wait({gone}, timeout=KEEP_ALIVE)
                if not done:
                    await self._stream(sse.KEEP_ALIVE)
                elif gone.result()["type"] == "http.disconnect":
                    break
                else:
                    gone = asyncio.ensure_future(self._receive())
        finally:
            gone.cancel()
        self._gone = True
        if self._call is not None:
            self._call.cancel()
