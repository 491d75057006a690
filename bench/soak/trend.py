"""Whether a series of measurements stays flat: its growth over the run, and what is allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, linear_regression

Points = Sequence[tuple[float, float]]
"""Seconds and value."""


@dataclass(frozen=True, slots=True)
class Bound:
    """How much a value may grow over a whole run: a share of its mean, or this much, if that is more."""

    share: float
    floor: float


@dataclass(frozen=True, slots=True)
class Trend:
    """A fitted line: the mean of the values, and how much the line rises from first to last."""

    what: str
    unit: str
    mean: float
    growth: float
    allowed: float

    @property
    def flat(self) -> bool:
        """Whether it grew no more than allowed."""
        return self.growth <= self.allowed


def trend(what: str, unit: str, points: Points, bound: Bound) -> Trend:
    """The line of least squares through the points; fewer than three tell nothing, and count as steep."""
    values = [value for _, value in points]
    mean = fmean(values) if values else 0.0
    allowed = max(bound.share * mean, bound.floor)
    if len(points) < 3:
        return Trend(what, unit, mean, inf, allowed)
    times = [moment for moment, _ in points]
    slope = linear_regression(times, values).slope
    return Trend(what, unit, mean, slope * (times[-1] - times[0]), allowed)
