"""One HTTP reply to a worker: JSON at once, or an event stream when progress comes first."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final, TypeAlias

from bawn.model import Json
from bawn.protocol import sse, strict

Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]

QUEUE: Final = 256
"""Messages that wait for a slow reader: of more, the oldest notification gives way."""

ERA: Final = b"bawn-era"

_JSON: Final = (b"content-type", b"application/json")
_STREAM: Final = ((b"content-type", b"text/event-stream"), (b"cache-control", b"no-store"))


class Reply:
    """What goes back for one request; `finish` is called once, last.

    `era` tells that of the server; it is asked for when the header goes out.
    """

    __slots__ = ("_era", "_pump", "_queue", "_send")

    def __init__(self, send: Send, era: Callable[[], str] = str) -> None:
        self._send = send
        self._era = era
        self._queue: deque[Json] = deque()
        self._pump: asyncio.Task[None] | None = None

    def tell(self, message: Json) -> bool:
        """Send a message ahead of the answer: from the first one on the reply is a stream.

        False when a notification had to give way; what asks something is never dropped.
        """
        kept = len(self._queue) < QUEUE or self._drop()
        self._queue.append(message)
        if self._pump is None:
            self._pump = asyncio.create_task(self._pour(first=True))
        elif self._pump.done():
            self._pump = asyncio.create_task(self._pour())
        return kept

    async def finish(self, body: bytes, status: int = 200) -> None:
        """Send the answer and end the reply."""
        if self._pump is None:
            await self._json(body, status)
            return
        await self._pump
        await self._send(
            {"type": "http.response.body", "body": sse.event(body), "more_body": False}
        )

    def abandon(self) -> None:
        """The reader is gone: send nothing more."""
        if self._pump is not None:
            self._pump.cancel()

    def _drop(self) -> bool:
        for held in self._queue:
            if "id" not in held:
                self._queue.remove(held)
                break
        return False

    def _head(self, *headers: tuple[bytes, bytes]) -> list[tuple[bytes, bytes]]:
        era = self._era()
        return [*headers, (ERA, era.encode())] if era else list(headers)

    async def _json(self, body: bytes, status: int) -> None:
        headers = self._head(_JSON, (b"content-length", str(len(body)).encode()))
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _pour(self, *, first: bool = False) -> None:
        if first:
            headers = self._head(*_STREAM)
            await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        while self._queue:
            body = sse.event(strict.encode(self._queue.popleft()))
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
