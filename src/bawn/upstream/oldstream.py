"""HTTP+SSE of 2024-11-05: one lasting event stream brings every message, and names where to post.

Source: basic/transports (2024-11-05), "HTTP with SSE". What belongs to a call is told by ids and progress
tokens; log messages carry none, so they are a call's only where there is but one.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import count
from typing import Any, Final
from urllib.parse import urljoin

from bawn.errors import (
    UPSTREAM_FIRST_BYTE,
    UPSTREAM_INVALID,
    UPSTREAM_OUTCOME,
    UPSTREAM_SIGN_IN,
    UPSTREAM_STATUS,
    UPSTREAM_TOO_LARGE,
    UPSTREAM_TOTAL,
    UPSTREAM_UNREACHABLE,
    Refused,
)
from bawn.model import Answer, Json
from bawn.ports import HttpReply, UpstreamSession
from bawn.protocol import answers, headers, legacy_server, strict
from bawn.upstream.events import close
from bawn.upstream.exchange import Headers, OnMessage, Wire, let_go, message
from bawn.upstream.line import (
    INTRODUCTION,
    Listener,
    Overheard,
    SessionGoneError,
    concerns_listeners,
)
from bawn.upstream.origin import split
from bawn.upstream.sessions import Session

log = logging.getLogger("bawn.upstream")

_WAITING: Final = 64
"""Messages that may wait for one call; more go unheard."""

_LONGEST_ENDPOINT: Final = 2048
_PATIENCE: Final = 10.0
"""Seconds for the stream to name its endpoint."""


class OldStream:
    """Implements `line.Line`: a session is a stream, at most `limits.connections` of them."""

    def __init__(self, wire: Wire, ids: count[int], overheard: Overheard) -> None:
        self._wire = wire
        self._ids = ids
        self._overheard = overheard
        self._streams: dict[str, _Stream] = {}

    @property
    def is_used(self) -> bool:
        """Whether any stream stands."""
        return any(stream.failure is None for stream in self._streams.values())

    async def begin(self, offered: Json) -> UpstreamSession:
        """Fills `Line`."""
        self._make_room()
        stream = await _open(self._wire, partial(self._overheard, self))
        name = secrets.token_hex(8)
        try:
            result = await stream.introduce(next(self._ids), offered)
            version, _, _ = legacy_server.accept_initialize(result)
            stream.headers = ((headers.VERSION, version.encode()),)
            await stream.post({"method": "notifications/initialized"})
        except SessionGoneError:
            stream.close()
            raise Refused(UPSTREAM_STATUS, detail="HTTP 404 to initialize") from None
        except BaseException:
            stream.close()
            raise
        session = UpstreamSession(result, version, name)
        stream.session = Session(session, offered)
        self._streams[name] = stream
        return session

    async def end(self, session: UpstreamSession) -> None:
        """Fills `Line`."""
        stream = self._streams.pop(session.id or "", None)
        if stream is not None:
            stream.close()

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
        """Fills `Line`."""
        request = {"id": id_, "method": method, "params": params}
        return await self._stream(session).ask(request, on_message, lasting)

    async def tell(self, session: Session, message: Json) -> None:
        """Fills `Line`."""
        try:
            await self._stream(session).post(message)
        except SessionGoneError:
            raise Refused(UPSTREAM_OUTCOME, detail="the event stream is gone") from None

    async def hear(self, session: Session, listener: Listener) -> bool:
        """Fills `Line`."""
        self._stream(session).listeners.add(listener)
        return True

    def leave(self, session: Session, listener: Listener) -> None:
        """Fills `Line`."""
        stream = self._streams.get(session.shared.id or "")
        if stream is not None:
            stream.listeners.discard(listener)

    def close(self) -> None:
        """Fills `Line`."""
        streams, self._streams = self._streams, {}
        for stream in streams.values():
            stream.close()

    def _stream(self, session: Session) -> _Stream:
        name = session.shared.id or ""
        stream = self._streams.pop(name, None)
        if stream is None or stream.failure is not None:
            raise SessionGoneError
        self._streams[name] = stream  # the last in line to be given up
        stream.session = session
        return stream

    def _make_room(self) -> None:
        for name, stream in tuple(self._streams.items()):
            if stream.failure is not None:
                del self._streams[name]
        if len(self._streams) < self._wire.limits.connections:
            return
        for name, stream in self._streams.items():
            if not stream.busy:
                self._streams.pop(name).close()
                return
        raise Refused(UPSTREAM_UNREACHABLE, detail="every event stream to the server is in use")


async def _open(wire: Wire, overheard: Callable[[Session, Json], None]) -> _Stream:
    """The stream, once it has named its endpoint."""
    reply = await wire.follow(())
    if reply.status != 200 or reply.events is None:
        await let_go(reply)
        raise _refusal(reply)
    try:
        async with asyncio.timeout(min(_PATIENCE, wire.limits.first_byte)):
            named = await anext(reply.events, b"")
        return _Stream(wire, _endpoint(wire.url, named), reply.events, overheard)
    except BaseException as error:
        await let_go(reply)
        if isinstance(error, TimeoutError):
            detail = "the event stream named no endpoint in time"
            raise Refused(UPSTREAM_FIRST_BYTE, detail=detail) from None
        raise


def _refusal(reply: HttpReply) -> Refused:
    reason = UPSTREAM_SIGN_IN if reply.status in (401, 403) else UPSTREAM_STATUS
    return Refused(reason, detail=f"HTTP {reply.status}")


def _endpoint(url: str, named: bytes) -> str:
    """Where to post: at the same origin, or the server could send the gate anywhere."""
    try:
        if not 0 < len(named) <= _LONGEST_ENDPOINT:
            raise ValueError
        found = urljoin(url, named.decode("ascii").strip())
        if split(found)[0] == split(url)[0]:
            return found
    except (ValueError, Refused):
        pass
    raise Refused(UPSTREAM_INVALID, detail="its endpoint is no URL of the same origin")


class _Call:
    """A request that waits for its answer on the stream."""

    def __init__(self) -> None:
        self.heard: asyncio.Queue[Json | Refused] = asyncio.Queue()

    def hear(self, message: Json) -> None:
        """Take a message; what is only told may be lost when there is too much of it."""
        if self.heard.qsize() < _WAITING or answers.is_response(message):
            self.heard.put_nowait(message)


class _Stream:
    """One event stream, the calls that are open on it, and whoever hears the rest."""

    def __init__(
        self,
        wire: Wire,
        url: str,
        events: AsyncIterator[bytes],
        overheard: Callable[[Session, Json], None],
    ) -> None:
        self.headers: Headers = ()
        self.failure: Refused | None = None
        self.session: Session | None = None  # once the handshake is over
        self.listeners: set[Listener] = set()
        self._wire = wire
        self._poster = Wire(wire.server, wire.client, url, wire.headers, wire.limits)
        self._events = events
        self._calls: dict[int, _Call] = {}
        self._overheard = overheard
        self._reading = asyncio.create_task(self._read())

    @property
    def busy(self) -> bool:
        """Whether anybody would miss it."""
        return bool(self._calls or self.listeners)

    def close(self) -> None:
        """Read no more; open calls end as if the stream had broken."""
        self._fail(Refused(UPSTREAM_OUTCOME, detail="the event stream was closed"))
        self._reading.cancel()

    async def introduce(self, id_: int, offered: Json) -> Json:
        """The answer to `initialize`.

        Raises:
            Refused: an upstream.* reason.
        """
        params = legacy_server.initialize_params(offered)
        request = {"id": id_, "method": "initialize", "params": params}
        answer = await self.ask(request, _ignore, lasting=False)
        if answer.result is None:
            code = (answer.error or {}).get("code")
            raise Refused(UPSTREAM_INVALID, detail=f"initialize was answered with error {code}")
        if len(strict.encode(answer.result)) > INTRODUCTION:
            raise Refused(UPSTREAM_TOO_LARGE, detail="the answer to initialize")
        return answer.result

    async def ask(self, request: Json, on_message: OnMessage, lasting: bool) -> Answer:
        """One request and its answer."""
        call = self._calls[request["id"]] = _Call()
        try:
            async with asyncio.timeout(None if lasting else self._wire.limits.total):
                await self.post(request)
                while True:
                    heard = await self._next(call)
                    if answers.is_response(heard):
                        return answers.response(heard, request["id"])
                    await on_message(heard)
        except TimeoutError:
            raise Refused(UPSTREAM_TOTAL, detail="no answer on the stream in time") from None
        finally:
            del self._calls[request["id"]]

    async def post(self, message: Json) -> None:
        """Send a message, which is accepted or not.

        Raises:
            SessionGoneError: the server does not know the stream (404).
            Refused: an upstream.* reason.
        """
        if self.failure is not None:
            raise SessionGoneError
        body = strict.encode({"jsonrpc": "2.0", **message})
        reply = await self._poster.post(body, self.headers)
        if reply.status == 404:
            self.close()
            raise SessionGoneError
        if not 200 <= reply.status < 300:
            raise _refusal(reply)

    async def _next(self, call: _Call) -> Json:
        if call.heard.empty() and self.failure is not None:
            raise self.failure
        heard = await call.heard.get()
        if isinstance(heard, Refused):
            raise heard
        return heard

    async def _read(self) -> None:
        failure = Refused(UPSTREAM_OUTCOME, detail="the event stream ended")
        try:
            async for data in self._events:
                self._take(message(await self._wire.tree(data)))
        except Refused as refused:
            failure = refused
        finally:
            self._fail(failure)
            await close(self._events)

    def _fail(self, failure: Refused) -> None:
        if self.failure is None:
            self.failure = failure
            for call in self._calls.values():
                call.heard.put_nowait(failure)
            for listener in self.listeners:
                listener.fail(failure)

    def _take(self, said: Json) -> None:
        method, params = said.get("method"), said.get("params")
        if "method" not in said:
            self._pass(said, self._call(said.get("id")))
        elif "id" in said or method == "notifications/cancelled":
            if self.session is not None:
                self._overheard(self.session, said)
        elif method == "notifications/progress" and isinstance(params, dict):
            self._pass(said, self._call(params.get("progressToken")))
        elif method == "notifications/message":
            self._pass(said, next(iter(self._calls.values())) if len(self._calls) == 1 else None)
        elif concerns_listeners(said):
            if self.session is not None:
                self.session.heard(said)
            for listener in self.listeners:
                listener.take(said)

    def _pass(self, said: Json, call: _Call | None) -> None:
        if call is not None:
            call.hear(said)

    def _call(self, id_: Any) -> _Call | None:
        return self._calls.get(id_) if type(id_) is int else None


async def _ignore(message: Json) -> None:
    """Before the session stands, nothing that the server says concerns anybody."""
