"""What large replies of one server may take of the bytes that a worker holds at once.

Up to `FREE` bytes of a reply are nobody's concern; for more, the whole is taken before more is read. A
server may have half of the budget, so that one that is slow with much leaves the others theirs.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from bawn.budget import Budget

FREE: Final = 64 << 10
"""Bytes of a body or an event that are held without asking; and what one more read brings."""


class Share:
    """One server's part of a budget; larger wishes count as the whole part."""

    def __init__(self, whole: Budget) -> None:
        self._whole = whole
        self._own = Budget(max(1, whole.most // 2))

    def take(self, size: int) -> int:
        """Take so many bytes if they are free and nobody waits; returns what to give back, or 0."""
        size = min(size, self._own.most)
        if not self._own.take(size):
            return 0
        if not self._whole.take(size):
            self._own.give(size)
            return 0
        return size

    async def wait(self, size: int) -> int:
        """Take so many bytes as soon as it is our turn; cancelled, nothing was taken."""
        size = min(size, self._own.most)
        await self._own.wait(size)
        try:
            await self._whole.wait(size)
        except BaseException:
            self._own.give(size)
            raise
        return size

    def give(self, size: int) -> None:
        """Give back what was taken."""
        self._whole.give(size)
        self._own.give(size)


class Lease:
    """What one reply has of a share: nothing, a place in the line, or all it asked for."""

    __slots__ = ("_share", "_waiting", "size")

    def __init__(self, share: Share) -> None:
        self._share = share
        self._waiting: asyncio.Task[None] | None = None
        self.size = 0

    def covers(self, size: int, then: Callable[[], None]) -> bool:
        """Whether we have what we need; if not, `then` is called once we do."""
        if not self.size and self._waiting is None:
            self.size = self._share.take(size)
            if not self.size:
                loop = asyncio.get_running_loop()
                self._waiting = loop.create_task(self._stand_in_line(size, then))
        return self.size > 0

    async def wait(self, size: int) -> None:
        """Return once we have what we need."""
        if not self.size:
            self.size = await self._share.wait(size)

    async def _stand_in_line(self, size: int, then: Callable[[], None]) -> None:
        await self.wait(size)
        self._waiting = None
        then()

    def leave_line(self) -> None:
        """Wait no longer; what we have stays."""
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def release(self) -> None:
        """Give back what we have, and wait no longer; to say so twice is harmless."""
        self.leave_line()
        size, self.size = self.size, 0
        if size:
            self._share.give(size)
