"""Streamable HTTP: POST, GET and DELETE at /mcp and /mcp/{server}.

Source: transports/streamable-http (2026-07-28) and basic/transports (2025-11-25). An answer is JSON;
it becomes an event stream when the server has something to say first, or when a long call needs a
sign of life. GET opens the stream of a legacy session, or goes on with one that was interrupted.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from bawn.config import Limits
from bawn.errors import HTTP_METHOD, STREAM_UNKNOWN, Refused
from bawn.ports import Arrival, Elsewhere, Gate, Identity, Meter, Reply
from bawn.protocol import headers, versions
from bawn.transport.admission import (
    JSON,
    STREAM,
    Admission,
    Challenge,
    check_accept,
    check_message,
)
from bawn.transport.head import Head
from bawn.transport.held import Held
from bawn.transport.origin import OriginGuard
from bawn.transport.passing import Passing, lost
from bawn.transport.relay import Relay, stands
from bawn.transport.replay import key_of
from bawn.transport.request import Request
from bawn.transport.sse import MESSAGES, SseEndpoint
from bawn.transport.sse import PATH as SSE
from bawn.transport.standing import Standing
from bawn.transport.stream import CALL, INLINE, LAST_EVENT, STANDING, Stream, frame

_PATH: Final = b"/mcp"
_BELOW: Final = (b"/mcp/", b"/mcp?", b"/sse/", b"/sse?")
_MODERN: Final = versions.MODERN.encode()
_SOON: Final = 0.1  # seconds
ENDED: Final = Reply(200, b"")
"""What ends a stream that has no answer."""


def is_ours(target: bytes) -> bool:
    """Whether a request target is for the MCP endpoints."""
    return target in (_PATH, SSE) or target[:5] in _BELOW or target.startswith(MESSAGES)


class McpEndpoint:
    """Takes messages in, bounded and authenticated, and gives them to the gate.

    A `private` one serves the worker's own siblings alone. `standing` is what all endpoints of a worker
    have in common.
    """

    def __init__(
        self,
        gate: Gate,
        identity: Identity,
        guard: OriginGuard,
        meter: Meter,
        *,
        servers: Mapping[str, str],
        challenge: Challenge,
        body_limit: int,
        body_time: float = Limits().body_time,
        held: Held | None = None,
        relay: Relay | None = None,
        private: bool = False,
        standing: Standing | None = None,
    ) -> None:
        self.held = held or Held(Limits().held)
        if private:  # two workers that pass on to each other must not wait for each other's bytes
            self.held = Held(self.held.all.most)
        self._gate = gate
        self._standing = standing or Standing.within(Limits())
        self._replay = self._standing.replay
        self._passing = Passing(relay)
        self._admission = Admission(
            identity, guard, meter, servers=servers, challenge=challenge, body_limit=body_limit,
            body_time=body_time, held=self.held, relay=relay, private=private,
        )  # fmt: skip
        self._sse = SseEndpoint(gate, self._admission, self._passing, self._standing)

    async def serve(self, request: Request) -> None:
        """Answer one request."""
        target = request.head.target
        handle = self._handle if target[:4] == _PATH else self._sse.handle
        if b"origin" in request.head.headers and self._preflight(request):
            return
        try:
            reply = await handle(request)
        except Refused as refused:
            reply = self._admission.refusal(request, refused)
            if request.streaming and request.head.method == b"GET":
                reply = ENDED
        except BaseException:
            if isinstance(request.stream, Stream):
                request.stream.close()
            raise
        finally:
            if request.grant is not None:
                self.held.give(*request.grant)
                request.grant = None
        if reply is not None:
            stream = request.stream
            (stream if isinstance(stream, Stream) else request).finish(reply)

    def _preflight(self, request: Request) -> bool:
        """Whether a browser asked what a page may send, and was told."""
        admission, head = self._admission, request.head
        if admission.private:
            return False
        cors = admission.guard.cors
        request.extra = cors.fields(head.headers.get(b"origin"))
        allowed = cors.preflight(head.method, head.headers)
        if allowed is None:
            return False
        try:
            admission.guard.check(head.headers.get(b"host"), head.headers.get(b"origin"))
        except Refused as refused:
            request.finish(admission.refusal(request, refused))
        else:
            request.respond(204, allowed, b"")
        return True

    async def _handle(self, request: Request) -> Reply | None:
        arrival = self._admission.at_once(request) or await self._admitted(request)
        try:
            return await self._answer(arrival, request)
        except Elsewhere as elsewhere:
            return await self._pass_on(arrival, request, elsewhere.slot)

    async def _admitted(self, request: Request) -> Arrival:
        """What comes in, rung by rung."""
        admission = self._admission
        peer = admission.peer(request)
        principal = admission.recognised(request, peer) or await admission.verified(request)
        endpoint = admission.endpoint(request, _PATH, principal)
        head = request.head
        if head.method == b"POST":
            check_message(head.headers.get(b"content-type", b""))
            check_accept(head.headers.get(b"accept", b""), JSON, STREAM)
        else:
            _check_session(head)
        await admission.gather(request, principal)
        if head.method == b"POST":
            admission.remember(request, peer)
        return admission.arrived(request, peer, principal, endpoint)

    # ── the answer ──

    async def _answer(self, arrival: Arrival, request: Request) -> Reply | None:
        if request.head.method == b"DELETE":
            reply = self._gate.end(arrival)
            if reply.status < 300:
                self._replay.forget(key_of(arrival))
            return reply
        if request.head.method == b"GET":
            return await self._follow(arrival, request)
        request.lasting = True
        if (
            headers.SESSION not in arrival.headers
            or arrival.headers.get(headers.VERSION) == _MODERN
        ):
            return await self._gate.answer(arrival, request.emit)
        stream = Stream(self._replay, arrival, CALL, request)
        if not stream.primes:
            return await self._gate.answer(arrival, stream.emit)
        # what takes longer can be come back for, whether or not anything is told before its end
        timer = asyncio.get_running_loop().call_later(_SOON, request.open)
        try:
            return await self._gate.answer(arrival, stream.emit)
        finally:
            timer.cancel()

    async def _follow(self, arrival: Arrival, request: Request) -> Reply | None:
        """Go on with the stream that the caller names, or begin one; None when it has ended itself."""
        self._gate.open(arrival)
        last = arrival.headers.get(LAST_EVENT)
        if last is not None:
            found = self._replay.find(key_of(arrival), last)
            if found is not None:
                await found[0].carry(request, found[1])
                return None
            if not last.startswith(STANDING + b"."):
                raise Refused(
                    STREAM_UNKNOWN, detail="Last-Event-ID names no stream of this session"
                )
        request.lasting = True
        stream = Stream(self._replay, arrival, STANDING, request)
        request.open()
        await self._gate.follow(arrival, stream.emit)
        return ENDED

    async def _pass_on(self, arrival: Arrival, request: Request, slot: int) -> Reply | None:
        """Have another worker answer, whose streams keep what they tell."""
        request.stream, request.cancels = None, True
        method, path = request.head.method.decode(), request.head.target.decode()
        inline = INLINE in request.head.headers

        async def tell(id_: bytes, message: bytes) -> None:
            request.open()
            if id_ or message:
                await request.tell(frame(id_, message, inline=inline))

        async def here(settled: Arrival) -> Reply:
            return await self._answer(settled, request) or ENDED

        if stands(arrival, method):
            request.ending = request.cut
        try:
            return await self._passing.on(arrival, method, path, slot, tell, here)
        except Refused as refused:
            reply = lost(arrival, refused)
            self._admission.note(request, refused)
            return reply


def _check_session(head: Head) -> None:
    """See that what is no POST is about a legacy session.

    Raises:
        Refused: http.method or http.accept.
    """
    named = head.headers
    if headers.SESSION not in named or head.method not in (b"DELETE", b"GET"):
        raise Refused(HTTP_METHOD)
    if head.method == b"GET":
        if named.get(headers.VERSION) == _MODERN:
            raise Refused(HTTP_METHOD)
        check_accept(named.get(b"accept", b""), STREAM)
