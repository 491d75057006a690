"""The connections to one origin: who gets which, who waits, and when one has rested too long."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable
from typing import Final

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, Refused
from bawn.upstream.alive import watch_peer
from bawn.upstream.connection import Connection
from bawn.upstream.origin import Origin
from bawn.upstream.resolve import Resolver
from bawn.upstream.share import Share

Grant = Connection | None
"""What a waiter gets: a free connection, or the right to open one."""


class Pool:
    """At most `most` connections, open or opening; whoever comes when all are busy waits in line.

    Streams without a deadline do not count: whoever asks for them bounds them.

    `connect` is in seconds, deadlines are in loop time. `watch` is called whenever there is
    something that `sweep` will have to look after.
    """

    def __init__(
        self,
        origin: Origin,
        most: int,
        connect: float,
        tls: ssl.SSLContext,
        watch: Callable[[], None],
        share: Share | None = None,
    ) -> None:
        self.loop: Final = asyncio.get_running_loop()
        self._origin = origin
        self._most = most
        self._connect_timeout = connect
        self._tls = tls
        self._watch = watch
        self._share = share
        self._resolver = Resolver(origin)
        self._taken = 0  # places under `most`
        self._idle: list[Connection] = []  # the one used last is on top: the rest may age and close
        self._all: set[Connection] = set()
        self._lasting: set[Connection] = set()  # of them, those that gave their place back
        self._waiters: deque[tuple[asyncio.Future[Grant], float]] = deque()
        self._closed = False

    def take(self, now: float) -> Connection | None:
        """An idle connection, when there is one that is still good."""
        idle = self._idle
        while idle:
            connection = idle.pop()
            if now < connection.idle_until and connection.alive:
                return connection
            connection.discard()
        return None

    async def acquire(self, deadline: float) -> Connection:
        """A connection: idle, new, or whichever becomes free before the deadline.

        Raises:
            Refused: upstream.unreachable.
        """
        while not self._closed:
            connection = self.take(self.loop.time())
            if connection is not None:
                return connection
            if self._taken < self._most:
                self._taken += 1
                return await self._open(deadline)
            connection = await self._wait(deadline)
            if connection is None:
                return await self._open(deadline)
            if connection.alive:
                return connection
        raise self._unreachable("the client is closed")

    async def _wait(self, deadline: float) -> Grant:
        grant: asyncio.Future[Grant] = self.loop.create_future()
        self._waiters.append((grant, deadline))
        self._watch()
        try:
            return await grant
        except asyncio.CancelledError:
            if grant.done() and not grant.cancelled() and grant.exception() is None:
                self._pass_on(grant.result())  # it came too late for us; the next in line has it
            raise

    def _pass_on(self, grant: Grant) -> None:
        if grant is None:
            self._vacate()
        else:
            self.release(grant, grant.idle_until - self.loop.time())

    async def _open(self, deadline: float) -> Connection:
        connection = Connection(self, self.loop.create_future(), self._share)
        self._all.add(connection)
        self._watch()
        try:
            async with asyncio.timeout_at(min(deadline, self.loop.time() + self._connect_timeout)):
                await self._connect(connection)
        except BaseException as error:
            connection.discard()
            self.lost(connection)  # uvloop does not tell of one that was cancelled as it stood
            if isinstance(error, OSError | UnicodeError):  # TimeoutError and SSLError among them
                raise self._unreachable(str(error) or type(error).__name__) from None
            raise
        if self._closed:
            connection.discard()
        if not connection.alive:  # what is written on it would never be answered
            raise self._unreachable("the connection was closed at once")
        return connection

    async def _connect(self, connection: Connection) -> None:
        if self._origin.socket is not None:
            await self.loop.create_unix_connection(lambda: connection, self._origin.socket)
        else:
            await self._connect_by_name(connection)

    async def _connect_by_name(self, connection: Connection) -> None:
        *others, last = await self._resolver.addresses()
        for address in others:
            try:
                return await self._connect_to(address, connection)
            except ssl.SSLError:  # somebody is there, and not the one we look for
                raise
            except OSError:
                continue
        await self._connect_to(last, connection)

    async def _connect_to(self, address: str, connection: Connection) -> None:
        origin = self._origin
        await self.loop.create_connection(
            lambda: connection,
            address,
            origin.port,
            ssl=self._tls if origin.tls else None,
            server_hostname=origin.host if origin.tls else None,
        )

    def _unreachable(self, why: str) -> Refused:
        return Refused(UPSTREAM_UNREACHABLE, detail=f"{self._origin}: {why}")

    # ── called by connections ──

    def release(self, connection: Connection, idle: float) -> None:
        """A connection may be used again: by the first in line, or within `idle` seconds."""
        if idle <= 0 or self._closed:
            connection.discard()
            return
        if connection in self._lasting:
            if self._taken >= self._most:
                connection.discard()
                return
            self._lasting.remove(connection)
            self._taken += 1
        connection.idle_until = self.loop.time() + idle
        while self._waiters:
            grant, _ = self._waiters.popleft()
            if not grant.done():
                grant.set_result(connection)
                return
        self._idle.append(connection)

    def lasts(self, connection: Connection) -> None:
        """A connection has a stream without end: others may have its place, and its peer is watched."""
        self._lasting.add(connection)
        self._vacate()
        if connection.transport is not None:
            watch_peer(connection.transport)

    def lost(self, connection: Connection) -> None:
        """A connection is gone, and its place is free; to say so twice is harmless."""
        if connection not in self._all:
            return
        self._all.remove(connection)
        connection.closed.set_result(None)
        if connection in self._idle:
            self._idle.remove(connection)
        if connection in self._lasting:
            self._lasting.remove(connection)
        else:
            self._vacate()

    def _vacate(self) -> None:
        while self._waiters:
            grant, _ = self._waiters.popleft()
            if not grant.done():
                grant.set_result(None)
                return
        self._taken -= 1

    # ── called by the client ──

    def sweep(self, now: float) -> bool:
        """Enforce the deadlines that have passed; whether there is still something to look after."""
        for connection in tuple(self._all):
            connection.enforce(now)
        for grant, deadline in self._waiters:
            if now >= deadline and not grant.done():
                grant.set_exception(self._unreachable("no connection became free in time"))
        if self._waiters:
            self._waiters = deque(waiter for waiter in self._waiters if not waiter[0].done())
        return bool(self._all or self._waiters)

    def close(self) -> list[asyncio.Future[None]]:
        """Close every connection, in use or not; each future tells that one of them is gone."""
        self._closed = True
        for grant, _ in self._waiters:
            if not grant.done():
                grant.set_exception(self._unreachable("the client is closed"))
        self._waiters.clear()
        standing = [connection for connection in self._all if connection.transport is not None]
        for connection in standing:
            connection.fail(Refused(UPSTREAM_OUTCOME, detail="the client was closed meanwhile"))
        return [connection.closed for connection in standing]
