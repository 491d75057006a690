"""Server-sent events, both ways and without I/O (WHATWG HTML, section 9.2 "Server-sent events").

Bytes stay bytes: what decodes the data judges its encoding. `id` and `retry` are for streams of the
handshake versions: those of 2026-07-28 are not resumed (transports/streamable-http).
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bawn.errors import UPSTREAM_TOO_LARGE, Refused

KEEP_ALIVE: Final = b":\n\n"
"""A comment: every reader skips it, every proxy sees traffic."""

_BOM: Final = b"\xef\xbb\xbf"
_CR: Final = b"\r"
_LF: Final = b"\n"
_MESSAGE: Final = b"message"
_LONGEST_ID: Final = 1024  # bytes: longer ones would have to be sent back in a header
_LONGEST_RETRY: Final = 9  # digits


class Event(NamedTuple):
    """One event: its type (`message` when the stream names none) and its joined data lines."""

    name: bytes
    data: bytes


class Parser:
    """Turns a stream, in any chunks, into events.

    `limit` bounds, in bytes, the lines kept for one event together with the line being read
    (comments too); so it bounds what the parser holds. `last_id` is that of the last event, empty ones
    included; `retry` the milliseconds to wait before asking for more, if the stream said so.
    """

    __slots__ = (
        "_data",
        "_id",
        "_limit",
        "_line",
        "_name",
        "_size",
        "_skip_lf",
        "_started",
        "last_id",
        "retry",
    )

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._line = bytearray()  # the line that has not ended yet
        self._data: bytes | bytearray | None = None
        self._name = _MESSAGE
        self._size = 0
        self._started = False
        self._skip_lf = False  # the last chunk ended in CR: a LF that comes next belongs to it
        self._id = b""
        self.last_id = b""
        self.retry: int | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """The events that this chunk completes. An event the stream ends within never happened.

        Raises:
            Refused: upstream.too_large; the parser is of no use afterwards.
        """
        if self._skip_lf and chunk:
            chunk = chunk.removeprefix(_LF)
            self._skip_lf = False
        if not chunk:
            return []
        self._skip_lf = chunk.endswith(_CR)
        lines = chunk.splitlines()
        rest = b"" if chunk.endswith((_CR, _LF)) else lines.pop()
        events: list[Event] = []
        if lines and self._line:
            self._line += lines[0]
            lines[0] = bytes(self._line)
            self._line.clear()
        for line in lines:
            self._take(line, events)
        self._line += rest
        self._check(len(self._line))
        return events

    @property
    def held(self) -> int:
        """Bytes kept for the event that has not ended yet."""
        return self._size + len(self._line)

    def _check(self, more: int) -> None:
        if self._size + more > self._limit:
            raise Refused(UPSTREAM_TOO_LARGE, detail=f"an SSE event is over {self._limit} bytes")

    def _take(self, line: bytes, events: list[Event]) -> None:
        self._check(len(line))
        if not self._started:
            self._started = True
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
            return
        if line.startswith(b"data:"):  # the common case, with one copy of a large value
            self._size += len(line)
            self._append(line[6 if line.startswith(b" ", 5) else 5 :])
            return
        name, _, value = line.partition(b":")
        if name == b"data":
            self._size += len(line)
            self._append(b"")
        elif name == b"event":
            self._name = value.removeprefix(b" ") or _MESSAGE
            self._size += len(line)
        elif name == b"id":
            self._name_event(value.removeprefix(b" "))
        elif name == b"retry":
            self._wait(value.removeprefix(b" "))

    def _name_event(self, value: bytes) -> None:
        if b"\0" not in value and len(value) <= _LONGEST_ID:
            self._id = value

    def _wait(self, value: bytes) -> None:
        if value.isdigit() and len(value) <= _LONGEST_RETRY:
            self.retry = int(value)

    def _append(self, value: bytes) -> None:
        if self._data is None:
            self._data = value
            return
        if isinstance(self._data, bytes):  # one buffer, so that many short lines stay cheap to hold
            self._data = bytearray(self._data)
        self._data += _LF
        self._data += value

    def _dispatch(self, events: list[Event]) -> None:
        self.last_id = self._id
        if self._data is not None:
            events.append(Event(self._name, bytes(self._data)))
        self._data = None
        self._name = _MESSAGE
        self._size = 0


def event(data: bytes) -> bytes:
    """One `message` event. Line breaks within `data` arrive at the reader as LF."""
    if _LF in data or _CR in data:
        data = b"\ndata: ".join(data.replace(b"\r\n", _LF).replace(_CR, _LF).split(_LF))
    return b"event: message\ndata: " + data + b"\n\n"
