"""stdio for clients: lines in, requests to the gate's Unix socket, lines out.

Sources: transports/stdio and transports/streamable-http (2026-07-28), basic/transports (2025-11-25).
The bridge has no opinion: it writes the headers that the body implies and leaves the judging to the
gate, which knows its caller by the socket.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from math import inf
from typing import Any, Final, NamedTuple
from urllib.parse import quote

import msgspec

from bawn.errors import GATE_WORKER_LOST, PARSE_ERROR, Refused
from bawn.model import Json
from bawn.ports import HttpClient, HttpReply, HttpRequest
from bawn.protocol import envelope, headers, strict, versions
from bawn.transport.following import PAUSE, follow
from bawn.transport.head import Fields
from bawn.transport.stream import INLINE, LAST_EVENT

log = logging.getLogger("bawn.stdio")

_STANDARD: Final = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
)

_LISTEN: Final = "subscriptions/listen"
_LEAVING: Final = 2.0  # seconds that the gate has to end a session

WriteLine = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the gate is: the URL of the endpoint, the caller's directory, and the deadlines."""

    url: str
    project: str
    seconds: float
    limit: int


class _Running(NamedTuple):
    """A request that is not answered yet."""

    task: asyncio.Task[Any]
    modern: bool


@dataclass(slots=True)
class Bridge:
    """One client's conversation. Requests run side by side; `initialize` goes alone, as it must.

    `pause` is in seconds, between attempts to have the session's stream again.
    """

    client: HttpClient
    target: Target
    write: WriteLine
    pause: float = PAUSE
    _session: Fields = ()
    _running: dict[str | int, _Running] = field(default_factory=dict)
    _telling: set[asyncio.Task[Any]] = field(default_factory=set)
    _following: asyncio.Task[None] | None = None

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Carry messages until the client closes its end; its session is ended then."""
        while line := await self._next(lines):
            if line.strip():
                await self._take(line.strip())
        tasks = [*(running.task for running in self._running.values()), *self._telling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._end()

    async def _next(self, lines: asyncio.StreamReader) -> bytes:
        """The next line, empty at the end of input; one that is too long is skipped and refused."""
        overlong = False
        while True:
            try:
                line = await lines.readuntil()
            except asyncio.LimitOverrunError as passed:
                overlong = True
                await lines.readexactly(passed.consumed)
                continue
            except asyncio.IncompleteReadError as end:
                line = end.partial
            if not overlong:
                return line
            overlong = False
            await self._fail(None, PARSE_ERROR, "a message is longer than the gate accepts")

    async def _take(self, line: bytes) -> None:
        tree: Any = None
        try:
            tree = strict.careful(line, strict.JsonLimits())
            if self._session and (isinstance(tree, list) or _is_response(tree)):
                self._spawn(line, None, self._session)
                return
            message = envelope.read(tree)
        except Refused as refused:
            if not _is_response(tree):
                await self._fail(envelope.identifier(tree), refused.reason.code, refused.message)
            return
        if message.method == "initialize":
            await self._initialize(line, message)
        elif message.method == "notifications/initialized" and self._session:
            await self._relay(line, None, self._headers(message))
            self._follow()
        elif message.method == "notifications/cancelled" and self._cancel(message):
            pass
        else:
            self._spawn(line, message, self._headers(message))

    def _spawn(self, line: bytes, message: envelope.Message | None, named: Fields) -> None:
        """Carry a message; without a Message it is one of a session, and has no answer of one id."""
        id_ = None if message is None else message.id
        # a legacy client may be asked something in the midst of a call, and nobody knows how long it takes
        lasting = message is None or not _is_modern(message) or message.method == _LISTEN
        task = asyncio.create_task(self._relay(line, id_, named, lasting=lasting))
        if id_ is None:
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
            return
        running = self._running[id_] = _Running(task, message is not None and _is_modern(message))

        def over(_: asyncio.Task[Any]) -> None:
            if self._running.get(id_) is running:
                del self._running[id_]

        task.add_done_callback(over)

    def _cancel(self, message: envelope.Message) -> bool:
        """Whether this was all there is to do: modern cancellation over HTTP is closing the request."""
        id_ = message.params.get("requestId")
        running = self._running.get(id_) if isinstance(id_, str | int) else None
        if running is not None and running.modern:
            running.task.cancel()
            return True
        return not self._session

    # ── the session of a legacy client ──

    async def _initialize(self, line: bytes, message: envelope.Message) -> None:
        await self._end()
        reply = await self._relay(line, message.id, self._headers(message))
        if reply is None or reply.status != 200 or not reply.body:
            return
        answer = strict.careful(reply.body, strict.JsonLimits()).get("result") or {}
        self._session = (
            self._project,
            (headers.VERSION, str(answer.get("protocolVersion", "")).encode()),
        )
        if headers.SESSION in reply.headers:
            self._session += ((headers.SESSION, reply.headers[headers.SESSION]),)

    def _follow(self) -> None:
        """Have what the session is told written too."""
        if self._following is not None or self._session[-1][0] != headers.SESSION:
            return
        self._following = asyncio.create_task(
            follow(self.client, self._stream, self.write, self.pause)
        )

    def _stream(self, last: bytes) -> HttpRequest:
        named = ((b"accept", b"text/event-stream"), (INLINE, b"1"), *self._session)
        if last:
            named += ((LAST_EVENT, last),)
        return self._request("GET", b"", named, lasting=True)

    async def _end(self) -> None:
        """Let the gate forget the session, if there is one."""
        session, self._session = self._session, ()
        if self._following is not None:
            self._following.cancel()
            await asyncio.gather(self._following, return_exceptions=True)
            self._following = None
        if not session or session[-1][0] != headers.SESSION:
            return
        with contextlib.suppress(Refused, TimeoutError):  # it expires by itself
            async with asyncio.timeout(_LEAVING):
                reply = await self.client.send(self._request("DELETE", b"", session))
                if reply.release is not None:
                    reply.release()

    # ── to the gate and back ──

    def _request(
        self, method: str, body: bytes, named: Fields, *, lasting: bool = False
    ) -> HttpRequest:
        target = self.target
        total = inf if lasting else target.seconds
        return HttpRequest(method, target.url, named, body, target.seconds, total, target.limit)

    async def _relay(
        self, line: bytes, id_: str | int | None, named: Fields, *, lasting: bool = False
    ) -> HttpReply | None:
        try:
            request = self._request("POST", line, (*_STANDARD, *named), lasting=lasting)
            reply = await self.client.send(request)
            if reply.events is not None:
                await self._write_events(reply.events, id_)
            elif reply.body:
                await self._write_reply(reply.body, id_)
        except Refused as refused:
            log.warning("the gate did not answer: %s", refused)
            await self._fail(id_, refused.reason.code, refused.message)
            return None
        return reply

    @property
    def _project(self) -> tuple[bytes, bytes]:
        return b"bawn-project", quote(self.target.project, errors="surrogateescape").encode()

    def _headers(self, message: envelope.Message) -> Fields:
        version = message.meta.get(versions.META_VERSION)
        if not isinstance(version, str):
            return self._session or (self._project,)
        made = [self._project, (headers.VERSION, headers.encode(version))]
        made.append((headers.METHOD, headers.encode(message.method)))
        method = versions.METHODS.get(message.method)
        name = message.params.get(method.named) if method and method.named else None
        if isinstance(name, str):
            made.append((headers.NAME, headers.encode(name)))
        return tuple(made)

    async def _write_events(self, events: AsyncIterator[bytes], id_: str | int | None) -> None:
        """Write each message of a stream; it ends with the answer, or the request has failed."""
        last = b"{}"
        async for last in events:
            await self.write(last)
        if id_ is not None and not _is_response(msgspec.json.decode(last)):
            await self._fail(id_, GATE_WORKER_LOST.code, GATE_WORKER_LOST.message)

    async def _write_reply(self, body: bytes, id_: str | int | None) -> None:
        """Write the answer; an error that the gate could not tie to a request gets its id."""
        answer = strict.careful(body, strict.JsonLimits(depth=1024, nodes=1 << 24))
        if isinstance(answer, dict) and answer.get("id") is None and id_ is not None:
            body = strict.encode({**answer, "id": id_})
        await self.write(body)

    async def _fail(self, id_: str | int | None, code: int, text: str) -> None:
        error: Json = {"code": code, "message": text}
        await self.write(envelope.error(id_, error))


def _is_response(tree: Any) -> bool:
    """A client's answer to what a server asked: it is for the session in which that was asked."""
    return isinstance(tree, dict) and ("result" in tree or "error" in tree)


def _is_modern(message: envelope.Message) -> bool:
    return isinstance(message.meta.get(versions.META_VERSION), str)
