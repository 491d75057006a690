"""A request body on its way in: by length or in chunks, gathered as far as somebody wants it."""

from __future__ import annotations

import asyncio
from typing import Final

from bawn.errors import HTTP_FRAMING, Refused

LARGE: Final = 64 << 10
"""Bytes of a body that lie ready before anybody has asked for it, and that are held without asking."""

_LINE: Final = 10  # a chunk size of eight digits, and its line end
_HEX: Final = b"0123456789abcdefABCDEF"
_CRLF: Final = b"\r\n"


class Chunks:
    """Takes the chunks apart (RFC 9112, section 7.1), in the one form that everybody reads alike.

    Extensions and trailers are refused: nobody sends them on purpose, and readers differ on them.
    """

    __slots__ = ("_last", "_left", "_line_end", "_rest", "done")

    def __init__(self) -> None:
        self._rest = b""  # a line that has not come whole
        self._left = 0  # bytes of this chunk still to come
        self._line_end = False  # CR LF has to come next
        self._last = False
        self.done = False

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """The body within `data`, and what lies behind the body's end.

        Raises:
            Refused: http.framing.
        """
        data, at, parts = self._rest + data, 0, []
        while not self.done:
            if self._left:
                parts.append(data[at : at + self._left])
                at += len(parts[-1])
                self._left -= len(parts[-1])
                self._line_end = not self._left
            taken = self._line(data[at : at + _LINE])
            if not taken:
                break
            at += taken
        self._rest = b"" if self.done else data[at:]
        return b"".join(parts), data[at:] if self.done else b""

    def _line(self, data: bytes) -> int:
        """Read a line end or a size; how long it was, or 0 when it is not there yet."""
        if self._line_end:
            if not _CRLF.startswith(data[:2]):
                raise _malformed()
            if len(data) < 2:
                return 0
            self._line_end, self.done = False, self._last
            return 2
        size, end, _ = data.partition(_CRLF)
        if not end and len(data) < _LINE:
            size = size.removesuffix(b"\r")
        if size.translate(None, _HEX) or (not end and len(data) == _LINE) or (end and not size):
            raise _malformed()
        if not end:
            return 0
        self._left = int(size, 16)
        self._line_end = self._last = not self._left
        return len(size) + 2


def _malformed() -> Refused:
    return Refused(
        HTTP_FRAMING, detail="a chunk is not well-formed, or has an extension or trailer"
    )


class Body:
    """One body, of the announced length or (None) in chunks; `begun` is the loop's time."""

    __slots__ = (
        "_chunks",
        "_data",
        "_dropped",
        "_left",
        "_most",
        "_waiter",
        "begun",
        "done",
        "invited",
    )

    def __init__(self, length: int | None, begun: float) -> None:
        self._chunks = Chunks() if length is None else None
        self._left = length or 0
        self._data = bytearray()
        self._most = LARGE
        self._dropped = False
        self._waiter: asyncio.Future[None] | None = None
        self.begun: Final = begun
        self.done = False
        self.invited = False  # a caller who held it back has been told to send it

    @property
    def full(self) -> bool:
        """Whether more of it is not wanted for now."""
        return not self.done and len(self._data) > self._most

    @property
    def little(self) -> bool:
        """Whether what is still to come is little enough to be read for nothing."""
        return self.done or (self._chunks is None and self._left <= LARGE)

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body; returns what lies behind it.

        Raises:
            Refused: http.framing.
        """
        if self._chunks is None:
            part, rest = data[: self._left], data[self._left :]
            self._left -= len(part)
            self.done = not self._left
        else:
            part, rest = self._chunks.feed(data)
            self.done = self._chunks.done
        if not self._dropped:
            self._data += part
        if (self.done or self.full) and self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
        return rest

    def want(self, most: int) -> bool:
        """Let it grow to just above `most` bytes; whether there is anything to wait for."""
        self._most = most
        return not self.done and not self.full

    async def come(self) -> None:
        """Wait until it is all there, or as much as is wanted."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def take(self) -> bytes:
        """What has come so far, which is then no longer held."""
        data, self._data = bytes(self._data), bytearray()
        return data

    def wake(self) -> None:
        """Let whoever waits look again: no more will come."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def drop(self) -> None:
        """Nobody wants the rest: it is read for nothing."""
        self._dropped = True
        self._data = bytearray()
