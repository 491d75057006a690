"""A shorter way through uvicorn for messages that come and go whole.

ASGI carries a body and an answer in parts, through an event and two sends. Most messages are one part
each: here the body is taken as it lies there, and the answer is one write. Where that does not apply
(parts are missing, the reader is slow), the caller is told so and goes by ASGI.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from functools import lru_cache
from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_STATUS: Final[Mapping[int, bytes]] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_BREAKS: Final = b"\r\n\0"


@lru_cache(1024)
def _head(status: int, headers: tuple[tuple[bytes, bytes], ...]) -> bytes | None:
    """Status line and header, or None when a field would break out of its line."""
    lines = b"".join([b"%b: %b\r\n" % field for field in headers])
    if len(lines.translate(None, _BREAKS)) != len(lines) - 2 * len(headers):
        return None
    return _STATUS[status] + lines


class Whole:
    """One request and its answer, on uvicorn's own record of them."""

    __slots__ = ("_cycle", "task")

    def __init__(self, cycle: RequestResponseCycle, task: asyncio.Task[None]) -> None:
        self._cycle = cycle
        self.task = task

    def body(self) -> bytes | None:
        """The whole body, or None when it is not there yet."""
        cycle = self._cycle
        if cycle.more_body or cycle.disconnected or cycle.waiting_for_100_continue:
            return None
        body = bytes(cycle.body)
        cycle.body = bytearray()
        cycle.message_event.clear()  # from here on it tells that the caller went away
        return body

    def respond(self, status: int, headers: tuple[tuple[bytes, bytes], ...], body: bytes) -> bool:
        """Send the whole answer; false when it has to go by ASGI."""
        cycle = self._cycle
        if cycle.response_started or cycle.flow.write_paused or not cycle.keep_alive:
            return False
        if cycle.scope["method"] != "POST":
            return False  # an answer to HEAD has no body: the next answer would be read from it
        if cycle.disconnected:
            return True
        head = _head(status, headers)
        if head is None:
            return False  # uvicorn refuses such a header
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body))
        cycle.message_event.set()
        cycle.on_response()
        return True
