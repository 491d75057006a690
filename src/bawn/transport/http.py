"""Streamable HTTP: POST and DELETE at /mcp and /mcp/{server}.

Source: transports/streamable-http (2026-07-28 and 2025-11-25). The answer is JSON; it becomes an
event stream when the server reports progress first, or when a long call needs a sign of life.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection
from time import time
from typing import Final
from urllib.parse import unquote

import msgspec

from bawn.config.model import SERVER_ID, Limits
from bawn.errors import (
    GATE_NOT_READY,
    GATE_WORKER_LOST,
    HTTP_ACCEPT,
    HTTP_BODY,
    HTTP_MEDIA_TYPE,
    HTTP_METHOD,
    HTTP_NOT_FOUND,
    LIMIT_HELD,
    Reason,
    Refused,
)
from bawn.model import Peer, Principal
from bawn.ports import Arrival, Elsewhere, Gate, Identity, Meter, Reply
from bawn.protocol import envelope, headers, replies, strict, versions
from bawn.transport.body import LARGE
from bawn.transport.head import Head
from bawn.transport.held import Held
from bawn.transport.origin import OriginGuard
from bawn.transport.relay import HEADER as RELAYED
from bawn.transport.relay import Relay
from bawn.transport.request import Request

log = logging.getLogger("bawn.transport")

_PATH: Final = "/mcp"
_FINE: Final = 1024
_WAYS: Final = 4
"""How often a message that nobody is ready for looks for its worker anew."""
_MOMENT: Final = 0.02  # seconds between two attempts
_NOT_READY: Final = f'"{GATE_NOT_READY.id}"'.encode()


class McpEndpoint:
    """Takes messages in, bounded and authenticated, and gives them to the gate.

    A `private` one serves the worker's own siblings alone: who they speak for is in a header that
    only they can seal.
    """

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
        body_time: float = Limits().body_time,
        held: Held | None = None,
        relay: Relay | None = None,
        private: bool = False,
    ) -> None:
        if private and relay is None:
            raise ValueError("a private endpoint needs a relay, to open what the others seal")
        self._gate = gate
        self._identity = identity
        self._guard = guard
        self._meter = meter
        self._endpoints: dict[bytes, str | None] = {f"{_PATH}/{n}".encode(): n for n in servers}
        self._endpoints[_PATH.encode()] = None
        self._fine: set[tuple[bytes | None, ...]] = set()  # headers that passed every check before
        self._challenge = challenge
        self._body_limit = body_limit
        self._body_time = body_time
        self._small = min(LARGE, body_limit)
        self.held = held or Held(Limits().held)
        if private:  # two workers that pass on to each other must not wait for each other's bytes
            self.held = Held(self.held.all.most)
        self._relay = relay
        self._private = private

    async def serve(self, request: Request) -> None:
        """Answer one request."""
        try:
            arrival = await self._admit(request)
            try:
                reply = await self._answer(arrival, request)
            except Elsewhere as elsewhere:
                reply = await self._pass_on(arrival, request, elsewhere.slot)
        except Refused as refused:
            reply = self._refusal(request, refused)
        finally:
            if request.grant is not None:
                self.held.give(*request.grant)
                request.grant = None
        request.finish(reply)

    # ── who and what may come in ──

    async def _admit(self, request: Request) -> Arrival:
        """The message as far as the transport judges it."""
        head = request.head
        named = head.headers
        host, origin = named.get(b"host"), named.get(b"origin")
        media, accept = named.get(b"content-type"), named.get(b"accept")
        peer = self._sealed_peer(head) if self._private else request.peer
        fine = (host, origin, media, accept) in self._fine
        if not fine and not self._private and peer.uid is None:
            self._guard.check(host, origin)
        target = head.target
        if b"?" in target:
            raise Refused(HTTP_NOT_FOUND, detail="a query in the URL, where tokens get logged")
        # before the path is judged: a stranger learns nothing of which servers there are
        authorization = named.get(b"authorization")
        principal = self._identity.recognise(authorization, peer, time())
        if principal is None:
            principal = await self._identity.verify(authorization or b"", time())
        # the path as it was sent: an escaped one would name an endpoint in a second way
        if target not in self._endpoints:
            raise Refused(HTTP_NOT_FOUND)
        if head.method != b"POST":
            if head.method != b"DELETE" or headers.SESSION not in named:
                raise Refused(HTTP_METHOD)
        elif not fine:
            _check_media(media or b"", accept or b"")
            if peer.uid is None and len(self._fine) < _FINE:
                self._fine.add((host, origin, media, accept))
        if head.length != len(request.body) or head.length > self._small:
            await self._gather(request, principal)
        project = None
        if peer.uid is not None and b"bawn-project" in named:
            project = unquote(named[b"bawn-project"].decode("latin-1"))
        endpoint = self._endpoints[target]
        return Arrival(principal, endpoint, named, request.body, peer, project, self._private)

    def _sealed_peer(self, head: Head) -> Peer:
        peer = self._relay.peer(head.headers.get(RELAYED)) if self._relay is not None else None
        if peer is None:
            raise Refused(HTTP_NOT_FOUND, detail="not from another worker")
        return peer

    async def _gather(self, request: Request, principal: Principal) -> None:
        """Have the body come whole; large ones when there is room for them."""
        limit = self._body_limit
        length = request.head.length
        if length is None:
            length = len(request.body) if await request.gather(self._small) else limit
        if length > limit:
            raise Refused(HTTP_BODY, f"at most {limit} bytes")
        if length > LARGE:
            try:
                async with asyncio.timeout(self._body_time):
                    await self.held.take(principal.key, length)
            except TimeoutError:
                raise Refused(LIMIT_HELD) from None
            request.grant = (principal.key, length)
        if not await request.gather(limit) or len(request.body) > limit:
            raise Refused(HTTP_BODY, f"at most {limit} bytes")

    # ── the answer ──

    async def _answer(self, arrival: Arrival, request: Request) -> Reply:
        if request.head.method == b"DELETE":
            return self._gate.end(arrival)
        request.lasting = True
        return await self._gate.answer(arrival, request.emit)

    async def _pass_on(self, arrival: Arrival, request: Request, slot: int) -> Reply:
        """Let the worker in this slot answer; when it is not there, answer here.

        What is in force may change on the way. Then whoever was asked has done nothing, and says that it
        is not ready: the message finds its way anew.
        """
        settled = msgspec.structs.replace(arrival, settled=True)
        for _ in range(_WAYS):
            there = await self._forward(arrival, request, slot)
            reply = there if there is not None else await self._answer(settled, request)
            if not _not_ready(reply):
                break
            await asyncio.sleep(_MOMENT)
            try:
                return await self._answer(arrival, request)
            except Elsewhere as elsewhere:
                slot = elsewhere.slot
        return reply

    async def _forward(self, arrival: Arrival, request: Request, slot: int) -> Reply | None:
        """The answer of the worker in this slot; None when it is not there."""
        if self._relay is None:
            return None
        method, path = request.head.method.decode(), request.head.target.decode()
        try:
            return await self._relay.forward(arrival, method, path, slot, request.emit)
        except Refused as refused:
            if refused.reason is not GATE_WORKER_LOST:
                raise
            return self._lost(arrival, request, refused)

    def _lost(self, arrival: Arrival, request: Request, refused: Refused) -> Reply:
        """The refusal of a call whose worker died, told as the answer to that call."""
        self._note(request, refused)
        try:
            tree = strict.careful(arrival.body, strict.JsonLimits())
        except Refused:
            tree = None
        modern = arrival.headers.get(headers.VERSION) == versions.MODERN.encode()
        id_ = envelope.identifier(tree)
        return replies.refusal(refused, id_=id_, trace="", method="", modern=modern)

    def _refusal(self, request: Request, refused: Refused) -> Reply:
        self._note(request, refused)
        refused.challenge = self._challenge(refused.reason, _endpoint_of(request.head.target))
        return replies.refusal(refused, id_=None, trace="", method="", modern=True)

    def _note(self, request: Request, refused: Refused) -> None:
        self._meter.refusal(refused.reason.id)
        said = {"reason": refused.reason.id, "detail": refused.detail}
        log.info("refused", extra={**said, "peer": request.peer.address})


def _not_ready(reply: Reply) -> bool:
    return reply.status == GATE_NOT_READY.status and _NOT_READY in reply.body


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


def _endpoint_of(target: bytes) -> str | None:
    """The endpoint that a path names, served or not: a challenge must not tell which servers there are."""
    path = unquote(target.partition(b"?")[0].decode("ascii"))
    server = path.removeprefix(f"{_PATH}/")
    return server if server != path and SERVER_ID.fullmatch(server) else None
