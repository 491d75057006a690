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
from bawn.upstream.exchange import Headers, Relay, Wire, let_go

log = logging.getLogger("bawn.upstream")

_SESSIONS: Final = 4096
_ASIDE: Final = 64
"""Messages to one server beside its calls; requests of its own beyond that go unanswered."""


@dataclass(frozen=True, slots=True)
class Session:
    """What `initialize` agreed on; `headers` accompany every further message."""

    initialized: Json
    headers: Headers

    @property
    def identified(self) -> bool:
        """Whether the server gave it an id: only then can it be forgotten there."""
        return any(name == headers.SESSION for name, _ in self.headers)


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
        for _ in range(2):
            session = await self._session(outbound.isolation)
            try:
                return await self._ask(session, outbound, emit)
            except _SessionGoneError:
                self._forget(outbound.isolation, session)
        raise Refused(UPSTREAM_STATUS, detail="HTTP 404, in a new session as well")

    async def aclose(self) -> None:
        """End every session, as far as the servers listen."""
        sessions, self._sessions = self._sessions, OrderedDict()
        await asyncio.gather(*(self._end(task) for task in sessions.values()))
        for sending in tuple(self._sending):
            sending.cancel()

    async def _session(self, isolation: str) -> Session:
        task = self._sessions.get(isolation)
        if task is None or (task.done() and _standing(task) is None):
            task = self._sessions[isolation] = asyncio.create_task(self._begin())
            if len(self._sessions) > _SESSIONS:
                self._spawn(self._end(self._sessions.popitem(last=False)[1]))
        self._sessions.move_to_end(isolation)
        # shielded: the session belongs to everybody who waits for it
        return await asyncio.shield(task)

    def _forget(self, isolation: str, session: Session) -> None:
        """Drop this session; the one that somebody else has begun in its place stays."""
        task = self._sessions.get(isolation)
        if task is not None and _standing(task) is session:
            del self._sessions[isolation]

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
            if reply.status == 404 and session.identified:
                await let_go(reply)
                raise _SessionGoneError
            answer = await self._wire.read(reply, id_, on_message)
        except asyncio.CancelledError:
            self._spawn(self._tell(session, _cancelled(id_)))
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

    async def _end(self, task: asyncio.Task[Session]) -> None:
        session = _standing(task)
        if session is None:
            task.cancel()
            return
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


def _standing(task: asyncio.Task[Session]) -> Session | None:
    """The session that a task has begun; None while it does, and when it failed."""
    if not task.done() or task.cancelled() or task.exception() is not None:
        return None
    return task.result()


def _cancelled(id_: int) -> Json:
    return {"method": "notifications/cancelled", "params": {"requestId": id_}}


async def _ignore(message: Json) -> None:
    """Before the session stands, nothing that the server says concerns anybody."""
