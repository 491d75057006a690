"""A server of a handshake version over HTTP: one session for each isolation key.

Source: basic/transports (2025-11-25), "Session Management".
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from itertools import count
from typing import Any, Final

from bawn.errors import METHOD_NOT_FOUND, UPSTREAM_INVALID, UPSTREAM_STATUS, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit, HttpReply, HttpRequest, UpstreamSession, UpstreamSessions
from bawn.protocol import headers, legacy_server, strict
from bawn.upstream.exchange import Relay, Wire, let_go
from bawn.upstream.sessions import Session, Sessions

log = logging.getLogger("bawn.upstream")

_ASIDE: Final = 64
"""Messages to one server beside its calls; requests of its own beyond that go unanswered."""

_INTRODUCTION: Final = 256 << 10
"""Most bytes of an answer to `initialize`: it is kept with its session."""


class Legacy:
    """Speaks the handshake versions, in sessions that `store` lets all workers share."""

    def __init__(self, wire: Wire, store: UpstreamSessions | None = None) -> None:
        self._wire = wire
        self._ids = count(1)
        self._sessions = Sessions(wire.server, self, store)
        self._sending: set[asyncio.Task[None]] = set()

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """One exchange in the session of the isolation key; server/discover is answered from it.

        A session that the server no longer knows (404) did not get the request: it is begun anew
        and the request sent once more.

        Raises:
            Refused: an upstream.* reason.
        """
        session: Session | None = None
        for _ in range(2):
            session = await self._sessions.get(outbound.isolation, outbound.principal, session)
            try:
                return await self._ask(session, outbound, emit)
            except _SessionGoneError:
                continue
        raise Refused(UPSTREAM_STATUS, detail="HTTP 404, in a new session as well")

    async def aclose(self) -> None:
        """End the sessions that no other worker uses, as far as the server listens."""
        await self._sessions.aclose()
        for sending in tuple(self._sending):
            sending.cancel()

    async def begin(self) -> UpstreamSession:
        """Fills `sessions.Handshake`."""
        id_ = next(self._ids)
        params = legacy_server.initialize_params()
        request = self._wire.request(id_, "initialize", params, (), most=_INTRODUCTION)
        reply = await self._wire.client.send(request)
        answer = await self._wire.read(reply, id_, _ignore)
        if answer.result is None:
            code = (answer.error or {}).get("code")
            raise Refused(UPSTREAM_INVALID, detail=f"initialize was answered with error {code}")
        version, _, _ = legacy_server.accept_initialize(answer.result)
        identifier = reply.headers.get(headers.SESSION)
        session = UpstreamSession(
            answer.result, version, identifier.decode("latin-1") if identifier else None
        )
        await self._tell(Session(session), {"method": "notifications/initialized"})
        return session

    async def end(self, session: UpstreamSession) -> None:
        """Fills `sessions.Handshake`."""
        limits = self._wire.limits
        all_headers = (*self._wire.headers, *Session(session).headers)
        request = HttpRequest("DELETE", self._wire.url, all_headers, b"", 1.0, 1.0, limits.result)
        try:
            await let_go(await self._wire.client.send(request))
        except Refused:
            log.debug("a session could not be ended", extra={"server": self._wire.server})

    async def _ask(self, session: Session, outbound: Outbound, emit: Emit | None) -> Answer:
        method, params = outbound.method, outbound.params
        if method == "server/discover":
            method, params = "ping", {}
        id_ = next(self._ids)
        relay = Relay(params, id_, emit)
        request = self._wire.request(
            id_, method, legacy_server.to_legacy(method, relay.params), session.headers
        )

        async def on_message(message: Json) -> None:
            if "id" in message:
                if len(self._sending) < _ASIDE:
                    self._spawn(self._respond(session, message))
            else:
                await relay(message)

        try:
            reply = await self._wire.client.send(request)
            if session.identified and await self._is_gone(session, reply):
                raise _SessionGoneError
            answer = await self._wire.read(reply, id_, on_message)
        except asyncio.CancelledError:
            self._spawn(self._tell(session, _cancelled(id_)))
            raise
        if outbound.method == "server/discover":
            return Answer(result=legacy_server.discover_result(session.shared.initialized))
        if answer.error is not None:
            return Answer(error=legacy_server.to_canonical_error(answer.error))
        return Answer(result=legacy_server.to_canonical_result(method, answer.result or {}))

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

    async def _respond(self, session: Session, request: Json) -> None:
        """Answer what the server asks: ping; nothing else was offered."""
        if request.get("method") == "ping":
            await self._tell(session, {"id": request["id"], "result": {}})
            return
        error = {"code": METHOD_NOT_FOUND, "message": "Not offered by this client"}
        await self._tell(session, {"id": request["id"], "error": error})

    async def _tell(self, session: Session, message: Json) -> None:
        try:
            body = strict.encode({"jsonrpc": "2.0", **message})
            await self._wire.post(body, session.headers)
        except Refused as refused:
            log.warning("a notification did not arrive", extra={"detail": str(refused)})

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)


class _SessionGoneError(Exception):
    """The server does not know the session any more."""


def _cancelled(id_: int) -> Json:
    return {"method": "notifications/cancelled", "params": {"requestId": id_}}


async def _ignore(message: Json) -> None:
    """Before the session stands, nothing that the server says concerns anybody."""
