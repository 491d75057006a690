"""One connection to an upstream and the one exchange that is on it."""

from __future__ import annotations

import asyncio
from functools import partial
from math import inf
from typing import Final, Protocol, cast

from bawn.errors import (
    UPSTREAM_FIRST_BYTE,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOTAL,
    Refused,
)
from bawn.ports import HttpReply
from bawn.upstream.events import EventStream
from bawn.upstream.reply import ReplyParser, idle_seconds
from bawn.upstream.share import Lease, Share

_READER: Final = 1  # what may hold a wire back: who reads an event stream,
_BUDGET: Final = 2  # and the line for bytes to hold
_JOIN_BELOW: Final = 64 << 10  # up to here copying a body is cheaper than writing twice


def _broken(detail: str) -> Refused:
    return Refused(UPSTREAM_OUTCOME, detail=detail)


class Owner(Protocol):
    """Who decides what a connection does between exchanges."""

    def release(self, connection: Connection, idle: float) -> None:
        """The exchange is over, and another may follow within `idle` seconds."""

    def lasts(self, connection: Connection) -> None:
        """The exchange has come to a stream that may never end: let it take nobody's place."""

    def lost(self, connection: Connection) -> None:
        """The connection is no more."""


class Exchange:
    """A request that was written and the reply that is awaited; deadlines are in loop time."""

    __slots__ = ("first_byte", "lease", "limit", "reply", "stream", "total")

    def __init__(
        self, reply: asyncio.Future[HttpReply], first_byte: float, total: float, limit: int
    ) -> None:
        self.reply = reply
        self.first_byte = first_byte
        self.total = total
        self.limit = limit
        self.stream: EventStream | None = None
        self.lease: Lease | None = None

    def release(self) -> None:
        """Give back what was taken for the reply: nobody will see it."""
        if self.lease is not None:
            self.lease.release()


class Connection(asyncio.Protocol):
    """Idle, or busy with its `exchange`. Whatever is odd ends it: it is never repaired.

    Large replies are held at the cost of `share`, if there is one, and not read before it has room.
    """

    __slots__ = (
        "_held_by",
        "_owner",
        "_parser",
        "_share",
        "closed",
        "exchange",
        "idle_until",
        "transport",
    )

    def __init__(
        self, owner: Owner, closed: asyncio.Future[None], share: Share | None = None
    ) -> None:
        self._owner = owner
        self._share = share
        self.closed = closed
        self._parser = ReplyParser()
        self._held_by = 0
        self.transport: asyncio.Transport | None = None
        self.exchange: Exchange | None = None
        self.idle_until = inf

    @property
    def alive(self) -> bool:
        """Whether a request may still be written, as far as is known on this side."""
        return self.transport is not None and not self.transport.is_closing()

    def start(self, exchange: Exchange, head: bytes, body: bytes) -> None:
        """Write a request. From here on its outcome is the server's to tell."""
        assert self.transport is not None  # noqa: S101 - only connected ones are handed out
        self.exchange = exchange
        self._parser.begin(exchange.limit)
        if len(body) < _JOIN_BELOW:
            self.transport.write(head + body)
        else:
            self.transport.writelines((head, body))

    def discard(self) -> None:
        """Close at once, whatever is on it; nobody is told."""
        exchange, self.exchange = self.exchange, None
        if exchange is not None and exchange.stream is None:
            exchange.release()  # a stream's is its reader's, who has perhaps not read all
        if self.transport is not None:
            self.transport.abort()

    def fail(self, refused: Refused) -> None:
        """End the exchange, if there is one, and the connection."""
        exchange = self.exchange
        self.discard()
        if exchange is None:
            return
        if exchange.stream is not None:
            exchange.stream.end(refused)
        elif not exchange.reply.done():
            exchange.reply.set_exception(refused)

    def enforce(self, now: float) -> None:
        """Hold the deadlines: of the exchange, or of idleness."""
        exchange = self.exchange
        if exchange is None:
            if now >= self.idle_until:
                self.discard()
        elif now >= exchange.total:
            self.fail(Refused(UPSTREAM_TOTAL, detail="the time for the whole call is over"))
        elif now >= exchange.first_byte and not self._parser.status:
            self.fail(Refused(UPSTREAM_FIRST_BYTE, detail="no whole header section in time"))

    # ── called by the event loop ──

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self.transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Bytes of the reply; while no reply is awaited they are somebody's mistake or malice."""
        exchange = self.exchange
        if exchange is None:
            self.discard()
            return
        parser = self._parser
        try:
            parser.feed(data)
            if parser.streaming:
                self._stream(exchange)
        except Refused as refused:
            self.fail(refused)
            return
        if parser.wants:
            self._advance(exchange)
        elif parser.done:
            self._complete(exchange)

    def eof_received(self) -> None:
        """The peer says no more: that ends some replies, and breaks all others."""
        if self.exchange is not None and self._parser.finish():
            self._advance(self.exchange)
        else:
            self.fail(_broken("the server ended before its reply did"))

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self.fail(_broken(str(exc) if exc is not None else "the connection was closed"))
        self._owner.lost(self)

    def _stream(self, exchange: Exchange) -> None:
        parser = self._parser
        if exchange.stream is None:
            exchange.stream = EventStream(self, exchange.limit)
            if exchange.total == inf:
                self._owner.lasts(self)
            if not exchange.reply.done():
                reply = HttpReply(parser.status, parser.headers, b"", exchange.stream)
                exchange.reply.set_result(reply)
        exchange.stream.feed(parser.take())
        parser.wants = exchange.limit if exchange.stream.is_large else 0

    def _advance(self, exchange: Exchange) -> None:
        """Go on with a reply, if it is small or has what it takes of the share."""
        parser = self._parser
        if self.exchange is not exchange:
            return
        if parser.wants and self._share is not None and not self._covered(exchange, self._share):
            self._hold(_BUDGET)
            return
        self._let_go(_BUDGET)
        if parser.done:
            self._complete(exchange)

    def _covered(self, exchange: Exchange, share: Share) -> bool:
        if exchange.lease is None:
            exchange.lease = Lease(share)
            if exchange.stream is not None:
                exchange.stream.lease = exchange.lease
        return exchange.lease.covers(self._parser.wants, partial(self._advance, exchange))

    def _complete(self, exchange: Exchange) -> None:
        parser = self._parser
        self.exchange = None
        if exchange.stream is not None:
            exchange.stream.end()
        elif not exchange.reply.done():
            release = None if exchange.lease is None else exchange.lease.release
            body = parser.take()
            exchange.reply.set_result(HttpReply(parser.status, parser.headers, body, None, release))
        if self._held_by:
            self._let_go(self._held_by)
        # A reply that comes before the request was read out leaves a remainder nobody may parse.
        if parser.reusable and self.alive and not self._unsent():
            self._owner.release(self, idle_seconds(parser.headers.get(b"keep-alive")))
        else:
            self.discard()

    def _unsent(self) -> int:
        return 0 if self.transport is None else self.transport.get_write_buffer_size()

    # ── called by the event stream ──

    def pause(self) -> None:
        """Read no more for now: the reader is slow."""
        self._hold(_READER)

    def resume(self) -> None:
        """Read again."""
        self._let_go(_READER)

    def _hold(self, why: int) -> None:
        if not self._held_by and self.transport is not None and self.alive:
            self.transport.pause_reading()
        self._held_by |= why

    def _let_go(self, why: int) -> None:
        if self._held_by == why and self.transport is not None and self.alive:
            self.transport.resume_reading()
        self._held_by &= ~why
