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
"""Progress notifications that wait for a slow reader; older ones give way."""

_JSON: Final = (b"content-type", b"application/json")
_STREAM: Final = [(b"content-type", b"text/event-stream"), (b"cache-control", b"no-store")]


class Reply:
    """What goes back for one request; `finish` is called once, last."""

    __slots__ = ("_pump", "_queue", "_send")

    def __init__(self, send: Send) -> None:
        self._send = send
        self._queue: deque[Json] = deque(maxlen=QUEUE)
        self._pump: asyncio.Task[None] | None = None

    def progress(self, notification: Json) -> None:
        """Send a notification ahead of the answer: from the first one on the reply is a stream."""
        self._queue.append(notification)
        if self._pump is None:
            self._pump = asyncio.create_task(self._pour(first=True))
        elif self._pump.done():
            self._pump = asyncio.create_task(self._pour())

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

    async def _json(self, body: bytes, status: int) -> None:
        headers = [_JSON, (b"content-length", str(len(body)).encode())]
        await self._send({"type": "http.response.start", "status": status, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})

    async def _pour(self, *, first: bool = False) -> None:
        if first:
            await self._send({"type": "http.response.start", "status": 200, "headers": _STREAM})
        while self._queue:
            body = sse.event(strict.encode(self._queue.popleft()))
            await self._send({"type": "http.response.body", "body": body, "more_body": True})
