"""Which session stands for an isolation key and what may be asked in it: begun once, for all who wait
for it and for all workers.

Workers agree by the shared store: whoever offers first wins, and the others end what they have begun.
Where the server may ask, each worker has a session of its own: what is asked must come to the worker at
which the call waits.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from dataclasses import dataclass
from typing import Final, Protocol

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.model import Json
from bawn.pins.verifying import Verifying
from bawn.ports import UpstreamSession, UpstreamSessions
from bawn.protocol import capabilities, headers, versions
from bawn.upstream.exchange import Headers

_SESSIONS: Final = 4096


class Session:
    """An agreed session; `headers` accompany every further message of it.

    `offered` is what the server may ask back in it; `level` is the lowest log level that this worker
    has asked for, as a place in `versions.LEVELS`; `is_silent` says that the server was found to have
    no stream of its own for it. `verifying` knows whether what it offers was approved.
    """

    __slots__ = ("headers", "is_silent", "level", "offered", "shared", "verifying")

    def __init__(self, shared: UpstreamSession, offered: Json) -> None:
        self.shared = shared
        self.offered = offered
        self.level = len(versions.LEVELS)
        self.is_silent = False
        self.verifying: Verifying | None = None
        self.headers: Headers = ((headers.VERSION, shared.version.encode()),)
        if shared.id is not None:  # as it came: header values are bytes
            self.headers += ((headers.SESSION, shared.id.encode("latin-1")),)

    def heard(self, message: Json) -> None:
        """The server said something in it, on whichever stream: word of a changed list is believed."""
        if self.verifying is not None and "id" not in message:
            self.verifying.doubt(str(message.get("method")))

    @property
    def identified(self) -> bool:
        """Whether the server gave it an id: only then can it be forgotten there."""
        return self.shared.id is not None

    def declares(self, capability: str) -> Json | None:
        """What the server said of a capability, if it has it."""
        declared = self.shared.initialized.get("capabilities")
        found = declared.get(capability) if isinstance(declared, dict) else None
        return found if isinstance(found, dict) else None


class Handshake(Protocol):
    """How sessions begin and end at the server."""

    async def begin(self, offered: Json) -> UpstreamSession:
        """Begin one in which the server may ask what is offered.

        Raises:
            Refused: an upstream.* reason.
        """

    async def end(self, session: UpstreamSession) -> None:
        """End one, as far as the server listens. Never raises."""


@dataclass(frozen=True, slots=True)
class _Place:
    holder: str
    joining: asyncio.Task[Session]

    @property
    def session(self) -> Session | None:
        """The session, once it stands; None while it is begun, and when that failed."""
        task = self.joining
        if not task.done() or task.cancelled() or task.exception() is not None:
            return None
        return task.result()


class Sessions:
    """The sessions at one server, by isolation key and offer; at most 4,096 are known here.

    Of more, the one longest unused of whoever holds most is ended: nobody loses one to another who
    has more. With a `store` they are everybody's, and closing lets go of them: a session that nobody
    uses ends at the server in its time. Without one, closing ends them.
    """

    def __init__(self, server: str, handshake: Handshake, store: UpstreamSessions | None) -> None:
        self._server = server
        self._handshake = handshake
        self._store = store
        self._places: OrderedDict[str, _Place] = OrderedDict()
        self._holders: Counter[str] = Counter()
        self._ending: set[asyncio.Task[None]] = set()

    async def get(
        self, isolation: str, holder: str, offered: Json, gone: Session | None = None
    ) -> Session:
        """The session of this key and offer, begun if there is none, or none but `gone`.

        Raises:
            Refused: an upstream.* reason of the handshake.
        """
        if offered:
            isolation = f"{isolation}|{capabilities.key(offered)}"
        place = self._places.get(isolation)
        session = None if place is None else place.session
        if session is not None and session is not gone:
            self._places.move_to_end(isolation)
            return session
        if place is None or place.joining.done():
            place = self._place(isolation, holder, offered, gone)
        try:
            # shielded: the session belongs to everybody who waits for it
            return await asyncio.shield(place.joining)
        except asyncio.CancelledError:
            caller = asyncio.current_task()
            if not place.joining.cancelled() or (caller is not None and caller.cancelling()):
                raise
            # the session was given up, not its caller, who must not be taken to have gone away
            detail = "the session was given up before it stood"
            raise Refused(UPSTREAM_UNREACHABLE, detail=detail) from None

    async def aclose(self) -> None:
        """Let go of every session; end those that are nobody else's."""
        places, self._places = self._places, OrderedDict()
        self._holders.clear()
        for place in places.values():
            place.joining.cancel()
        if self._store is None:
            found = [place.session for place in places.values()]
            await asyncio.gather(*(self._handshake.end(s.shared) for s in found if s is not None))
        for ending in tuple(self._ending):
            ending.cancel()

    def _place(self, isolation: str, holder: str, offered: Json, gone: Session | None) -> _Place:
        self._drop(isolation)
        known = None if gone is None else gone.shared
        joining = asyncio.create_task(self._join(isolation, offered, known))
        place = self._places[isolation] = _Place(holder, joining)
        self._holders[holder] += 1
        if len(self._places) > _SESSIONS:
            self._make_room()
        return place

    def _drop(self, isolation: str) -> _Place | None:
        place = self._places.pop(isolation, None)
        if place is not None:
            self._holders[place.holder] -= 1
            if not self._holders[place.holder]:
                del self._holders[place.holder]
        return place

    def _make_room(self) -> None:
        most = max(self._holders.values())
        oldest = next(
            isolation
            for isolation, place in self._places.items()
            if self._holders[place.holder] == most
        )
        place = self._drop(oldest)
        assert place is not None  # noqa: S101 - it was just found there
        place.joining.cancel()
        if place.session is not None:
            self._end(place.session.shared)

    async def _join(self, isolation: str, offered: Json, gone: UpstreamSession | None) -> Session:
        """The session that stands for all workers; one of our own if there is none, or it is gone."""
        if self._store is None:
            return Session(await self._handshake.begin(offered), offered)
        standing = self._store.find(self._server, isolation)
        if standing is not None and standing != gone:
            return Session(standing, offered)
        begun = await self._handshake.begin(offered)
        stands = self._store.offer(self._server, isolation, begun, standing)
        if stands != begun:
            self._end(begun)
        return Session(stands, offered)

    def _end(self, session: UpstreamSession) -> None:
        task = asyncio.create_task(self._handshake.end(session))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
