"""One request and its answer, on the connection that carries both.

The answer is whole, or a stream when something must be said before the end. Nothing is written for
a caller who has gone, nor after the answer's end, whoever still holds the request. A stream that
outlives its caller's connection has a `stream` of its own, which is told of both ends.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final, Protocol

from bawn.model import Json, Peer
from bawn.ports import Reply
from bawn.protocol import replies, sse
from bawn.protocol.strict import encode
from bawn.transport.body import Body
from bawn.transport.head import Fields, Head

STREAM: Final = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache, no-transform"),
    (b"x-accel-buffering", b"no"),
)
JSON: Final = (replies.JSON_TYPE,)
_STATUS: Final[Mapping[int, bytes]] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_BODYLESS: Final = frozenset({204, 304})
_BREAKS: Final = b"\r\n\0"


class Line(Protocol):
    """The connection, as its request sees it."""

    last: bool
    """The connection ends with this answer, whatever the caller wishes."""

    def write(self, data: bytes) -> None:
        """Send, or queue; never waits."""

    async def drained(self) -> None:
        """Wait until the caller has read what lies there, or has gone."""

    def resume(self) -> None:
        """Read on."""

    def answered(self, request: Request, size: int, *, keep: bool) -> None:
        """The answer has been written, with so many bytes of body."""


class Lasting(Protocol):
    """An event stream, as the request that carries it sees it."""

    def opening(self, request: Request) -> None:
        """The stream has begun on this request, and nothing was told yet."""

    def lost(self, request: Request) -> None:
        """The caller of a request that must not be cancelled for it went away."""


@lru_cache(1024)
def lines(status: int, fields: Fields) -> bytes:
    """Status line and header fields as they are sent.

    Raises:
        ValueError: a field would break out of its line.
    """
    told = b"".join([b"%b: %b\r\n" % field for field in fields])
    if len(told.translate(None, _BREAKS)) != len(told) - 2 * len(fields):
        raise ValueError("a header field to send has CR, LF or NUL in it")
    return _STATUS[status] + told


_PLAIN: Final = lines(200, JSON)  # as nearly all answers have them


class Request:
    """One request: `body` once it is whole, else it is `coming`."""

    __slots__ = (
        "_gone",
        "_heard",
        "_line",
        "answered",
        "body",
        "cancels",
        "coming",
        "counted",
        "ending",
        "extra",
        "grant",
        "head",
        "lasting",
        "lost",
        "peer",
        "stream",
        "streaming",
        "task",
    )

    def __init__(self, line: Line, head: Head, peer: Peer) -> None:
        self._line = line
        self.head = head
        self.peer = peer
        self.body = b""
        self.coming: Body | None = None
        self.streaming = False
        self.answered = False
        self.lost = False
        self.cancels = False  # whoever answers is cancelled when the caller goes away
        self.lasting = False  # signs of life may be given
        self.task: asyncio.Task[None] | None = None  # of whoever answers on this connection
        self.counted: str | None = None  # the address that it counts for
        self.grant: tuple[str, int] | None = None  # bytes taken for the body, and for whom
        self.extra: Fields = ()  # header fields that any answer to it has
        self.stream: Lasting | None = None  # what this request carries
        self.ending: Callable[[], None] | None = None  # ends a stream which would never by itself
        self._gone: asyncio.Event | None = None
        self._heard: float | None = None  # when a sweep first found it silent

    # ── what comes ──

    async def gather(self, most: int) -> bool:
        """Let the body come up to just above `most` bytes; whether it is whole, and then in `body`."""
        coming = self.coming
        if coming is None:
            return True
        if coming.want(most):
            self.invite()
            self._line.resume()
            await coming.come()
        if coming.done:
            self.body = coming.take()
            self.coming = None
        return coming.done

    def invite(self) -> None:
        """Tell a caller who waits for it that the body is welcome."""
        coming = self.coming
        if coming is not None and self.head.awaits and not coming.invited:
            coming.invited = True
            self._line.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def taken(self) -> bytes:
        """What has come of a body that is too large to be held whole."""
        return self.coming.take() if self.coming is not None else b""

    async def gone(self) -> None:
        """Wait until the caller goes away."""
        if not self.lost:
            self._gone = asyncio.Event()
            await self._gone.wait()

    async def drained(self) -> None:
        """Wait until the caller has read what lies there."""
        await self._line.drained()

    # ── what goes ──

    async def emit(self, message: Json) -> None:
        """Send a notification towards the caller, which makes the answer a stream."""
        await self.tell(sse.event(encode(message)))

    async def tell(self, frame: bytes) -> None:
        """Send a part of an event stream, and wait for callers who read slowly."""
        self.open()
        self.part(frame)
        await self._line.drained()

    def open(self) -> None:
        """Make the answer an event stream, if it is none yet."""
        if not self.streaming:
            self.begin(200, STREAM)
            if self.stream is not None:
                self.stream.opening(self)

    def finish(self, reply: Reply) -> None:
        """Send the answer: by itself, or as the last event of the stream."""
        if not self.streaming:
            self.respond(reply.status, reply.headers or JSON, reply.body)
            return
        if reply.body:
            self.part(sse.event(reply.body))
        self.end()

    def respond(self, status: int, fields: Fields, body: bytes) -> None:
        """Send a whole answer."""
        if self._mute():
            return
        plain = status == 200 and fields is JSON and not self.extra
        head = _PLAIN if plain else lines(status, fields + self.extra)
        keep = self._keeps()
        if not keep:
            head += b"connection: close\r\n"
        if self.head.method == b"HEAD":
            self._line.write(b"%bcontent-length: %d\r\n\r\n" % (head, len(body)))
        elif status in _BODYLESS:
            self._line.write(head + b"\r\n")
        else:
            self._line.write(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))
        self._done(len(body), keep)

    def begin(self, status: int, fields: Fields) -> None:
        """Begin an answer in parts."""
        if self._mute():
            return
        self.streaming = True
        head = lines(status, fields + self.extra)
        if self.head.modern:
            head += b"transfer-encoding: chunked\r\n"
        if not self._keeps():
            self._line.last = True
            head += b"connection: close\r\n"
        self._line.write(head + b"\r\n")

    def part(self, data: bytes) -> None:
        """Send a part."""
        self._heard = None
        if self._mute() or not data or self.head.method == b"HEAD":
            return
        self._line.write(b"%x\r\n%b\r\n" % (len(data), data) if self.head.modern else data)

    def end(self) -> None:
        """All parts are sent."""
        if self._mute():
            return
        if self.head.modern and self.head.method != b"HEAD":
            self._line.write(b"0\r\n\r\n")
        self._done(0, self._keeps())

    def hand_over(self) -> None:
        """End the answer, though whoever gives it goes on, for another request's connection.

        This one is free for the next request: that may be what the other's answer waits for.
        """
        self.task = None
        self.end()

    def look(self, now: float, silence: float) -> None:
        """Give a sign of life when there was none for so long."""
        if not self.lasting or self._mute():
            return
        if self._heard is None:
            self._heard = now
        elif now - self._heard >= silence:
            self.open()
            self.part(sse.KEEP_ALIVE)
            self._heard = now

    def abandon(self) -> None:
        """The caller has gone, or gets no answer to this any more."""
        self.lost = True
        if self._gone is not None:
            self._gone.set()
        if self.coming is not None:
            self.coming.wake()
        if self.cancels and self.task is not None:
            self.task.cancel()
        elif self.stream is not None:
            self.stream.lost(self)

    def leave(self) -> None:
        """The process ends: what would last longer than that is ended."""
        if self.ending is not None:
            self.ending()

    def cut(self) -> None:
        """End a stream, and whoever tells it."""
        if self.streaming:
            self.end()
        if self.task is not None:
            self.task.cancel()

    def _mute(self) -> bool:
        return self.answered or self.lost

    def _keeps(self) -> bool:
        coming = self.coming
        if coming is not None and not (coming.little and (coming.invited or not self.head.awaits)):
            return False  # the rest of the body is not worth waiting for, or may never come
        return self.head.keep_alive and not self._line.last

    def _done(self, size: int, keep: bool) -> None:
        self.answered = True
        self._line.answered(self, size, keep=keep)
