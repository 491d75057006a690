"""Streamable HTTP: POST /mcp and /mcp/{server}, as a bare ASGI application.

Source: transports/streamable-http (2026-07-28 and 2025-11-25). The answer is JSON; it becomes an
event stream when the server reports progress first, or when a long call needs a sign of life.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, MutableMapping
from time import time
from typing import Any, Final

from bawn.errors import (
    HTTP_ACCEPT,
    HTTP_BODY,
    HTTP_MEDIA_TYPE,
    HTTP_METHOD,
    HTTP_NOT_FOUND,
    Reason,
    Refused,
)
from bawn.model import Json, Peer, Principal
from bawn.ports import Arrival, Gate, Identity, Meter, Reply
from bawn.protocol import headers as mirrored
from bawn.protocol import replies, sse
from bawn.protocol.strict import encode
from bawn.transport.origin import OriginGuard

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

WATCH_AFTER: Final = 0.2
"""Seconds until a call is watched for its caller's going away: short ones are spared the cost."""

KEEP_ALIVE: Final = 15.0
"""Seconds of silence until a stream carries a comment, lest a proxy between takes it for dead."""

_STREAM_HEADERS: Final = [
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
]
_PATH: Final = "/mcp"


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
        self._endpoints: dict[str, str | None] = {f"{_PATH}/{name}": name for name in servers}
        self._endpoints[_PATH] = None
        self._challenge = challenge
        self._body_limit = body_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            arrival = await self._admit(scope, receive)
        except Refused as refused:
            self._meter.refusal(refused.reason.id)
            refused.challenge = refused.challenge or self._challenge_for(scope, refused)
            await _send(send, replies.refusal(refused, id_=None, trace="", method="", modern=True))
            return
        if arrival is not None:
            await _Exchange(self._gate, arrival, receive, send).run()

    def _challenge_for(self, scope: Scope, refused: Refused) -> str | None:
        return self._challenge(refused.reason, self._endpoints.get(scope["path"]))

    async def _admit(self, scope: Scope, receive: Receive) -> Arrival | None:
        """The message as far as the transport judges it; None when the caller went away meanwhile."""
        headers = mirrored.single(scope["headers"])
        peer: Peer = scope["state"]["peer"]
        if peer.uid is None:
            self._guard.check(headers.get(b"host"), headers.get(b"origin"))
        # before the path is judged: a stranger learns nothing of which servers there are
        principal = await self._who(headers.get(b"authorization"), peer)
        # the raw path: an escaped one would name an endpoint in a second way
        path = scope["raw_path"].decode("latin-1")
        if path not in self._endpoints:
            raise Refused(HTTP_NOT_FOUND)
        if scope["method"] != "POST":
            raise Refused(HTTP_METHOD)
        _check_media(headers.get(b"content-type", b""), headers.get(b"accept", b""))
        body = await self._body(headers.get(b"content-length"), receive)
        if body is None:
            return None
        project = headers.get(b"bawn-project") if peer.uid is not None else None
        return Arrival(
            principal,
            self._endpoints[path],
            headers,
            body,
            project.decode("utf-8", "replace") if project else None,
        )

    async def _who(self, authorization: bytes | None, peer: Peer) -> Principal:
        known = self._identity.recognise(authorization, peer, time())
        if known is not None:
            return known
        return await self._identity.verify(authorization or b"", time())

    async def _body(self, length: bytes | None, receive: Receive) -> bytes | None:
        if length is not None and (not length.isdigit() or int(length) > self._body_limit):
            raise Refused(HTTP_BODY, f"at most {self._body_limit} bytes")
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if not message.get("more_body"):
            body: bytes = message["body"]
        else:
            parts = bytearray(message["body"])
            while message.get("more_body"):
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts += message["body"]
                if len(parts) > self._body_limit:
                    raise Refused(HTTP_BODY, f"at most {self._body_limit} bytes")
            body = bytes(parts)
        if len(body) > self._body_limit:
            raise Refused(HTTP_BODY, f"at most {self._body_limit} bytes")
        return body


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


class _Exchange:
    """One admitted message and its answer; a stream only if something must be said before the end."""

    def __init__(self, gate: Gate, arrival: Arrival, receive: Receive, send: Send) -> None:
        self._gate = gate
        self._arrival = arrival
        self._receive = receive
        self._send = send
        self._streaming = False
        self._gone = False
        self._watcher: asyncio.Task[None] | None = None

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        current = asyncio.current_task()
        timer = loop.call_later(WATCH_AFTER, self._watch, current)
        try:
            reply = await self._gate.answer(self._arrival, self.emit)
        except asyncio.CancelledError:
            if not self._gone or current is None:
                raise
            current.uncancel()
            return
        finally:
            timer.cancel()
            if self._watcher is not None:
                self._watcher.cancel()
        await self._finish(reply)

    async def emit(self, message: Json) -> None:
        """Send a notification towards the caller, which makes the answer a stream."""
        await self._stream(sse.event(encode(message)))

    async def _stream(self, frame: bytes) -> None:
        if not self._streaming:
            self._streaming = True
            start = {"type": "http.response.start", "status": 200, "headers": _STREAM_HEADERS}
            await self._send(start)
        await self._send({"type": "http.response.body", "body": frame, "more_body": True})

    async def _finish(self, reply: Reply) -> None:
        if not self._streaming:
            await _send(self._send, reply)
            return
        if reply.body:
            await self._stream(sse.event(reply.body))
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})

    def _watch(self, call: asyncio.Task[Any] | None) -> None:
        self._watcher = asyncio.create_task(self._until_gone(call))

    async def _until_gone(self, call: asyncio.Task[Any] | None) -> None:
        """Cancel the call once its caller closes the connection; meanwhile give signs of life."""
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
        if call is not None:
            call.cancel()


async def _send(send: Send, reply: Reply) -> None:
    headers = [
        *(reply.headers or (replies.JSON_TYPE,)),
        (b"content-length", b"%d" % len(reply.body)),
    ]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    await send({"type": "http.response.body", "body": reply.body, "more_body": False})
