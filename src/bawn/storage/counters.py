"""Counts that all workers share and that outlive a restart: sliding windows, and budgets.

Keys are digests. Every count is one statement, so that workers never see half of one.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bawn.storage.database import Database

SWEEP: Final = 60.0  # seconds between looks for what can be forgotten
SLICE: Final = 4096  # rows that one look forgets at most: it holds up the event loop
GRACE: Final = (
    3600.0  # seconds for which a row is kept after its time, should the clock be set back
)
_BUDGET: Final = 0  # the slot of budgets, which have one row; windows are numbered since the epoch
_NO_LIMIT: Final = 1 << 62


class StoredCounters:
    """The table of counts; `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._next_sweep = 0.0
        self._last = 0.0

    def take(
        self, key: str, window: int, amount: int, most: int, share: float, until: float
    ) -> bool:
        """Count in this window, if with a share of the window before it stays within `most`.

        Raises:
            Refused: store.unavailable.
        """
        taken = self._database.change(
            "INSERT INTO counters SELECT ?1, ?2, ?3, ?4 WHERE ?3 "
            "+ coalesce((SELECT used FROM counters WHERE key = ?1 AND slot = ?2), 0) "
            "+ ?5 * coalesce((SELECT used FROM counters WHERE key = ?1 AND slot = ?2 - 1), 0) <= ?6 "
            "ON CONFLICT (key, slot) DO UPDATE SET used = used + excluded.used",
            key, window, amount, until, share, most,
        )  # fmt: skip
        self._sweep()
        return taken == 1

    def windows(self, key: str, window: int) -> tuple[int, int]:
        """What the window before and this one have counted.

        Raises:
            Refused: store.unavailable.
        """
        found: dict[int, int] = dict(
            self._database.rows(
                "SELECT slot, used FROM counters WHERE key = ? AND slot IN (?, ?)",
                key, window - 1, window,
            )
        )  # fmt: skip
        return found.get(window - 1, 0), found.get(window, 0)

    def give_back(self, key: str, amount: int, window: int = _BUDGET) -> None:
        """Take back what was counted in a window, or spent of a budget.

        Raises:
            Refused: store.unavailable.
        """
        self._database.change(
            "UPDATE counters SET used = max(0, used - ?) WHERE key = ? AND slot = ?",
            amount, key, window,
        )  # fmt: skip

    def clear(self, key: str) -> None:
        """Forget every count of this key.

        Raises:
            Refused: store.unavailable.
        """
        self._database.change("DELETE FROM counters WHERE key = ?", key)

    def spend(self, key: str, amount: int, period: float, most: int | None = None) -> bool:
        """Spend of a budget, which is whole again a period after it was first spent of.

        With `most`, only if it stays within; else in any case.

        Raises:
            Refused: store.unavailable.
        """
        now = self._clock()
        spent = self._database.change(
            "INSERT INTO counters SELECT ?1, 0, ?2, ?3 + ?4 WHERE ?2 + coalesce("
            "(SELECT used FROM counters WHERE key = ?1 AND slot = 0 AND until > ?3), 0) <= ?5 "
            "ON CONFLICT (key, slot) DO UPDATE SET "
            "used = CASE WHEN until > ?3 THEN used + excluded.used ELSE excluded.used END, "
            "until = CASE WHEN until > ?3 THEN min(until, excluded.until) ELSE excluded.until END",
            key, amount, now, period, _NO_LIMIT if most is None else most,
        )  # fmt: skip
        self._sweep()
        return spent == 1

    def spent(self, key: str, period: float) -> tuple[int, float]:
        """What is spent of a budget, and the seconds until it is whole again: at most a period.

        Raises:
            Refused: store.unavailable.
        """
        now = self._clock()
        found = self._database.rows(
            "SELECT used, until FROM counters WHERE key = ? AND slot = 0 AND until > ?",
            key, now,
        )  # fmt: skip
        if not found:
            return 0, 0.0
        used, until = found[0]
        if until > now + period:  # the clock was set back: it must not stay used up for so long
            until = now + period
            self._database.change(
                "UPDATE counters SET until = ? WHERE key = ? AND slot = 0 AND until > ?",
                until, key, until,
            )  # fmt: skip
        return used, until - now

    def _sweep(self) -> None:
        now = self._clock()
        if self._last <= now < self._next_sweep:
            return
        forgotten = self._database.change(
            "DELETE FROM counters WHERE (key, slot) IN "
            "(SELECT key, slot FROM counters WHERE until < ? LIMIT ?)",
            now - GRACE, SLICE,
        )  # fmt: skip
        self._last = now
        self._next_sweep = now if forgotten == SLICE else now + SWEEP
