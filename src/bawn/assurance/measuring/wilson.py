"""A share of a sample, and where the true share lies with 95 % confidence."""

from __future__ import annotations

import math
from typing import Final

import msgspec

_Z: Final = 1.959964  # of the normal distribution, two-sided at 95 %


class Share(msgspec.Struct, frozen=True):
    """How many of how many."""

    hits: int
    of: int

    @property
    def value(self) -> float | None:
        """Between 0 and 1; None of nothing."""
        return self.hits / self.of if self.of else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The Wilson score interval (Wilson 1927, J. Am. Stat. Assoc. 22, 209-212); None of nothing."""
        if not self.of:
            return None
        share, n, square = self.hits / self.of, self.of, _Z * _Z
        middle = (share + square / (2 * n)) / (1 + square / n)
        half = _Z * math.sqrt(share * (1 - share) / n + square / (4 * n * n)) / (1 + square / n)
        low = middle - half if self.hits else 0.0  # exactly, whatever rounding makes of it
        high = middle + half if self.hits < n else 1.0
        return low, high

    def __add__(self, other: Share) -> Share:
        return Share(self.hits + other.hits, self.of + other.of)
