"""Streamable HTTP of the handshake versions: each message is a POST, the server's own stream a GET.

Source: basic/transports (2025-11-25), "Streamable HTTP" and "Session Management".
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from functools import partial
from itertools import count
from typing import Final

from bawn.errors import UPSTREAM_INVALID, UPSTREAM_STATUS, Refused
from bawn.model import Answer, Json
from bawn.ports import HttpReply, HttpRequest, UpstreamSession
from bawn.protocol import headers, legacy_server, strict
from bawn.upstream.events import close
from bawn.upstream.exchange import OnMessage, Wire, let_go, message
from bawn.upstream.line import (
    INTRODUCTION,
    Listener,
    OtherTransportError,
    Overheard,
    SessionGoneError,
)
from bawn.upstream.own import OwnStreams
from bawn.upstream.resuming import resumed
from bawn.upstream.sessions import Session

log = logging.getLogger("bawn.upstream")

_OTHER_TRANSPORT: Final = frozenset({400, 404, 405})
_NOT_NOW: Final = frozenset({401, 403, 408, 409, 429})
"""Answers to a GET that do not say that there is no stream; nor do those of 500 and above."""


class Streamable:
    """Implements `line.Line`; `ids` numbers the requests."""

    def __init__(self, wire: Wire, ids: count[int], overheard: Overheard) -> None:
        self._wire = wire
        self._ids = ids
        heard = partial(overheard, self)
        self._own = OwnStreams(self._open, heard, wire.limits.connections)

    async def begin(self, offered: Json) -> UpstreamSession:
        """Fills `Line`.

        Raises:
            OtherTransportError: the status may be that of a server with HTTP+SSE.
        """
        id_ = next(self._ids)
        params = legacy_server.initialize_params(offered)
        request = self._wire.request(id_, "initialize", params, (), most=INTRODUCTION)
        reply = await self._wire.client.send(request)
        if reply.status in _OTHER_TRANSPORT:
            await let_go(reply)
            raise OtherTransportError(reply.status)
        answer = await self._wire.read(reply, id_, _ignore)
        if answer.result is None:
            code = (answer.error or {}).get("code")
            raise Refused(UPSTREAM_INVALID, detail=f"initialize was answered with error {code}")
        version, _, _ = legacy_server.accept_initialize(answer.result)
        identifier = reply.headers.get(headers.SESSION)
        session = UpstreamSession(
            answer.result, version, identifier.decode("latin-1") if identifier else None
        )
        try:
            await self.tell(Session(session, offered), {"method": "notifications/initialized"})
        except Refused as refused:
            log.warning("a notification did not arrive", extra={"detail": str(refused)})
        return session

    async def end(self, session: UpstreamSession) -> None:
        """Fills `Line`."""
        self._own.end(session)
        limits = self._wire.limits
        all_headers = (*self._wire.headers, *Session(session, {}).headers)
        request = HttpRequest("DELETE", self._wire.url, all_headers, b"", 1.0, 1.0, limits.result)
        try:
            await let_go(await self._wire.client.send(request))
        except Refused:
            log.debug("a session could not be ended", extra={"server": self._wire.server})

    async def ask(
        self,
        session: Session,
        id_: int,
        method: str,
        params: Json,
        on_message: OnMessage,
        *,
        lasting: bool = False,
    ) -> Answer:
        """Fills `Line`: a stream that breaks is taken up again, if its events have ids."""
        if not lasting:
            return await self._ask(session, id_, method, params, on_message)
        async with self._own.during_a_call(session):
            return await self._ask(session, id_, method, params, on_message, lasting=True)

    async def _ask(
        self,
        session: Session,
        id_: int,
        method: str,
        params: Json,
        on_message: OnMessage,
        *,
        lasting: bool = False,
    ) -> Answer:
        wire = self._wire
        request = wire.request(id_, method, params, session.headers, lasting=lasting)
        reply = await wire.client.send(request)
        if session.identified and await self._is_gone(session, reply):
            self._own.end(session.shared)
            raise SessionGoneError
        reopen = partial(self._reopen, session, lasting)
        return await wire.read(reply, id_, on_message, reopen, lasting=lasting)

    async def tell(self, session: Session, message: Json) -> None:
        """Fills `Line`."""
        reply = await self._wire.post(strict.encode({"jsonrpc": "2.0", **message}), session.headers)
        if reply.status >= 400:
            raise Refused(UPSTREAM_STATUS, detail=f"HTTP {reply.status} to a message of ours")

    async def hear(self, session: Session, listener: Listener) -> bool:
        """Fills `Line`."""
        return await self._own.hear(session, listener)

    def leave(self, session: Session, listener: Listener) -> None:
        """Fills `Line`."""
        self._own.leave(session, listener)

    def close(self) -> None:
        """Fills `Line`."""
        self._own.close()

    async def _open(self, session: Session) -> AsyncIterator[Json] | None:
        """The GET stream, which a server need not have."""
        reply = await self._wire.follow(session.headers)
        if reply.status == 200 and reply.events is not None:
            return self._messages(session, reply.events)
        await let_go(reply)
        if session.identified and reply.status == 404:
            raise SessionGoneError
        if reply.status in _NOT_NOW or reply.status >= 500:
            raise Refused(UPSTREAM_STATUS, detail=f"HTTP {reply.status} to a GET")
        return None

    async def _messages(
        self, session: Session, events: AsyncIterator[bytes]
    ) -> AsyncIterator[Json]:
        going_on = resumed(events, partial(self._reopen, session, True))
        try:
            async for data in going_on:
                yield message(await self._wire.tree(data))
        finally:
            await close(going_on)

    async def _reopen(
        self, session: Session, lasting: bool, last_id: bytes
    ) -> AsyncIterator[bytes] | None:
        reply = await self._wire.follow(session.headers, last_id, lasting=lasting)
        if reply.status == 200 and reply.events is not None:
            return reply.events
        await let_go(reply)
        return None

    async def _is_gone(self, session: Session, reply: HttpReply) -> bool:
        """Whether the server does not know the session: it says 404, or has even a ping refused.

        Many servers say 400 where the specification has 404; what they make of a ping tells it from
        a 400 that is about the call.
        """
        if reply.status not in (400, 404):
            return False
        gone = True
        try:
            gone = reply.status == 404 or await self._refuses_a_ping(session)
        finally:
            if gone:
                await let_go(reply)
        return gone

    async def _refuses_a_ping(self, session: Session) -> bool:
        ping = self._wire.request(next(self._ids), "ping", {}, session.headers)
        reply = await self._wire.client.send(ping)
        await let_go(reply)
        return reply.status in (400, 404)


async def _ignore(message: Json) -> None:
    """Before the session stands, nothing that the server says concerns anybody."""
