"""What streams of legacy sessions have told, kept for a while so that it can be told again.

Of each session the latest events are kept, up to so many bytes, and none for long; when all sessions
together have too many, the principal who has the most of them loses its oldest.
Source: basic/transports, "Resumability and Redelivery" (2025-11-25).
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator
from typing import Final, NamedTuple, Protocol

from bawn.ports import Arrival
from bawn.protocol.headers import SESSION
from bawn.transport.request import Request

ALL: Final = 64
"""All sessions of a worker keep this many times what one may keep."""

_COST: Final = 256  # bytes that an event takes beside its data
_DIGITS: Final = 15

Key = tuple[str, str | None, bytes]
"""Whose session, at which endpoint, and the header that names it."""


def key_of(arrival: Arrival) -> Key:
    """The session that an arrival names."""
    return arrival.principal.key, arrival.endpoint, arrival.headers.get(SESSION, b"")


class Kept(Protocol):
    """A stream, as the log of its session sees it."""

    key: Key
    name: bytes
    over: bool
    held: int
    """How many of its events are kept."""

    async def carry(self, request: Request, after: int) -> None:
        """Tell this request what came after a position, and go on there until the end."""


class _Told(NamedTuple):
    stream: Kept
    number: int
    data: bytes
    when: float


class _Log:
    """One session's."""

    __slots__ = ("size", "streams", "told")

    def __init__(self) -> None:
        self.streams: dict[bytes, Kept] = {}
        self.told: deque[_Told] = deque()
        self.size = 0


class Replay:
    """The logs of a worker's sessions: `each` in bytes, `seconds` that a caller has to come back."""

    def __init__(self, each: int, seconds: float) -> None:
        self.seconds: Final = seconds
        self._each = each
        self._logs: dict[Key, _Log] = {}
        self._sizes: Counter[str] = Counter()  # by principal
        self._size = 0
        self._timer: asyncio.TimerHandle | None = None

    def keep(self, stream: Kept, number: int, data: bytes) -> None:
        """Keep an event; the latest of a session is kept however large it is."""
        loop = asyncio.get_running_loop()
        log = self._logs.get(stream.key)
        if log is None:
            log = self._logs[stream.key] = _Log()
        log.streams[stream.name] = stream
        log.told.append(_Told(stream, number, data, loop.time()))
        stream.held += 1
        self._count(stream.key, log, len(data) + _COST)
        while log.size > self._each and len(log.told) > 1:
            self._drop(stream.key, log)
        while self._size > ALL * self._each and len(self._logs) > 1:
            self._evict()
        if self._timer is None:
            self._timer = loop.call_later(self.seconds, self._sweep)

    def find(self, key: Key, last: bytes) -> tuple[Kept, int] | None:
        """The stream and the position that an event id of this session names."""
        name, _, number = last.rpartition(b".")
        log = self._logs.get(key)
        stream = log.streams.get(name) if log is not None else None
        if stream is None or not number.isdigit() or len(number) > _DIGITS:
            return None
        return stream, int(number)

    def after(self, stream: Kept, number: int) -> Iterator[tuple[int, bytes]]:
        """What is left of what a stream told after this position."""
        log = self._logs.get(stream.key)
        for told in log.told if log is not None else ():
            if told.stream is stream and told.number > number:
                yield told.number, told.data

    def ended(self, stream: Kept) -> None:
        """A stream is over: it is remembered as long as something of it is kept."""
        log = self._logs.get(stream.key)
        if log is not None and not stream.held:
            self._forget(stream, log)

    def forget(self, key: Key) -> None:
        """A session has ended."""
        log = self._logs.get(key)
        while log is not None and log.told:
            self._drop(key, log)
        self._logs.pop(key, None)

    def _drop(self, key: Key, log: _Log) -> None:
        """Let go of the oldest event of a session."""
        told = log.told.popleft()
        self._count(key, log, -len(told.data) - _COST)
        told.stream.held -= 1
        if told.stream.over and not told.stream.held:
            self._forget(told.stream, log)

    def _forget(self, stream: Kept, log: _Log) -> None:
        log.streams.pop(stream.name, None)
        if not log.streams and self._logs.get(stream.key) is log:
            del self._logs[stream.key]

    def _count(self, key: Key, log: _Log, size: int) -> None:
        log.size += size
        self._size += size
        self._sizes[key[0]] += size
        if not self._sizes[key[0]]:
            del self._sizes[key[0]]

    def _evict(self) -> None:
        most = max(self._sizes, key=self._sizes.__getitem__)
        key, log = next(each for each in self._logs.items() if each[0][0] == most and each[1].told)
        while log.told:
            self._drop(key, log)

    def _sweep(self) -> None:
        """Let go of what is too old for anybody who may still come back."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - 2 * self.seconds
        for key, log in tuple(self._logs.items()):
            while log.told and log.told[0].when < oldest:
                self._drop(key, log)
        self._timer = loop.call_later(self.seconds, self._sweep) if self._logs else None
