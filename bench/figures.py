"""From samples to the figures of the budget: medians, and ratios of what ran in the same round."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.load import Sample
from bench.matrix import CONSTANT, LARGE, SAFE, SMALL, Result
from bench.policy import FIGURES, Figure

_WITHOUT_RESIDUAL: Final = (
    ("roles alone", "bawn"),
    ("safe policies", SAFE),
    ("100 policies", CONSTANT),
)
"""Policies that are settled before the call, and the targets that decide by them."""


@dataclass(frozen=True, slots=True)
class Budget:
    """A figure and what was promised of it; `value` is None when it was not measured."""

    name: str
    value: float | None
    unit: str
    floor: float
    goal: float
    more_is_better: bool = False
    note: str = ""

    @property
    def verdict(self) -> str:
        """How it stands to its floor and goal, in words."""
        if self.value is None:
            return "not measured"
        sign = -1 if self.more_is_better else 1
        if sign * self.value <= sign * self.goal:
            return "goal met"
        return "floor met" if sign * self.value <= sign * self.floor else "**missed**"


@dataclass(frozen=True, slots=True)
class Times:
    """What startup.py measured, in seconds."""

    help: float | None = None
    ready: float | None = None
    install: float | None = None


def middle(samples: Sequence[Sample], of: Callable[[Sample], float]) -> float:
    """The median over the rounds."""
    return median(of(sample) for sample in samples)


class Results:
    """The results by transport, size, connections and target."""

    def __init__(self, results: Sequence[Result]) -> None:
        self._samples = {
            (result.case.transport, result.case.size, result.case.connections, name): samples
            for result in results
            for name, samples in result.samples.items()
        }

    def value(
        self,
        transport: str,
        size: int,
        connections: int,
        target: str,
        of: Callable[[Sample], float],
    ) -> float | None:
        """The median of one target, or None when it was not measured."""
        samples = self._samples.get((transport, size, connections, target))
        return middle(samples, of) if samples else None

    def ratio(
        self, connections: int, target: str, other: str, of: Callable[[Sample], float],
        transport: str = "HTTP",
    ) -> float | None:  # fmt: skip
        """The median over rounds of one target's figure by another's, for the small result."""
        pairs = self._pairs(transport, connections, target, other)
        return median(of(a) / of(b) for a, b in pairs) if pairs else None

    def added_p50(self, connections: int, target: str, other: str) -> float | None:
        """The median over rounds of what one target's p50 is longer than another's, in ms."""
        pairs = self._pairs("HTTP", connections, target, other)
        return median(a.p50_ms - b.p50_ms for a, b in pairs) if pairs else None

    def _pairs(
        self, transport: str, connections: int, target: str, other: str
    ) -> list[tuple[Sample, Sample]]:
        key = (transport, SMALL, connections)
        ours, theirs = self._samples.get((*key, target)), self._samples.get((*key, other))
        return list(zip(ours, theirs, strict=True)) if ours and theirs else []


def budgets(found: Results, times: Times, decided: Mapping[Figure, float]) -> list[Budget]:
    """The budgets of the design, with what was measured."""

    def cpu(sample: Sample) -> float:
        return sample.own_cpu_us

    def rate(sample: Sample) -> float:
        return sample.rate

    def worker(sample: Sample) -> float:
        return sample.rss_mb["worker"]

    many, local = "bawn, 1,000 tools", "bawn, stdio"
    return [
        Budget("CPU per call, 200 B, 64 connections",
               found.value("HTTP", SMALL, 64, "bawn", cpu), "µs", 160, 90),
        *(Budget(f"CPU per call against the yardstick, {what}",
                 found.ratio(64, target, "yardstick", cpu), "×", 1.6, 1.6)
          for what, target in _WITHOUT_RESIDUAL),
        *(Budget(figure.name, decided.get(figure), figure.unit, figure.most, figure.most)
          for figure in FIGURES if figure.most is not None),
        Budget("throughput against nginx, 64 connections",
               found.ratio(64, "bawn", "nginx", rate), "×", 0.20, 0.40, True),
        Budget("throughput against Envoy with jwt_authn, mcp and rbac",
               None, "×", 1.0, 1.5, True, "Envoy is not part of this run"),
        Budget("added p50 at 1 connection, against direct",
               found.added_p50(1, "bawn", "direct"), "ms", 0.5, 0.3),
        Budget("resident memory of the worker, 200 B, 64 connections",
               found.value("HTTP", SMALL, 64, "bawn", worker), "MB", 150, 90),
        Budget("resident memory of the worker, 1 MB, 16 connections",
               found.value("HTTP", LARGE, 16, "bawn", worker), "MB", 150, 90),
        Budget("CPU per call, 1,000 tools against 20, 64 connections",
               found.ratio(64, many, "bawn", cpu), "×", 1.10, 1.03),
        Budget("two workers against one", None, "×", 1.6, 1.8, True,
               "needs four cores; not part of this run"),
        Budget("local (stdio) server, 64 connections",
               found.value("stdio", SMALL, 64, local, rate), "calls/s", 2000, 6000, True),
        Budget("`bawn --help`", times.help, "s", 0.5, 0.25),
        Budget("`bawn up` to ready, three local servers", times.ready, "s", 5, 2),
        Budget("clean install of the core", times.install, "s", 40, 20, note="`--install`"),
    ]  # fmt: skip
