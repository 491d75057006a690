"""What calls use up: cost, known before the call, and bytes of results, known after it.

A budget is whole again a `window` after it was first used. Cost is charged before the call leaves and
is never overdrawn. Bytes are looked at before and charged after: a budget is overdrawn at most by the
results of the calls that were in flight when it was used up. A charge that cannot be written is kept
and written before the next look.
"""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Final, NamedTuple

from bawn.errors import Refused
from bawn.storage.counters import StoredCounters

_UNWRITTEN: Final = 65_536  # charges that wait for the store to come back; then the oldest go


class Owed(NamedTuple):
    """What the result of a call will be charged to."""

    key: str
    window: float


class Budgets:
    """Charges budgets; keys are told apart by what is counted."""

    def __init__(self, counters: StoredCounters) -> None:
        self._counters = counters
        self._unwritten: deque[tuple[Owed, int]] = deque(maxlen=_UNWRITTEN)

    def look(self, owed: Owed, most: int) -> float | None:
        """None while bytes are left; else the seconds until the budget is whole again.

        Raises:
            Refused: store.unavailable.
        """
        while self._unwritten:
            self._write(*self._unwritten[0])
            self._unwritten.popleft()
        used, wait = self._counters.spent(f"bytes/{owed.key}", owed.window)
        return wait if used >= most else None

    def charge(self, owed: Owed, size: int) -> None:
        """Charge the bytes of a result; never raises."""
        if size <= 0:
            return
        try:
            self._write(owed, size)
        except Refused:
            self._unwritten.append((owed, size))

    def pay(self, key: str, cost: int, window: float, most: int) -> float | None:
        """Charge what a call costs; else the seconds until the budget is whole again.

        Raises:
            Refused: store.unavailable.
        """
        if cost <= 0 or self._counters.spend(f"cost/{key}", cost, window, most):
            return None
        return self._counters.spent(f"cost/{key}", window)[1] or window

    def give_back(self, key: str, cost: int) -> None:
        """Take back what a call was charged that did not leave; a store that fails keeps it."""
        with suppress(Refused):
            self._counters.give_back(f"cost/{key}", cost)

    def _write(self, owed: Owed, size: int) -> None:
        self._counters.spend(f"bytes/{owed.key}", size, owed.window)
