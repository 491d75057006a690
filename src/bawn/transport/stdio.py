"""stdio for clients: lines in, POSTs to the gate's Unix socket, lines out.

Sources: transports/stdio and transports/streamable-http (2026-07-28), basic/transports (2025-11-25).
The bridge has no opinion: it writes the headers that the body implies and leaves the judging to the
gate, which knows its caller by the socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote

from bawn.errors import PARSE_ERROR, Refused
from bawn.model import Json
from bawn.ports import HttpClient, HttpReply, HttpRequest
from bawn.protocol import envelope, headers, strict, versions

log = logging.getLogger("bawn.stdio")

_STANDARD: Final = (
    (b"content-type", b"application/json"),
    (b"accept", b"application/json, text/event-stream"),
)

WriteLine = Callable[[bytes], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Target:
    """Where the gate is: the URL of the endpoint, the caller's directory, and the deadlines."""

    url: str
    project: str
    seconds: float
    limit: int


@dataclass(slots=True)
class Bridge:
    """One client's conversation. Requests run side by side; `initialize` goes alone, as it must."""

    client: HttpClient
    target: Target
    write: WriteLine
    _session: tuple[tuple[bytes, bytes], ...] = ()
    _running: dict[str | int, asyncio.Task[Any]] = field(default_factory=dict)
    _telling: set[asyncio.Task[Any]] = field(default_factory=set)

    async def run(self, lines: asyncio.StreamReader) -> None:
        """Carry messages until the client closes its end."""
        while line := await self._next(lines):
            if line.strip():
                await self._take(line.strip())
        tasks = [*self._running.values(), *self._telling]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
            message = envelope.read(tree)
        except Refused as refused:
            if not _is_response(tree):
                await self._fail(envelope.identifier(tree), refused.reason.code, refused.message)
            return
        if message.method == "initialize":
            await self._initialize(line, message)
        elif message.method == "notifications/cancelled" and not self._session:
            self._cancel(message.params.get("requestId"))
        else:
            self._spawn(line, message)

    def _spawn(self, line: bytes, message: envelope.Message) -> None:
        task = asyncio.create_task(self._relay(line, message))
        if message.id is None:
            self._telling.add(task)
            task.add_done_callback(self._telling.discard)
        else:
            id_ = message.id
            self._running[id_] = task
            task.add_done_callback(lambda _: self._running.pop(id_, None))

    def _cancel(self, id_: Any) -> None:
        """Modern cancellation over HTTP is closing the request."""
        task = self._running.get(id_) if isinstance(id_, str | int) else None
        if task is not None:
            task.cancel()

    async def _initialize(self, line: bytes, message: envelope.Message) -> None:
        reply = await self._relay(line, message)
        if reply is None or reply.status != 200:
            return
        answer = strict.careful(reply.body, strict.JsonLimits()).get("result") or {}
        self._session = ((headers.VERSION, str(answer.get("protocolVersion", "")).encode()),)
        if headers.SESSION in reply.headers:
            self._session += ((headers.SESSION, reply.headers[headers.SESSION]),)

    async def _relay(self, line: bytes, message: envelope.Message) -> HttpReply | None:
        try:
            reply = await self.client.send(
                HttpRequest(
                    "POST",
                    self.target.url,
                    (*_STANDARD, *self._headers(message)),
                    line,
                    self.target.seconds,
                    self.target.seconds,
                    self.target.limit,
                )
            )
            if reply.events is not None:
                async for data in reply.events:
                    await self.write(data)
            elif reply.body:
                await self._write_reply(reply.body, message.id)
        except Refused as refused:
            log.warning("the gate did not answer: %s", refused)
            await self._fail(message.id, refused.reason.code, refused.message)
            return None
        return reply

    def _headers(self, message: envelope.Message) -> tuple[tuple[bytes, bytes], ...]:
        project = (b"bawn-project", quote(self.target.project, errors="surrogateescape").encode())
        version = message.meta.get(versions.META_VERSION)
        if not isinstance(version, str):
            return (project, *self._session)
        made = [project, (headers.VERSION, headers.encode(version))]
        made.append((headers.METHOD, headers.encode(message.method)))
        method = versions.METHODS.get(message.method)
        name = message.params.get(method.named) if method and method.named else None
        if isinstance(name, str):
            made.append((headers.NAME, headers.encode(name)))
        return tuple(made)

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
    """A client's answer to a server's request: nothing asks yet, so there is nothing to carry."""
    return isinstance(tree, dict) and ("result" in tree or "error" in tree)
