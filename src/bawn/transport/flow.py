"""How a connection keeps pace with its caller: who reads slowly is read slowly."""

from __future__ import annotations

import asyncio
from math import inf
from typing import ClassVar

from bawn.transport.held import Held


class Flow(asyncio.Protocol):
    """What a connection does about full buffers, in both directions."""

    held: ClassVar[Held]

    _transport: asyncio.Transport
    _paused = False  # nothing is read for now
    _writable: asyncio.Event | None = None  # there while the caller reads too slowly
    _unread_answer = 0  # bytes of it that are counted as held
    _unread = 0  # bytes that waited for the caller at the last look
    _stalled_since = inf

    def write(self, data: bytes) -> None:
        """Send, or queue; never waits."""
        self._transport.write(data)

    async def drained(self) -> None:
        """Wait until the caller has read what lies there, or has gone."""
        if self._writable is not None:
            await self._writable.wait()

    def pause_writing(self) -> None:
        """asyncio's: the caller reads too slowly."""
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """asyncio's: it has read."""
        if self._writable is None:
            return
        self._writable.set()
        self._writable = None
        if self._unread_answer:
            self.held.discount(self._unread_answer)
            self._unread_answer = 0
        self.writable()

    def writable(self) -> None:
        """More may be written now."""

    def count_unread(self, size: int) -> None:
        """Count an answer as held for as long as it is not read."""
        if self._writable is not None:
            self._unread_answer = size
            self.held.count(size)

    def cut_unread(self, now: float, patience: float) -> None:
        """Cut a caller who has read nothing for so long."""
        unread = self._transport.get_write_buffer_size()
        if unread == 0:
            self._stalled_since = inf
        elif unread != self._unread or self._stalled_since == inf:
            self._stalled_since = now
        elif now - self._stalled_since > patience:
            self._transport.abort()  # `close` would wait for it to read
        self._unread = unread

    def _pause(self) -> None:
        if not self._paused and not self._transport.is_closing():
            self._paused = True
            self._transport.pause_reading()

    def _resume(self) -> None:
        if self._paused and not self._transport.is_closing():
            self._paused = False
            self._transport.resume_reading()
