"""bawn's own HTTP/1.1 client: the hot path's last stretch, so nothing is built twice.

A request is one write and one future. What does not change from one request to the next (origin,
request line, Host) is prepared once for each method and URL. Deadlines have no timers of their own: one
tick looks after all of them, so each may fire up to a tick late.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from typing import Final

from bawn.budget import Budget
from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpReply, HttpRequest
from bawn.upstream.connection import Exchange
from bawn.upstream.origin import Origin, split
from bawn.upstream.pool import Pool
from bawn.upstream.request import METHODS_WITHOUT_BODY, check_method, field_lines
from bawn.upstream.share import Share

TICK: Final = 0.25
"""Seconds between looks at deadlines and idle connections."""

_ROUTES: Final = 1024  # prepared request lines; more are forgotten all at once


@dataclass(frozen=True, slots=True)
class _Route:
    pool: Pool
    head: bytes  # request line and our own headers but Content-Length
    bodyless: bool


def _head(route: _Route, request: HttpRequest) -> bytes:
    lines = field_lines(request.headers)
    if route.bodyless and not request.body:
        return b"%b%b\r\n" % (route.head, lines)
    return b"%bcontent-length: %d\r\n%b\r\n" % (route.head, len(request.body), lines)


class PooledClient:
    """Implements `ports.HttpClient`: `connections` for each origin, `connect` in seconds.

    Belongs to the event loop of its first request. `ssl_context` is for every https origin; by
    default the system's authorities are trusted. Of `budget` the large replies take what they hold.
    """

    def __init__(
        self,
        connections: int,
        connect: float,
        ssl_context: ssl.SSLContext | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._share = None if budget is None else Share(budget)
        self._connections = connections
        self._connect = connect
        self._tls = ssl_context or _default_tls()
        self._pools: dict[Origin, Pool] = {}
        self._routes: dict[tuple[str, str], _Route] = {}
        self._ticking: asyncio.TimerHandle | None = None
        self._closed = False

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send once and hold the reply, as `ports.HttpClient` says."""
        if self._closed:
            raise Refused(UPSTREAM_UNREACHABLE, detail="the client is closed")
        route = self._routes.get((request.method, request.url)) or self._prepare(request)
        head = _head(route, request)
        pool = route.pool
        loop = pool.loop
        now = loop.time()
        first_byte, total = now + request.first_byte, now + request.total
        connection = pool.take(now)
        if connection is None:
            connection = await pool.acquire(min(first_byte, total))
        exchange = Exchange(loop.create_future(), first_byte, total, request.limit)
        connection.start(exchange, head, request.body)
        try:
            return await exchange.reply
        except BaseException:  # cancelled, above all: what comes now is nobody's
            if connection.exchange is exchange:
                connection.discard()
            exchange.release()  # the reply may have come in the same moment
            raise

    def _prepare(self, request: HttpRequest) -> _Route:
        check_method(request.method)
        origin, host, target = split(request.url)
        pool = self._pools.get(origin)
        if pool is None:
            pool = Pool(
                origin, self._connections, self._connect, self._tls, self._watch, self._share
            )
            self._pools[origin] = pool
        head = b"%b %b HTTP/1.1\r\nhost: %b\r\naccept-encoding: identity\r\n" % (
            request.method.encode("ascii"),
            target,
            host,
        )
        if len(self._routes) >= _ROUTES:
            self._routes.clear()
        route = _Route(pool, head, request.method in METHODS_WITHOUT_BODY)
        self._routes[request.method, request.url] = route
        return route

    def _watch(self) -> None:
        if self._ticking is None:
            self._ticking = asyncio.get_running_loop().call_later(TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = None
        now = asyncio.get_running_loop().time()
        if any([pool.sweep(now) for pool in self._pools.values()]):  # noqa: C419 - sweep them all
            self._watch()

    async def aclose(self) -> None:
        """Close every connection, and wait until they are gone."""
        self._closed = True
        if self._ticking is not None:
            self._ticking.cancel()
        gone = [future for pool in self._pools.values() for future in pool.close()]
        if gone:
            await asyncio.wait(gone)


def _default_tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
