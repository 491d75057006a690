"""One event stream of a legacy session, which may outlive the connection that carries it.

What it tells is numbered and kept. When the connection breaks, the stream waits a while for its
caller to come back with the last id it has seen; then whatever tells it is cancelled. Before any id
was given out, nobody could come back: the caller's leaving cancels at once.
Source: basic/transports, "Resumability and Redelivery" (2025-11-25).
"""

from __future__ import annotations

import asyncio
import secrets
from typing import Final

from bawn.model import Json
from bawn.ports import Arrival, Reply
from bawn.protocol import sse
from bawn.protocol.headers import VERSION
from bawn.protocol.strict import encode
from bawn.transport.replay import Key, Replay, key_of
from bawn.transport.request import Request

LAST_EVENT: Final = b"last-event-id"

INLINE: Final = b"bawn-events"
"""A request with this header gets the id of an event in front of its data. Our own client has use for
it, which gives its reader the data of events and nothing else."""

CALL: Final = b"p"
STANDING: Final = b"g"
"""What an id begins with: the stream of a call, or one that stands by itself."""

_PRIMED: Final = frozenset(
    {b"2025-11-25"}
)  # older clients take an event without data for a broken one
_PRIMING: Final = b"retry: 500\ndata: \n\n"  # milliseconds until a client comes back
_UNGUESSABLE: Final = 16  # bytes


def frame(id_: bytes, data: bytes, *, inline: bool) -> bytes:
    """An event as it is sent; without data it says no more than where the caller is."""
    if not id_:
        return sse.event(data)
    if inline:
        return sse.event(b"%b %b" % (id_, data))
    return b"id: %b\n%b" % (id_, sse.event(data) if data else _PRIMING)


def apart(data: bytes) -> tuple[bytes, bytes]:
    """The id and the message of an event that was sent with both; no id for one without."""
    if data[:1] in (b"{", b"["):
        return b"", data
    id_, _, message = data.partition(b" ")
    return id_, message


class Stream:
    """Numbers what is told, keeps it, and passes it to the request that carries it, if there is one."""

    __slots__ = (
        "_carrier", "_left", "_next", "_replay", "_task", "_timer",
        "begun", "held", "key", "name", "over", "primes",
    )  # fmt: skip

    def __init__(self, replay: Replay, arrival: Arrival, kind: bytes, request: Request) -> None:
        self.key: Key = key_of(arrival)
        self.name = kind  # until it begins
        self.begun = False
        self.over = False
        self.held = 0
        self._replay = replay
        self.primes = arrival.headers.get(VERSION) in _PRIMED
        self._task = request.task
        self._next = 0
        self._timer: asyncio.TimerHandle | None = None
        self._left: asyncio.Future[None] | None = None
        self._carrier: Request | None = request
        request.stream = self

    async def emit(self, message: Json) -> None:
        """Fills `ports.Emit`."""
        carrier = self._carrier
        if carrier is not None:
            carrier.open()
        self._tell(encode(message))
        if carrier is not None:
            await carrier.drained()
        else:  # nobody holds back who tells without end, but others have their turn
            await asyncio.sleep(0)

    def finish(self, reply: Reply) -> None:
        """Send the answer: by itself, or as the last event of the stream."""
        if not self.begun and self._carrier is not None:
            self._carrier.finish(reply)
        elif reply.body:
            self._tell(reply.body)
        self.close()

    def close(self) -> None:
        """Nothing more will be told."""
        self.over, self._task = True, None
        carrier = self._release()
        if carrier is not None and carrier.streaming:
            carrier.end()
        self._replay.ended(self)

    async def carry(self, request: Request, after: int) -> None:
        """Tell this request what came after a position, and go on there until the end.

        Whichever request carried it is ended: its caller has left it without our knowing.
        """
        former = self._release()
        if former is not None:
            former.hand_over()
        request.open()
        for number, data in self._replay.after(self, after):
            self._send(request, number, data)
        if self.over:
            request.end()
            return
        request.lasting, request.cancels = True, False
        request.stream, self._carrier = self, request
        self._left = left = asyncio.get_running_loop().create_future()
        try:
            await left
        finally:
            self.lost(request)
            request.stream = None

    def opening(self, request: Request) -> None:
        """Fills `request.Lasting`: tell clients who understand it how they may come back."""
        self.begun = True
        if self.primes:
            self._tell(b"")

    def lost(self, request: Request) -> None:
        """Fills `request.Lasting`."""
        if request is self._carrier:
            self._release()
            if not self.over and self._task is not None:
                loop = asyncio.get_running_loop()
                self._timer = loop.call_later(self._replay.seconds, self._task.cancel)

    def _tell(self, data: bytes) -> None:
        if not self._next:
            self.name = b"%b.%b" % (self.name, secrets.token_urlsafe(_UNGUESSABLE).encode())
        number, self._next = self._next, self._next + 1
        self._replay.keep(self, number, data)
        if self._carrier is not None:
            self._carrier.cancels = False  # from here on its caller can come back
            self._send(self._carrier, number, data)

    def _send(self, request: Request, number: int, data: bytes) -> None:
        id_ = b"%b.%d" % (self.name, number)
        request.part(frame(id_, data, inline=INLINE in request.head.headers))

    def _release(self) -> Request | None:
        """No request carries it now, and nobody is waited for; the one that did."""
        carrier, self._carrier = self._carrier, None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._left is not None and not self._left.done():
            self._left.set_result(None)
        return carrier
