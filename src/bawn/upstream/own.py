"""The stream that a session's server keeps for itself (GET): one, for all who want what comes there.

Many servers ask there what belongs to a call, so it stands while calls that may be asked are open, and
some time after; listeners share it. What concerns calls, and what is asked, goes to `overheard`.

Source: basic/transports (2025-11-25), "Listening for Messages from the Server".
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeAlias

from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.model import Json
from bawn.ports import UpstreamSession
from bawn.upstream.events import close
from bawn.upstream.line import Listener, SessionGoneError, concerns_listeners
from bawn.upstream.sessions import Session

Open: TypeAlias = Callable[[Session], Awaitable[AsyncIterator[Json] | None]]
"""The messages of the stream; None when the server has none.

Raises:
    SessionGoneError: the session is not known.
    Refused: an upstream.* reason.
"""

_Standing: TypeAlias = bool | Refused | SessionGoneError
"""Whether there is a stream, or why that is not known."""

_MOMENT: Final = 0.25
"""Seconds that a call waits for the stream: then it goes out without."""
_LINGER: Final = 60.0
"""Seconds that it stands after the last call, for the next."""
_SHORTEST: Final = 0.1
_LONGEST: Final = 10.0
"""Seconds before it is opened again for the calls that still need it."""


class OwnStreams:
    """Those of one server; at most `most` for the sake of calls, each with its session."""

    def __init__(self, open_: Open, overheard: Callable[[Session, Json], None], most: int) -> None:
        self._open = open_
        self._overheard = overheard
        self._most = most
        self._streams: dict[Session, _Stream] = {}

    @asynccontextmanager
    async def during_a_call(self, session: Session) -> AsyncIterator[None]:
        """Let the stream stand, if the server has one; the call waits for it no more than a moment."""
        stream = self._for_a_call(session)
        if stream is None:
            yield
            return
        stream.calls += 1
        try:
            standing = stream.standing()
            if not standing.done():
                await asyncio.wait({standing}, timeout=_MOMENT)
            yield
        finally:
            stream.calls -= 1
            stream.lingers_until = asyncio.get_running_loop().time() + _LINGER
            self._leave(stream)

    async def hear(self, session: Session, listener: Listener) -> bool:
        """As `Line.hear`.

        Raises:
            SessionGoneError: the session is not known.
            Refused: an upstream.* reason.
        """
        stream = self._of(session)
        stream.joining += 1
        try:
            found = await asyncio.shield(stream.standing(anew=True))
            if isinstance(found, Exception):
                raise found
            if found:
                if stream.failure is not None:  # it broke before we came to it
                    raise stream.failure
                stream.listeners.add(listener)
            return found
        finally:
            stream.joining -= 1
            self._leave(stream)

    def leave(self, session: Session, listener: Listener) -> None:
        """As `Line.leave`."""
        stream = self._streams.get(session)
        if stream is not None:
            stream.listeners.discard(listener)
            self._leave(stream)

    def end(self, shared: UpstreamSession) -> None:
        """The session ends, and with it its stream."""
        for stream in tuple(self._streams.values()):
            if stream.session.shared is shared:
                self._close(stream)

    def close(self) -> None:
        """Close every one."""
        for stream in tuple(self._streams.values()):
            self._close(stream)

    def _of(self, session: Session) -> _Stream:
        if session not in self._streams:
            self._streams[session] = _Stream(session, self._open, self._overheard)
        return self._streams[session]

    def _for_a_call(self, session: Session) -> _Stream | None:
        """None where there can be none: what is said outside of sessions could be said to anybody."""
        if session.is_silent or not session.identified:
            return None
        if session not in self._streams and len(self._streams) >= self._most:
            resting = next((one for one in self._streams.values() if not one.is_needed), None)
            if resting is None:
                return None
            self._close(resting)
        return self._of(session)

    def _leave(self, stream: _Stream) -> None:
        """Close it if nobody needs it, now or when it has stood long enough after the last call."""
        if stream.is_needed or self._streams.get(stream.session) is not stream:
            return
        loop = asyncio.get_running_loop()
        if loop.time() >= stream.lingers_until:
            self._close(stream)
        elif stream.expiry is None:
            stream.expiry = loop.call_at(stream.lingers_until, self._expire, stream)

    def _expire(self, stream: _Stream) -> None:
        stream.expiry = None
        self._leave(stream)

    def _close(self, stream: _Stream) -> None:
        if self._streams.get(stream.session) is stream:
            del self._streams[stream.session]
        stream.close()


class _Stream:
    """That of one session, and the task that keeps it open."""

    def __init__(
        self, session: Session, open_: Open, overheard: Callable[[Session, Json], None]
    ) -> None:
        self.session = session
        self.calls = 0
        self.joining = 0
        self.listeners: set[Listener] = set()
        self.lingers_until = 0.0
        self.expiry: asyncio.TimerHandle | None = None
        self.failure: Refused | None = None
        self._open = open_
        self._overheard = overheard
        self._standing: asyncio.Future[_Standing] = asyncio.get_running_loop().create_future()
        self._keeping = asyncio.create_task(self._keep())

    @property
    def is_needed(self) -> bool:
        """Whether anybody waits for what comes."""
        return bool(self.calls or self.joining or self.listeners)

    def standing(self, *, anew: bool = False) -> asyncio.Future[_Standing]:
        """Whether it stands, as soon as that is known; it is opened if nobody is about to.

        With `anew`, one that broke is opened at once, else when it is time.
        """
        if anew and self.failure is not None:
            self._keeping.cancel()
        if self._keeping.done() or self._keeping.cancelling():
            self._standing = asyncio.get_running_loop().create_future()
            self._keeping = asyncio.create_task(self._keep())
            self.failure = None
        return self._standing

    def close(self) -> None:
        """Read no more."""
        if self.expiry is not None:
            self.expiry.cancel()
        self._keeping.cancel()
        self._broke(Refused(UPSTREAM_OUTCOME, detail="the server's own stream was closed"))

    async def _keep(self) -> None:
        """Read it; open it again when it breaks while calls are open, ever more slowly."""
        loop = asyncio.get_running_loop()
        pause = _SHORTEST
        while True:
            begun = loop.time()
            failure = await self._once()
            if failure is None:
                return
            self._broke(failure)
            if loop.time() - begun > _LONGEST:
                pause = _SHORTEST
            if self.calls:
                await asyncio.sleep(pause)
            if not self.calls:
                return
            pause = min(2 * pause, _LONGEST)
            self._standing, self.failure = loop.create_future(), None

    async def _once(self) -> Refused | None:
        """How it broke; None when there is none to open again."""
        try:
            messages = await self._open(self.session)
            if messages is None:
                self.session.is_silent = True
                self._settle(False)
                return None
            self._settle(True)
            await self._read(messages)
        except SessionGoneError as gone:
            self._settle(gone)
            return None
        except Refused as refused:
            return refused
        return Refused(UPSTREAM_OUTCOME, detail="the server's own stream ended")

    async def _read(self, messages: AsyncIterator[Json]) -> None:
        try:
            async for message in messages:
                if concerns_listeners(message):
                    self.session.heard(message)
                    for listener in self.listeners:
                        listener.take(message)
                else:
                    self._overheard(self.session, message)
        finally:
            await close(messages)

    def _settle(self, found: _Standing) -> None:
        if not self._standing.done():
            self._standing.set_result(found)

    def _broke(self, failure: Refused) -> None:
        self.failure = failure
        self._settle(failure)
        listeners, self.listeners = self.listeners, set()
        for listener in listeners:
            listener.fail(failure)
