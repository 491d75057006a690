"""A server of a handshake version over HTTP: one session for each isolation key and offer.

What it asks in the midst of a call goes to the caller by `parking`, if it was offered; where nothing is
offered, a call is one exchange and no more.

Source: basic/lifecycle and the client feature pages (2025-11-25).
"""

from __future__ import annotations

import asyncio
import logging
from functools import partial
from itertools import count
from typing import Final

import msgspec

from bawn.errors import UPSTREAM_INVALID, UPSTREAM_STATUS, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit, UpstreamSessions
from bawn.protocol import capabilities, legacy_server, own, versions
from bawn.upstream.exchange import Relay, Wire
from bawn.upstream.feed import Feeds
from bawn.upstream.line import Line, OtherTransportError, SessionGoneError
from bawn.upstream.oldstream import OldStream
from bawn.upstream.parking import Asks, Parking
from bawn.upstream.questions import OpenCall, Questions
from bawn.upstream.sessions import Session, Sessions
from bawn.upstream.streamable import Streamable
from bawn.upstream.verify import LOST, Verify, listed

log = logging.getLogger("bawn.upstream")

_SHARED: Final = "shared"
_DOUBTFUL: Final = frozenset({UPSTREAM_STATUS, UPSTREAM_INVALID})
_LISTEN: Final = "subscriptions/listen"


class Legacy:
    """Speaks the handshake versions, in sessions that `store` lets all workers share.

    Calls in whose session the server may ask come to one worker (`Upstream.stays`); a listen that is not
    at that worker has a session of its own.
    """

    def __init__(
        self, wire: Wire, store: UpstreamSessions | None = None, verify: Verify | None = None
    ) -> None:
        self._wire = wire
        self._store = store
        self._verify = verify
        self._ids = count(1)
        self._questions = Questions()
        self._line: Line = self._streamable()
        self._sessions = Sessions(wire.server, self._line, store)
        self._parking = Parking(wire.server, wire.limits)
        self._feeds = Feeds(self._ids, wire.limits.connections)
        self._changing = asyncio.Lock()

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """One exchange in the session of the isolation key; server/discover is answered from it.

        A session that the server no longer knows (404) did not get the request: it is begun anew
        and the request sent once more.

        Raises:
            Refused: an upstream.* reason; state.lost and limit.parked where the server asks back.
        """
        if outbound.parked:
            return await self._parking.resume(outbound, emit)
        meta = outbound.params.get("_meta") or {}
        shared = outbound.isolation == _SHARED
        offered = capabilities.offered(meta.get(versions.META_CAPABILITIES), shared=shared)
        method = versions.METHODS.get(outbound.method)
        if offered and method is not None and method.asks:
            exchange = partial(self._exchange, outbound, offered)
            return await self._parking.run(outbound, emit, exchange)
        return await self._exchange(outbound, offered, emit, None)

    @property
    def is_old(self) -> bool:
        """Whether it speaks the transport of 2024-11-05."""
        return isinstance(self._line, OldStream)

    async def aclose(self) -> None:
        """End the sessions that no other worker uses, as far as the server listens."""
        await self._parking.aclose()
        self._line.close()
        await self._feeds.aclose()
        await self._sessions.aclose()
        self._questions.aclose()

    def _streamable(self) -> Streamable:
        return Streamable(self._wire, self._ids, self._questions.overheard)

    async def _exchange(
        self, outbound: Outbound, offered: Json, emit: Emit | None, asks: Asks | None
    ) -> Answer:
        session: Session | None = None
        for _ in range(2):
            line, session = await self._session(outbound, offered, session)
            try:
                if self._verify is not None:
                    await self._check(self._verify, line, session, outbound)
                if outbound.method == _LISTEN:
                    return await self._feeds.listen(line, session, outbound.params, emit)
                return await self._ask(line, session, outbound, emit, asks)
            except SessionGoneError:
                continue
            except Refused as refused:
                if refused.reason in LOST and session.verifying is not None:
                    session.verifying.doubt_all()
                raise
        raise Refused(UPSTREAM_STATUS, detail="HTTP 404, in a new session as well")

    async def _check(
        self, verify: Verify, line: Line, session: Session, outbound: Outbound
    ) -> None:
        """See that what a call relies on is in this session as it was approved."""
        verifying = session.verifying
        if verifying is None:
            verifying = session.verifying = verify()
        if verifying.settled(outbound.method):
            return

        async def ask(method: str, params: Json) -> Json:
            listing = msgspec.structs.replace(
                outbound, method=method, params=own.asking(params), name=None, headers=()
            )
            return listed(await self._ask(line, session, listing, None, None), method)

        await verifying.check(outbound.method, outbound.params.get("name"), ask)

    async def _session(
        self, outbound: Outbound, offered: Json, gone: Session | None
    ) -> tuple[Line, Session]:
        """The session, and the line that it is on: which of the two transports, the first one shows."""
        isolation = outbound.isolation
        if outbound.apart:
            isolation = f"{isolation}|{outbound.apart}"
        named = (isolation, outbound.principal, offered)
        line, sessions = self._line, self._sessions
        try:
            return line, await sessions.get(*named, gone)
        except OtherTransportError as refused:
            async with self._changing:
                if self._line is line:
                    line = OldStream(self._wire, self._ids, self._questions.overheard)
                    await self._change(line, named, refused)
            return self._line, await self._sessions.get(*named)
        except Refused as refused:
            if isinstance(line, OldStream) and refused.reason in _DOUBTFUL and not line.is_used:
                self._line = self._streamable()  # it may have become a newer one
                self._sessions = Sessions(self._wire.server, self._line, self._store)
            raise

    async def _change(
        self, line: OldStream, named: tuple[str, str, Json], refused: Refused
    ) -> None:
        """Take to the transport of 2024-11-05, if the server speaks it; else it simply refused."""
        sessions = Sessions(self._wire.server, line, None)
        try:
            await sessions.get(*named)
        except Refused as also:
            log.debug("it has no HTTP+SSE either", extra={"detail": str(also)})
            raise refused from None
        self._line.close()
        self._line, self._sessions = line, sessions

    async def _ask(
        self,
        line: Line,
        session: Session,
        outbound: Outbound,
        emit: Emit | None,
        asks: Asks | None,
    ) -> Answer:
        method, params = outbound.method, outbound.params
        if method == "server/discover":
            method, params = "ping", {}
        await self._hear(line, session, params)
        id_ = next(self._ids)
        call = OpenCall(id_, Relay(params, id_, emit), asks)
        told = partial(self._questions.told, line, session, call)
        sent = legacy_server.to_legacy(method, call.relay.params)
        self._questions.begin(session, call)
        try:
            answer = await line.ask(session, id_, method, sent, told, lasting=asks is not None)
            if asks is not None and call.relay.wants_log and isinstance(line, Streamable):
                await call.heard_out(session)
        except asyncio.CancelledError:
            self._questions.send(line, session, _cancelled(id_))
            raise
        finally:
            self._questions.end(line, session, call)
        if outbound.method == "server/discover":
            return Answer(result=legacy_server.discover_result(session.shared.initialized))
        return _canonical(method, answer)

    async def _hear(self, line: Line, session: Session, params: Json) -> None:
        """Set the session's log level to the lowest that any call has asked for."""
        wanted = (params.get("_meta") or {}).get(versions.META_LOG_LEVEL)
        if wanted not in versions.LEVELS or session.declares("logging") is None:
            return
        level = versions.LEVELS.index(wanted)
        if level >= session.level:
            return
        session.level = level
        try:
            await line.ask(session, next(self._ids), "logging/setLevel", {"level": wanted}, _ignore)
        except Refused as refused:
            log.debug("the log level could not be set", extra={"detail": str(refused)})


def _canonical(method: str, answer: Answer) -> Answer:
    if answer.error is None:
        return Answer(result=legacy_server.to_canonical_result(method, answer.result or {}))
    asked = legacy_server.url_elicitation(answer.error)
    known = versions.METHODS.get(method)
    if asked is not None and known is not None and known.asks:
        return Answer(result=asked)
    return Answer(error=legacy_server.to_canonical_error(answer.error))


def _cancelled(id_: int) -> Json:
    return {"method": "notifications/cancelled", "params": {"requestId": id_}}


async def _ignore(message: Json) -> None:
    """An exchange of our own has no caller to tell."""
