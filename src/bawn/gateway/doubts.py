"""Calls of servers that say that they have changed: they wait until somebody has looked, and not for long."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Final

from bawn.errors import GATE_NOT_READY, INTEGRITY_CHECKING, Refused
from bawn.ports import Barrier

_LOOK: Final = 0.02
_PATIENCE: Final = 10.0
"""Seconds between looks at whether a server in doubt was looked at, and until its calls are refused."""

_MOST: Final = 1_024
"""Calls of one server that wait; they have taken no place yet that other bounds would count."""


class Doubts:
    """Which servers are in doubt, and who waits for them. One looks at the barrier for all who wait."""

    def __init__(self, barrier: Barrier) -> None:
        self._barrier = barrier
        self.servers: frozenset[str] = frozenset()
        self._waiting = Counter[str]()
        self._looking: asyncio.Task[None] | None = None

    async def over(self, server: str) -> None:
        """Wait until somebody has looked at a server.

        Raises:
            Refused: integrity.checking, when that takes too long or too many wait; gate.not_ready.
        """
        if self._waiting[server] >= _MOST:
            raise Refused(INTEGRITY_CHECKING, "too many calls wait for it", retry_after=_PATIENCE)
        self._waiting[server] += 1
        try:
            async with asyncio.timeout(_PATIENCE):
                while server in self.servers:
                    await self._something_new()
        except TimeoutError:
            raise Refused(INTEGRITY_CHECKING, retry_after=_PATIENCE) from None
        finally:
            self._waiting[server] -= 1
            if not self._waiting[server]:
                del self._waiting[server]

    async def _something_new(self) -> None:
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look(self.servers))
        await asyncio.shield(self._looking)

    async def _look(self, before: frozenset[str]) -> None:
        """Return once other servers are in doubt, or nobody waits."""
        while self.servers == before and self._waiting:
            await asyncio.sleep(_LOOK)
            if self._barrier.behind() and not self._barrier.catch_up():
                raise Refused(GATE_NOT_READY)
