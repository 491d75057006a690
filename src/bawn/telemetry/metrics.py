"""Counting calls, on the hot path: a dictionary look-up, a bisection, three additions."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Final

BUCKETS: Final = (
    0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
)  # fmt: skip
"""Upper bounds in seconds: OpenTelemetry's for MCP, and finer ones below its 10 ms."""

SERIES: Final = 4096
"""Combinations of server, method and status that are told apart; more are counted as `other`."""

OTHER: Final = "other"

_SUM: Final = len(BUCKETS) + 1

Key = tuple[str, str, str]
"""Server, method, status."""


class Meter:
    """`ports.Meter`. Each cell is a count per bucket, the one above the last bound, then the sum."""

    def __init__(self, series: int = SERIES) -> None:
        self._series = series
        self._calls: dict[Key, list[float]] = {}
        self._refusals: dict[str, int] = {}
        self._findings: dict[Key, int] = {}

    def call(self, server: str, method: str, status: str, seconds: float) -> None:
        """One call ended."""
        key = (server, method, status)
        cell = self._calls.get(key) or self._admit(key)
        cell[bisect_left(BUCKETS, seconds)] += 1
        cell[_SUM] += seconds

    def refusal(self, reason: str) -> None:
        """Something was refused, by reason id."""
        if reason not in self._refusals and len(self._refusals) >= self._series:
            reason = OTHER
        self._refusals[reason] = self._refusals.get(reason, 0) + 1

    def finding(self, way: str, family: str, action: str) -> None:
        """Inspection found something; families and actions are few."""
        key = (way, family, action)
        if key not in self._findings and len(self._findings) >= self._series:
            key = (OTHER, OTHER, OTHER)
        self._findings[key] = self._findings.get(key, 0) + 1

    @property
    def findings(self) -> Mapping[Key, int]:
        """Findings by way, family of rules and what was done."""
        return self._findings

    @property
    def calls(self) -> Mapping[Key, list[float]]:
        """Every cell, to read only."""
        return self._calls

    @property
    def refusals(self) -> Mapping[str, int]:
        """Refusals by reason id."""
        return self._refusals

    def _admit(self, key: Key) -> list[float]:
        if len(self._calls) >= self._series:
            key = (OTHER, OTHER, OTHER)
        return self._calls.setdefault(key, [0.0] * (_SUM + 1))
