"""Leaves alone for a while what fails again and again."""

from __future__ import annotations

from collections.abc import Callable


class Breaker:
    """Opens after so many failures in a row, for `rest` seconds; then one attempt decides."""

    def __init__(self, failures: int, rest: float, clock: Callable[[], float]) -> None:
        self._most = failures
        self._rest = rest
        self._clock = clock
        self._failures = 0
        self._until = 0.0

    @property
    def open(self) -> bool:
        """Whether it is not to be tried now. After the rest, whoever asks first may try."""
        if self._failures < self._most:
            return False
        now = self._clock()
        if now < self._until:
            return True
        self._until = now + self._rest
        return False

    def succeeded(self) -> None:
        """It works."""
        self._failures = 0

    def failed(self) -> None:
        """It does not."""
        self._failures += 1
        if self._failures >= self._most:
            self._until = self._clock() + self._rest
