"""What a soak measures: the processes every few seconds, and every call of its callers."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from tests.e2e import census
from tests.e2e.gate_process import Gate
from tests.e2e.load import Client, Kind, Outcome, spread

from bench import procfs
from bench.soak.report import Span
from bench.soak.trend import Bound, Points, Trend, trend

UPSET: Final = 2.0
"""Seconds after a kill or a reload whose calls do not count for latency."""

MEMORY: Final = Bound(0.10, 16.0)
DESCRIPTORS: Final = Bound(0.10, 32.0)
THREADS: Final = Bound(0.10, 8.0)  # a pool of threads fills when it is needed
MEDIAN: Final = Bound(0.20, 5.0)
TAIL: Final = Bound(0.50, 50.0)


@dataclass(slots=True)
class Samples:
    """What is measured, as it comes: by part of the gate, and by span of `width` seconds."""

    began: float
    length: float
    warm: float
    width: float
    upset: float = 0.0
    calm: int = 0
    failed: Counter[str] = field(default_factory=Counter)
    parts: dict[tuple[str, str], list[tuple[float, float]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    seconds: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    fates: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def see(self, outcome: Outcome, client: Client) -> None:
        """Take in a call; a server that behaves must serve, and quickly, but for just after a kill."""
        if outcome.ended > self.began + self.length:
            return
        span = int((outcome.ended - self.began) // self.width)
        what = "" if outcome.kind is Kind.WRONG else outcome.what
        fate = f"{outcome.kind.value} {what}".strip()
        self.fates[span][fate] += 1
        if outcome.tool.startswith("shaky") or outcome.began < self.upset + UPSET:
            return
        self.calm += 1
        if outcome.kind is Kind.OK:
            self.seconds[span].append(outcome.ended - outcome.began)
        else:
            self.failed[f"{outcome.tool} {fate}"] += 1

    def count(self, up: Gate) -> None:
        """Sample the processes; one that ends meanwhile is left out of this sample."""
        now = time.monotonic() - self.began
        seen = census.take(up)
        parts = {**seen.parts, "children": seen.witnesses}
        for part, pids in parts.items():
            try:
                memory = procfs.resident(pids) / 1e6
                threads = sum(1 for p in pids for _ in Path(f"/proc/{p}/task").iterdir())
            except OSError:
                continue
            if pids:
                self.parts[part, "MB"].append((now, memory))
                self.parts[part, "threads"].append((now, threads))
                self.parts[part, "descriptors"].append((now, sum(map(census.descriptors, pids))))

    def trends(self) -> list[Trend]:
        """Every series after the warm-up, against its bound."""
        bounds = {"MB": MEMORY, "descriptors": DESCRIPTORS, "threads": THREADS}
        found = [
            trend(part, unit, [p for p in points if p[0] >= self.warm], bounds[unit])
            for (part, unit), points in sorted(self.parts.items())
        ]
        return [*found, *self._latencies()]

    def _latencies(self) -> list[Trend]:
        spreads = {
            span * self.width: spread(took)
            for span, took in sorted(self.seconds.items())
            if span * self.width >= self.warm
        }
        medians: Points = [(moment, ms[0]) for moment, ms in spreads.items()]
        tails: Points = [(moment, ms[1]) for moment, ms in spreads.items()]
        return [trend("p50", "ms", medians, MEDIAN), trend("p99", "ms", tails, TAIL)]

    def spans(self) -> list[Span]:
        """The run, span by span; memory and descriptors are the last sample's, over all parts."""
        return [
            Span(
                (span + 1) * self.width,
                sum(fates.values()),
                *spread(self.seconds[span])[:2],
                self._last("MB", span),
                self._last("descriptors", span),
                {what: number for what, number in fates.items() if what != "ok"},
            )
            for span, fates in sorted(self.fates.items())
        ]

    def _last(self, unit: str, span: int) -> float:
        ends = (span + 1) * self.width
        last = [
            [value for moment, value in points if moment < ends][-1:]
            for (_, of), points in self.parts.items()
            if of == unit
        ]
        return sum(value for values in last for value in values)
