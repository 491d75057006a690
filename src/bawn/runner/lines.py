"""Bytes into lines, with a bound on what one line may hold in memory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

TAIL: Final = 256


@dataclass(frozen=True, slots=True)
class Overlong:
    """What is left of a line that broke the limit: its beginning, and its last bytes."""

    head: bytes
    tail: bytes


class LineSplitter:
    """Feeds on chunks, gives whole lines without their newline.

    A line of more than `limit` bytes is not kept: once it ends, an Overlong stands for it.
    """

    __slots__ = ("_buffer", "_head", "_keep", "_limit", "_tail")

    def __init__(self, limit: int, keep: int = TAIL) -> None:
        self._limit = limit
        self._keep = min(keep, limit)
        self._buffer = bytearray()
        self._head: bytes | None = None  # set while the rest of an overlong line is skipped
        self._tail = b""

    def feed(self, data: bytes) -> list[bytes | Overlong]:
        """The lines that this chunk completes."""
        pieces = data.split(b"\n")
        rest = pieces.pop()
        lines: list[bytes | Overlong] = [self._complete(piece) for piece in pieces]
        if rest:
            self._append(rest)
        return lines

    def _complete(self, piece: bytes) -> bytes | Overlong:
        if self._head is None and not self._buffer and len(piece) <= self._limit:
            return piece
        self._append(piece)
        if self._head is None:
            line = bytes(self._buffer)
            self._buffer.clear()
            return line
        overlong = Overlong(self._head, self._tail)
        self._head, self._tail = None, b""
        return overlong

    def _append(self, piece: bytes) -> None:
        if self._head is None:
            if len(self._buffer) + len(piece) <= self._limit:
                self._buffer += piece
                return
            missing = max(0, self._keep - len(self._buffer))
            self._head = bytes(self._buffer[: self._keep]) + piece[:missing]
            self._tail = bytes(self._buffer[-TAIL:])
            self._buffer = bytearray()
        self._tail = (self._tail + piece[-TAIL:])[-TAIL:]
