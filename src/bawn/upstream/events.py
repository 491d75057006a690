"""An event stream on its way from the wire to whoever reads it, held back when that one is slow."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Final, NamedTuple, Protocol

from bawn.errors import Refused
from bawn.protocol import sse
from bawn.upstream.share import FREE, Lease

HIGH_WATER: Final = 64 << 10
"""Bytes of unread events, counting some for each event itself, at which the wire is held back."""

_EVENT_COST: Final = 64


_CARRIED: Final = frozenset({b"message", b"endpoint"})


def messages(events: list[sse.Event]) -> list[bytes]:
    """What MCP sends: the data of `message` events, and where to post for HTTP+SSE (2024-11-05).

    Empty ones only prime a reconnection.
    """
    return [event.data for event in events if event.data and event.name in _CARRIED]


class Mark(NamedTuple):
    """Where a stream has come to: the last event's id, and the seconds to wait before asking for more."""

    id: bytes = b""
    retry: float | None = None


def mark(events: AsyncIterator[bytes]) -> Mark:
    """Where a stream has come to; streams that do not know begin anew."""
    found = getattr(events, "mark", None)
    return found if isinstance(found, Mark) else Mark()


def marked(parser: sse.Parser) -> Mark:
    """Where a parser has come to."""
    return Mark(parser.last_id, None if parser.retry is None else parser.retry / 1000)


async def close(events: AsyncIterator[object]) -> None:
    """Read no more of a stream."""
    closing = getattr(events, "aclose", None)
    if closing is not None:
        await closing()


class Wire(Protocol):
    """What a stream asks of the connection that feeds it."""

    def pause(self) -> None:
        """Read no more for now."""

    def resume(self) -> None:
        """Read again."""

    def discard(self) -> None:
        """Close: nobody will read the rest."""


class EventStream(AsyncIterator[bytes]):
    """The data of each event, for one reader. The wire calls `feed`, then `end` once.

    `lease` has what a large event takes of a budget, if there is one.
    """

    __slots__ = (
        "_ended",
        "_failure",
        "_held",
        "_parser",
        "_paused",
        "_queue",
        "_reader",
        "_wire",
        "lease",
    )

    def __init__(self, wire: Wire, limit: int) -> None:
        self._wire = wire
        self._parser = sse.Parser(limit)
        self._queue: deque[bytes] = deque()
        self._held = 0
        self._paused = False
        self._ended = False
        self._failure: Refused | None = None
        self._reader: asyncio.Future[None] | None = None
        self.lease: Lease | None = None

    @property
    def is_large(self) -> bool:
        """Whether the event that has not ended yet is more than anyone may hold without asking."""
        return self._parser.held > FREE

    @property
    def mark(self) -> Mark:
        """Where it has come to."""
        return marked(self._parser)

    def feed(self, data: bytes) -> None:
        """Take a piece of the body.

        Raises:
            Refused: upstream.too_large, for one event.
        """
        found = messages(self._parser.feed(data))
        if not found:
            return
        self._queue.extend(found)
        self._held += sum(map(len, found)) + _EVENT_COST * len(found)
        if self._held > HIGH_WATER and not self._paused:
            self._paused = True
            self._wire.pause()
        self._wake()

    def end(self, failure: Refused | None = None) -> None:
        """No more comes, for a reason or because all was said."""
        self._ended = True
        if self.lease is not None:
            self.lease.leave_line()
        self._paused = False  # the wire is no longer this stream's to resume
        self._failure = failure
        self._wake()

    def _wake(self) -> None:
        if self._reader is not None and not self._reader.done():
            self._reader.set_result(None)

    async def __anext__(self) -> bytes:
        """The next event's data.

        Raises:
            Refused: the stream broke, took too long or had too large an event.
        """
        if self.lease is not None and not self._queue and not self.is_large:
            self.lease.release()  # the reader is done with the large event
        while not self._queue:
            if self._ended:
                if self.lease is not None:
                    self.lease.release()
                failure, self._failure = self._failure, None
                raise failure or StopAsyncIteration
            self._reader = asyncio.get_running_loop().create_future()
            await self._reader
        data = self._queue.popleft()
        self._held -= len(data) + _EVENT_COST
        if self._paused and not self._queue:
            self._paused = False
            self._wire.resume()
        return data

    async def aclose(self) -> None:
        """Stop reading: what has not come yet never will, and the connection is given up."""
        self._queue.clear()
        if not self._ended:
            self.end()
            self._wire.discard()
        if self.lease is not None:
            self.lease.release()
