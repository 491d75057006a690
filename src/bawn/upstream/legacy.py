"""A server of a handshake version over HTTP: one session for each isolation key.

Source: basic/transports (2025-11-25), "Session Management".
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from itertools import count
from typing import Any, Final

from bawn.errors import METHOD_NOT_FOUND, UPSTREAM_INVALID, UPSTREAM_STATUS, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit, HttpRequest
from bawn.protocol import headers, legacy_server, strict
from bawn.upstream.exchange import Headers, Relay, Wire

log = logging.getLogger("bawn.upstream")

_SESSIONS: Final = 4096


@dataclass(frozen=True, slots=True)
class Session:
    """What `initialize` agreed on; `headers` accompany every further message."""

    initialized: Json
    headers: Headers


class Legacy:
    """Keeps sessions and speaks the handshake versions in them."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids = count(1)
        self._sessions: OrderedDict[str, asyncio.Task[Session]] = OrderedDict()
        self._sending: set[asyncio.Task[None]] = set()

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """One exchange in the session of the isolation key; server/discover is answered from it.

        A session that the server no longer knows (404) did not get the request: it is begun anew
        and the request sent once more.

        Raises:
            Refused: an upstream.* reason.
        """
        session = await self._session(outbound.isolation)
        try:
            return await self._ask(session, outbound, emit)
        except _SessionGoneError:
            self._forget(outbound.isolation)
            return await self._ask(await self._session(outbound.isolation), outbound, emit)

    async def aclose(self) -> None:
        """End every session, as far as the servers listen."""
        sessions, self._sessions = self._sessions, OrderedDict()
        for task in sessions.values():
            if task.done() and not task.cancelled() and task.exception() is None:
                await self._end(task.result())
            task.cancel()

    async def _session(self, isolation: str) -> Session:
        task = self._sessions.get(isolation)
        if task is None or (task.done() and (task.cancelled() or task.exception() is not None)):
            task = asyncio.create_task(self._begin())
            self._sessions[isolation] = task
            if len(self._sessions) > _SESSIONS:
                self._sessions.popitem(last=False)
        # shielded: the session belongs to everybody who waits for it
        return await asyncio.shield(task)

    def _forget(self, isolation: str) -> None:
        self._sessions.pop(isolation, None)

    async def _begin(self) -> Session:
        id_ = next(self._ids)
        params = legacy_server.initialize_params()
        reply = await self._wire.client.send(self._wire.request(id_, "initialize", params, ()))
        answer = await self._wire.read(reply, id_, _ignore)
        if answer.result is None:
            code = (answer.error or {}).get("code")
            raise Refused(UPSTREAM_INVALID, detail=f"initialize was answered with error {code}")
        version, _, _ = legacy_server.accept_initialize(answer.result)
        agreed: Headers = ((headers.VERSION, version.encode()),)
        identifier = reply.headers.get(headers.SESSION)
        if identifier:
            agreed += ((headers.SESSION, identifier),)
        session = Session(answer.result, agreed)
        await self._tell(session, {"method": "notifications/initialized"})
        return session

    async def _ask(self, session: Session, outbound: Outbound, emit: Emit | None) -> Answer:
        method, params = outbound.method, outbound.params
        if method == "server/discover":
            method, params = "ping", {}
        id_ = next(self._ids)
        relay = Relay(legacy_server.to_legacy(method, params), id_, emit)

        async def on_message(message: Json) -> None:
            if "id" in message:
                self._spawn(self._respond(session, message))
            else:
                await relay(message)

        try:
            answer = await self._wire.ask(id_, method, relay.params, session.headers, on_message)
        except asyncio.CancelledError:
            self._spawn(self._tell(session, _cancelled(id_)))
            raise
        except Refused as refused:
            if refused.reason is UPSTREAM_STATUS and refused.detail == "HTTP 404":
                raise _SessionGoneError from refused
            raise
        if outbound.method == "server/discover":
            return Answer(result=legacy_server.discover_result(session.initialized))
        if answer.error is not None:
            return Answer(error=legacy_server.to_canonical_error(answer.error))
        return Answer(result=legacy_server.to_canonical_result(method, answer.result or {}))

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

    async def _end(self, session: Session) -> None:
        limits = self._wire.limits
        all_headers = (*self._wire.headers, *session.headers)
        try:
            await self._wire.client.send(
                HttpRequest("DELETE", self._wire.url, all_headers, b"", 1.0, 1.0, limits.result)
            )
        except Refused:
            log.debug("a session could not be ended", extra={"server": self._wire.server})

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
