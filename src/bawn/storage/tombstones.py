"""Handles that were ended before their time, over all workers and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bawn.storage.database import Database

SWEEP: Final = 300.0  # seconds between looks for what can be forgotten
GRACE: Final = 2 * 86_400.0
"""Seconds for which the dead are kept after their time: a clock set back must not wake them."""


class Tombstones:
    """`ports.Graves` in the database; `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._swept = 0.0

    def bury(self, handle: str, until: float) -> None:
        """Remember that this handle is dead, until it would have expired (seconds since the epoch).

        Raises:
            Refused: store.unavailable.
        """
        self._database.change(
            "INSERT INTO graves VALUES (?, ?) "
            "ON CONFLICT (handle) DO UPDATE SET until = max(until, excluded.until)",
            handle, until,
        )  # fmt: skip
        self._sweep()

    def once(self, handle: str, until: float) -> bool:
        """Use up a handle that serves once; False when it was used before, by whichever worker.

        Or when the database is lost and found to be another one: nobody knows then.

        Raises:
            Refused: store.unavailable, and then it counts as used.
        """
        lineage = self._database.lineage
        self._sweep()
        used = self._database.change(
            "INSERT INTO graves VALUES (?, ?) ON CONFLICT (handle) DO NOTHING", handle, until
        )
        return used == 1 and self._database.lineage == lineage

    def buried(self, handle: str) -> bool:
        """Whether it is dead: buried, or of a database that is lost and its dead with it.

        Raises:
            Refused: store.unavailable.
        """
        lineage = self._database.lineage
        found = self._database.rows("SELECT 1 FROM graves WHERE handle = ?", handle)
        return bool(found) or self._database.lineage != lineage

    def _sweep(self) -> None:
        now = self._clock()
        if abs(now - self._swept) > SWEEP:
            self._swept = now
            self._database.change("DELETE FROM graves WHERE until < ?", now - GRACE)
