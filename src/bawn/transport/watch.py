"""Looking after calls that last: one tick serves all of them, and short calls never meet it."""

from __future__ import annotations

import asyncio
from typing import Final, Protocol

AFTER: Final = 0.2
"""Seconds between ticks: a call is looked after from one to two ticks on."""


class Lasting(Protocol):
    """Something that is looked after when it lasts."""

    def look_after(self) -> None:
        """It lasts: called once."""


class Watch:
    """Knows what is under way; two generations tell what has lasted for a whole tick."""

    def __init__(self) -> None:
        self._young: set[Lasting] = set()
        self._old: set[Lasting] = set()
        self._timer: asyncio.TimerHandle | None = None

    def enter(self, one: Lasting) -> None:
        """It begins."""
        self._young.add(one)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(AFTER, self._tick)

    def leave(self, one: Lasting) -> None:
        """It ended."""
        self._young.discard(one)
        self._old.discard(one)

    def _tick(self) -> None:
        for one in self._old:
            one.look_after()
        self._old, self._young = self._young, set()
        going_on = bool(self._old)
        self._timer = asyncio.get_running_loop().call_later(AFTER, self._tick) if going_on else None
