"""One client of HTTP+SSE: what it POSTs is answered on the stream that it has opened.

Source: basic/transports, "HTTP with SSE" (2024-11-05). The transport knew no session header and no
version header; what `initialize` gave out is filled in here, so that inside nothing differs.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import msgspec

from bawn.errors import LIMIT_MESSAGES, Refused
from bawn.model import Json
from bawn.ports import Arrival, Elsewhere, Gate, Reply
from bawn.protocol import headers, replies, sse
from bawn.protocol.strict import encode
from bawn.transport.body import LARGE
from bawn.transport.held import Held
from bawn.transport.passing import Passing, lost
from bawn.transport.request import Request

log = logging.getLogger("bawn.transport")

IN_FLIGHT: Final = 64
"""Messages of one conversation that are being answered."""

_LEAVING: Final = 5.0  # seconds that another worker has to end a session
_FILLED: Final = frozenset(
    {headers.SESSION, headers.VERSION, headers.METHOD, headers.NAME, b"accept", b"last-event-id"}
)
_READS: Final = {b"accept": b"application/json, text/event-stream"}
_INITIALIZED: Final = b"notifications/initialized"


class _Agreed(msgspec.Struct):
    protocolVersion: str  # noqa: N815  # the protocol's name


class _Initialized(msgspec.Struct):
    result: _Agreed


class _Told(msgspec.Struct):
    method: str = ""


class Conversation:
    """Stands as long as its stream; `path` is where the same messages go without a stream."""

    def __init__(
        self,
        gate: Gate,
        passing: Passing,
        held: Held,
        request: Request,
        arrival: Arrival,
        path: str,
    ) -> None:
        self._gate = gate
        self._passing = passing
        self._held = held
        self._request = request
        self._arrival = arrival
        self._path = path
        self._session: dict[bytes, bytes] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._following: asyncio.Task[None] | None = None
        self._turn = asyncio.Lock()
        self._leaving = False
        self._over = asyncio.Event()

    async def run(self, endpoint: bytes) -> None:
        """Tell the client where to POST, and stand until either side ends it."""
        request = self._request
        request.lasting, request.ending = True, self.leave
        try:
            await request.tell(b"event: endpoint\ndata: %b\n\n" % endpoint)
            await self._over.wait()
        finally:
            await self._end()
        request.end()

    def take(self, arrival: Arrival, let_go: Callable[[], None]) -> None:
        """Have a message answered; `let_go` is called when nobody holds it any more.

        Raises:
            Refused: limit.messages.
        """
        if len(self._tasks) >= IN_FLIGHT:
            raise Refused(LIMIT_MESSAGES, f"at most {IN_FLIGHT} at once")
        task = asyncio.create_task(self._answer(arrival))
        self._tasks.add(task)

        def done(task: asyncio.Task[None]) -> None:
            self._tasks.discard(task)
            let_go()
            if not task.cancelled() and task.exception() is not None:
                log.error("answering a message failed", exc_info=task.exception())
            if self._leaving:
                self.leave()

        task.add_done_callback(done)

    def leave(self) -> None:
        """End it as soon as what is under way is answered."""
        self._leaving = True
        if not self._tasks:
            self._over.set()

    # ── one message ──

    async def _answer(self, arrival: Arrival) -> None:
        arrival = self._filled(arrival)
        try:
            reply = await self._gate.answer(arrival, self._emit)
        except Elsewhere as elsewhere:
            reply = await self._pass_on(arrival, "POST", elsewhere.slot, self._here)
        self._begin(reply)
        if reply.body and (reply.status < 400 or _wants_answer(arrival.body)):
            await self._tell(reply.body)
        elif reply.status == 202 and _is_initialized(arrival.body) and self._following is None:
            self._following = asyncio.create_task(self._follow())

    def _filled(self, arrival: Arrival) -> Arrival:
        """The message with what the transport of its time did not carry."""
        kept = {k: v for k, v in arrival.headers.items() if k not in _FILLED}
        return msgspec.structs.replace(arrival, headers={**kept, **_READS, **self._session})

    def _begin(self, reply: Reply) -> None:
        """Remember the session that this answer begins, if it does."""
        session = dict(reply.headers).get(headers.SESSION)
        if session is None or self._session:
            return
        try:
            agreed = msgspec.json.decode(reply.body, type=_Initialized).result.protocolVersion
        except msgspec.MsgspecError:
            return
        self._session = {headers.SESSION: session, headers.VERSION: agreed.encode()}

    async def _pass_on(
        self, arrival: Arrival, method: str, slot: int, here: Callable[[Arrival], Awaitable[Reply]]
    ) -> Reply:
        try:
            return await self._passing.on(arrival, method, self._path, slot, self._told, here)
        except Refused as refused:
            try:
                return lost(arrival, refused)
            except Refused:
                return replies.refusal(refused, id_=None, trace="", method="", modern=False)

    async def _here(self, arrival: Arrival) -> Reply:
        return await self._gate.answer(arrival, self._emit)

    # ── the stream ──

    async def _emit(self, message: Json) -> None:
        """Fills `ports.Emit`."""
        await self._tell(encode(message))

    async def _told(self, _id: bytes, message: bytes) -> None:
        """Fills `relay.Tell`: events had no ids that anybody could come back with."""
        if message:
            await self._tell(message)

    async def _tell(self, message: bytes) -> None:
        """Send one message when it is its turn: one lies unread at most, beside those that fit."""
        size = len(message) if len(message) > LARGE else 0
        self._held.count(size)
        try:
            async with self._turn:
                await self._request.tell(sse.event(message))
        finally:
            self._held.discount(size)

    async def _follow(self) -> None:
        """Tell what changes, until the session ends; and then there is nothing more to be told."""
        arrival = msgspec.structs.replace(self._filled(self._arrival), body=b"")

        async def here(arrival: Arrival) -> Reply:
            return await self._gate.follow(arrival, self._emit)

        try:
            await here(arrival)
        except Elsewhere as elsewhere:
            await self._pass_on(arrival, "GET", elsewhere.slot, here)
        self.leave()

    # ── its end ──

    async def _end(self) -> None:
        """Cancel what runs, and end the session."""
        running = [*self._tasks, *([self._following] if self._following is not None else [])]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        if not self._session:
            return

        async def here(arrival: Arrival) -> Reply:
            return self._gate.end(arrival)

        arrival = self._filled(self._arrival)
        try:
            self._gate.end(arrival)
        except Elsewhere as elsewhere:
            with contextlib.suppress(TimeoutError):  # it expires
                async with asyncio.timeout(_LEAVING):
                    await self._pass_on(arrival, "DELETE", elsewhere.slot, here)


def _wants_answer(body: bytes) -> bool:
    """Whether a message is a request, or no message at all: what is neither gets no error either."""
    try:
        tree = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return True
    return not isinstance(tree, dict) or ("method" in tree and "id" in tree)


def _is_initialized(body: bytes) -> bool:
    if _INITIALIZED not in body:
        return False
    try:
        return msgspec.json.decode(body, type=_Told).method == _INITIALIZED.decode()
    except msgspec.MsgspecError:
        return False
