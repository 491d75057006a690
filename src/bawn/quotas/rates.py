"""Calls by rate: sliding windows of the `limits` library over counts that all workers share.

The window before counts by the share of it that is still within reach, as if its calls had been spread
evenly. So no window of the clock takes more than the rate allows, and no window laid anywhere else
takes as much as twice of it (a burst at the end of one, then what the next one lets in).

Imported only where a rate is configured: the library costs 0.1 s to import.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NoReturn

from limits import RateLimitItem, parse
from limits.storage import SlidingWindowCounterSupport, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from bawn.errors import Refused
from bawn.storage.counters import StoredCounters

_KEPT: Final = 2  # windows: its own, and the one that looks back at it


class Windows(Storage, SlidingWindowCounterSupport):
    """The library's storage, as far as sliding windows ask it, over our own."""

    STORAGE_SCHEME = None

    def __init__(self, counters: StoredCounters, clock: Callable[[], float]) -> None:
        super().__init__()
        self._counters = counters
        self._clock = clock

    @property
    def base_exceptions(self) -> type[Exception]:
        """What a failing store raises; it goes on as it is."""
        return Refused

    def acquire_sliding_window_entry(
        self, key: str, limit: int, expiry: int, amount: int = 1
    ) -> bool:
        """Count, if it stays within the limit."""
        now = self._clock()
        window, passed = divmod(now, expiry)
        until = (window + _KEPT) * expiry
        share = 1 - passed / expiry
        return self._counters.take(key, int(window), amount, limit, share, until)

    def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Counts of the window before and of this one, each with the seconds for which it counts."""
        window, passed = divmod(self._clock(), expiry)
        before, current = self._counters.windows(key, int(window))
        return before, expiry - passed, current, 2 * expiry - passed

    def clear_sliding_window(self, key: str, expiry: int) -> None:
        """Forget what was counted."""
        self._counters.clear(key)

    def clear(self, key: str) -> None:
        """Forget what was counted."""
        self._counters.clear(key)

    def give_back(self, key: str, expiry: int) -> None:
        """Take back one that was counted a moment ago, in this window or in the one that ended since."""
        window = int(self._clock() // expiry)
        if self._counters.windows(key, window)[1]:
            self._counters.give_back(key, 1, window)
        else:
            self._counters.give_back(key, 1, window - 1)

    def check(self) -> bool:
        """Whether the store can be asked."""
        self._counters.windows("", 0)
        return True

    def incr(self, key: str, expiry: int, amount: int = 1) -> NoReturn:
        """Fixed windows are not counted here."""
        raise NotImplementedError

    def get(self, key: str) -> NoReturn:
        """Fixed windows are not counted here."""
        raise NotImplementedError

    def get_expiry(self, key: str) -> NoReturn:
        """Fixed windows are not counted here."""
        raise NotImplementedError

    def reset(self) -> NoReturn:
        """Other stores share the table: nobody clears it."""
        raise NotImplementedError


class Rates:
    """Counts calls, each key by its own rate; `clock` gives seconds since the epoch."""

    def __init__(self, counters: StoredCounters, clock: Callable[[], float]) -> None:
        self._windows = Windows(counters, clock)
        self._limiter = SlidingWindowCounterRateLimiter(self._windows)
        self._parsed: dict[str, RateLimitItem] = {}

    def take(self, key: str, rate: str) -> float | None:
        """Count one call; else, the seconds after which one will be let in, if nobody else comes first.

        Raises:
            Refused: store.unavailable.
        """
        item = self._item(rate)
        return None if self._limiter.hit(item, key) else self._wait(item, key)

    def give_back(self, key: str, rate: str) -> None:
        """Take back one that was counted a moment ago.

        Raises:
            Refused: store.unavailable.
        """
        item = self._item(rate)
        self._windows.give_back(item.key_for(key), item.get_expiry())

    def _item(self, rate: str) -> RateLimitItem:
        item = self._parsed.get(rate)
        if item is None:
            item = self._parsed[rate] = parse(rate)
        return item

    def _wait(self, item: RateLimitItem, key: str) -> float:
        """When the share of the window before, or after its end of this one, leaves room for one."""
        expiry, room = item.get_expiry(), item.amount - 1
        before, left, current, _ = self._windows.get_sliding_window(item.key_for(key), expiry)
        if current <= room:
            return max(0.0, left - (room - current) * expiry / max(before, 1))
        return left + expiry * (1 - room / current)
