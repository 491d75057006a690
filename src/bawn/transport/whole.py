"""A shorter way through uvicorn for messages that come and go whole.

ASGI carries a body and an answer in parts, through an event and two sends. Most messages are one part
each: here the body is taken as it lies there, and the answer is one write. Where that does not apply
(parts are missing, the reader is slow), the caller is told so and goes by ASGI.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Final

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

_STATUS: Final[Mapping[int, bytes]] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus
}
_BREAKS: Final = b"\r\n\0"


class Whole:
    """One request and its answer, on uvicorn's own record of them."""

    __slots__ = ("_cycle",)

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self._cycle = cycle

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
        if cycle.disconnected:
            return True
        lines = b"".join([b"%b: %b\r\n" % field for field in headers])
        if len(lines.translate(None, _BREAKS)) != len(lines) - 2 * len(headers):
            return False  # uvicorn refuses such a header
        head = b"%b%bcontent-length: %d\r\n\r\n" % (_STATUS[status], lines, len(body))
        cycle.response_started = cycle.response_complete = True
        cycle.transport.write(head + body)
        cycle.message_event.set()
        cycle.on_response()
        return True
