"""The reference HTTP client, on httpx2: for proxies, private authorities and HTTP/2.

Slower than our own, and the measure of it: both pass one contract suite. It opens a connection for
each exchange, because httpcore2 keeps bytes that follow a reply and reads them as the next one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Awaitable
from importlib.util import find_spec
from math import inf
from typing import Any, Final, TypeVar

import httpx2

from bawn.budget import Budget
from bawn.errors import (
    UPSTREAM_FIRST_BYTE,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOTAL,
    UPSTREAM_UNREACHABLE,
    Misconfigured,
    Reason,
    Refused,
)
from bawn.ports import HttpReply, HttpRequest
from bawn.protocol import sse
from bawn.upstream.events import Mark, marked, messages
from bawn.upstream.origin import split
from bawn.upstream.reply import HEADER_LIMIT, header_map, invalid, is_stream, too_large
from bawn.upstream.request import check_method, field_lines
from bawn.upstream.share import FREE, Lease, Share

_IDENTITY: Final = (b"accept-encoding", b"identity")
T = TypeVar("T")


class ReferenceClient:
    """Implements `ports.HttpClient`: `connections` in all, `connect` in seconds.

    `ca` is a file of authorities, trusted instead of the system's; `proxy` an http or https URL. Of
    `budget` the large replies take what they hold.

    Raises:
        Misconfigured: the file of authorities cannot be used.
    """

    def __init__(
        self,
        connections: int,
        connect: float,
        *,
        ca: str | None = None,
        proxy: str | None = None,
        budget: Budget | None = None,
    ) -> None:
        self._share = None if budget is None else Share(budget)
        self._connect = connect
        self._options: dict[str, Any] = {
            "verify": _tls(ca),
            "trust_env": False,
            "http2": find_spec("h2") is not None,
            "limits": httpx2.Limits(max_connections=connections, max_keepalive_connections=0),
        }
        self._network = httpx2.AsyncHTTPTransport(proxy=proxy, **self._options)
        # what has no end takes no place from what has
        self._endless = httpx2.AsyncHTTPTransport(proxy=proxy, **self._options)
        self._local: dict[str, httpx2.AsyncHTTPTransport] = {}
        self._closed = False

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send once and hold the reply, as `ports.HttpClient` says."""
        if self._closed:
            raise Refused(UPSTREAM_UNREACHABLE, detail="the client is closed")
        exchange = _Exchange(
            request, self._connect, None if self._share is None else Lease(self._share)
        )
        return await exchange.run(self._transport(request))

    def _transport(self, request: HttpRequest) -> httpx2.AsyncHTTPTransport:
        socket = split(request.url)[0].socket
        if socket is None:
            return self._endless if request.total == inf else self._network
        if socket not in self._local:
            self._local[socket] = httpx2.AsyncHTTPTransport(uds=socket, **self._options)
        return self._local[socket]

    async def aclose(self) -> None:
        """Close every connection."""
        self._closed = True
        for transport in (self._network, self._endless, *self._local.values()):
            await transport.aclose()


class _Exchange:
    """One request and its reply; knows whether anything was written."""

    def __init__(self, request: HttpRequest, connect: float, lease: Lease | None) -> None:
        self.lease = lease
        now = asyncio.get_running_loop().time()
        self._first_byte = now + min(request.first_byte, request.total)
        self._total = now + request.total
        self._first_reason = (
            UPSTREAM_FIRST_BYTE if request.first_byte < request.total else UPSTREAM_TOTAL
        )
        self._limit = request.limit
        self._written = False
        self._request = self._built(request, connect)

    def _built(self, request: HttpRequest, connect: float) -> httpx2.Request:
        check_method(request.method)
        field_lines(request.headers)
        origin, host, target = split(request.url)
        scheme = "https" if origin.tls else "http"
        try:
            return httpx2.Request(
                request.method,
                f"{scheme}://{host.decode('ascii')}{target.decode('ascii')}",
                headers=[_IDENTITY, *request.headers],
                content=request.body or None,
                extensions={
                    "timeout": {"connect": connect, "pool": None, "read": None, "write": None},
                    "trace": self._trace,
                },
            )
        except httpx2.InvalidURL:
            raise Refused(UPSTREAM_UNREACHABLE, detail="not a URL that httpx2 takes") from None

    async def _trace(self, event: str, _: Any) -> None:
        if event.endswith("send_request_headers.started"):
            self._written = True

    async def run(self, transport: httpx2.AsyncHTTPTransport) -> HttpReply:
        """Send, and hold the reply; for an event stream, hand over the rest."""
        response = await self.within(
            self._first_byte, self._first_reason, transport.handle_async_request(self._request)
        )
        try:
            headers = _checked(response)
            if is_stream(headers.get(b"content-type")) and response.status_code not in (204, 304):
                events = _Events(self, response, self._limit)
                return HttpReply(response.status_code, headers, b"", events)
            body = await self.by_the_end(self._body(response, headers))
        except BaseException:
            self.release()
            await response.aclose()
            raise
        try:
            await response.aclose()
        except BaseException:
            self.release()
            raise
        release = self.lease.release if self.lease is not None and self.lease.size else None
        return HttpReply(response.status_code, headers, body, None, release)

    async def make_room(self, held: int, wanted: int) -> None:
        """Wait until so many bytes may be held, if that is more than anyone may hold without asking."""
        if self.lease is not None and held > FREE:
            await self.by_the_end(self.lease.wait(wanted))

    def release(self) -> None:
        """Give back what was taken."""
        if self.lease is not None:
            self.lease.release()

    async def _body(self, response: httpx2.Response, headers: dict[bytes, bytes]) -> bytes:
        body = bytearray()
        bodyless = response.status_code in (204, 304)
        length = 0 if bodyless else int(headers.get(b"content-length", b"0"))
        if length > self._limit:
            raise too_large(self._limit)
        await self.make_room(length, length)
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > self._limit:
                raise too_large(self._limit)
            await self.make_room(len(body), self._limit)
        return bytes(body)

    async def by_the_end(self, work: Awaitable[T]) -> T:
        """The result of work that may take until the total deadline."""
        return await self.within(self._total, UPSTREAM_TOTAL, work)

    async def within(self, deadline: float, reason: Reason, work: Awaitable[T]) -> T:
        """The result of work, or the refusal that its failure amounts to.

        Raises:
            Refused: as `ports.HttpClient.send` says.
        """
        try:
            async with asyncio.timeout_at(None if deadline == inf else deadline):
                return await work
        except TimeoutError:
            late = reason if self._written else UPSTREAM_UNREACHABLE
            raise Refused(late, detail="the time is over") from None
        except httpx2.TransportError as error:
            raise self._refusal(error) from None

    def _refusal(self, error: httpx2.TransportError) -> Refused:
        detail = str(error) or type(error).__name__
        if not self._written or isinstance(error, httpx2.ProxyError):
            return Refused(UPSTREAM_UNREACHABLE, detail=detail)
        # Told apart by their texts alone; an end of the connection is not bad HTTP.
        ended = detail.startswith(("Server disconnected", "peer closed connection"))
        if isinstance(error, httpx2.ProtocolError) and not ended:
            return invalid(detail)
        return Refused(UPSTREAM_OUTCOME, detail=detail)


class _Events(AsyncIterator[bytes]):
    """The events of a reply, read as they are asked for."""

    def __init__(self, exchange: _Exchange, response: httpx2.Response, limit: int) -> None:
        self._exchange = exchange
        self._response = response
        self._pieces = response.aiter_raw()
        self._limit = limit
        self._parser = sse.Parser(limit)
        self._queue: deque[bytes] = deque()
        self._ended = False

    @property
    def mark(self) -> Mark:
        """Where it has come to."""
        return marked(self._parser)

    async def __anext__(self) -> bytes:
        if not self._queue and self._parser.held <= FREE:
            self._exchange.release()  # the reader is done with the event before
        while not self._queue:
            if self._ended:
                raise StopAsyncIteration
            try:
                piece = await self._exchange.by_the_end(anext(self._pieces, None))
                if piece is not None:
                    self._queue.extend(messages(self._parser.feed(piece)))
                    await self._exchange.make_room(self._parser.held, self._limit)
            except BaseException:
                await self.aclose()
                raise
            if piece is None:
                await self.aclose()
        return self._queue.popleft()

    async def aclose(self) -> None:
        self._ended = True
        self._exchange.release()
        await self._response.aclose()


def _checked(response: httpx2.Response) -> dict[bytes, bytes]:
    fields = response.headers.raw
    if response.status_code < 200:
        raise invalid(f"an interim reply ({response.status_code}) that was not asked for")
    if sum(len(name) + len(value) + 4 for name, value in fields) > HEADER_LIMIT:
        raise invalid(f"the header section is over {HEADER_LIMIT} bytes")
    return header_map(fields)


def _tls(ca: str | None) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=ca)
    except OSError as error:  # SSLError among them
        raise Misconfigured(
            f"ca: {ca}: {error.strerror or error}; expected a PEM file of certificate authorities"
        ) from None
