"""Bytes that a process holds at once: whoever wants more than is left waits in line.

A grant is for the whole of what is wanted, so that whoever has one can finish: no two holders of a part
can wait for each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final


class Budget:
    """At most `most` bytes are out; larger wishes count as `most`."""

    def __init__(self, most: int) -> None:
        self.most: Final = most
        self.held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def take(self, size: int) -> bool:
        """Take so many bytes if they are free and nobody waits; `give` them back."""
        size = min(size, self.most)
        if self._waiting or self.held + size > self.most:
            return False
        self.held += size
        return True

    async def wait(self, size: int) -> None:
        """Take so many bytes as soon as it is our turn; cancelled, nothing was taken."""
        if self.take(size):
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((min(size, self.most), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(size)  # it was granted in the same moment
            self._serve()  # we may have stood in the way of a smaller wish
            raise

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self.held -= min(size, self.most)
        self._serve()

    def _serve(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.done() and self.held + size > self.most:
                return
            self._waiting.popleft()
            if not turn.done():
                self.held += size
                turn.set_result(None)
