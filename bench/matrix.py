"""What is measured: the cases, and the rounds in which their targets take turns."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Final

from bench import load
from bench.fleet import Fleet
from bench.load import Sample
from bench.procfs import Cores
from bench.verify import verify

SMALL: Final = 200
MIDDLE: Final = 10_000
LARGE: Final = 1_000_000
"""Bytes of text in a result."""

_PEERS: Final = ("direct", "nginx", "yardstick", "bawn")
_MANY: Final = "bawn, 1,000 tools"
SAFE: Final = "bawn, safe policies"
CONSTANT: Final = "bawn, 100 policies"
RESIDUAL: Final = "bawn, 100 policies, arguments"
_DECIDED: Final = (SAFE, CONSTANT, RESIDUAL)


@dataclass(frozen=True, slots=True)
class Case:
    """One size of result at one number of connections, for several targets that take turns."""

    transport: str
    size: int
    connections: int
    targets: tuple[str, ...]
    rounds: int = 3
    seconds: int = 2

    def label(self, target: str) -> str:
        """What `--only` is looked for in."""
        return f"{self.transport} {self.size} {self.connections} {target}"


@dataclass(frozen=True, slots=True)
class Result:
    """The samples of each target of a case, by round."""

    case: Case
    samples: dict[str, list[Sample]] = field(default_factory=dict)


# FastMCP goes last: what wrk leaves unanswered keeps it busy while `direct` runs on the other core.
FULL: Final = (
    Case("HTTP", SMALL, 1, (*_PEERS, _MANY, "FastMCP"), rounds=5),
    Case("HTTP", SMALL, 16, (*_PEERS, _MANY)),
    Case("HTTP", SMALL, 16, ("FastMCP",), seconds=5),
    Case("HTTP", SMALL, 64, (*_PEERS, _MANY, *_DECIDED), rounds=7),
    *(Case("HTTP", MIDDLE, n, _PEERS) for n in (1, 16, 64)),
    *(Case("HTTP", LARGE, n, _PEERS) for n in (1, 16)),
    *(
        Case("stdio", SMALL, n, ("bawn, stdio", "bawn, stdio, 1,000 tools"), rounds)
        for n, rounds in ((1, 3), (16, 3), (64, 5))
    ),
    *(Case("stdio", MIDDLE, n, ("bawn, stdio",)) for n in (1, 16, 64)),
    *(Case("stdio", LARGE, n, ("bawn, stdio",)) for n in (1, 16)),
)

QUICK: Final = (
    Case("HTTP", SMALL, 1, _PEERS, seconds=1),
    Case("HTTP", SMALL, 64, (*_PEERS, _MANY, *_DECIDED), rounds=5, seconds=1),
    Case("HTTP", LARGE, 1, _PEERS, rounds=1, seconds=1),
    Case("stdio", SMALL, 1, ("bawn, stdio",), seconds=1),
    Case("stdio", SMALL, 64, ("bawn, stdio",), seconds=1),
)


def only(cases: Iterable[Case], text: str) -> tuple[Case, ...]:
    """The cases and targets whose label holds this text, whatever its case."""
    chosen = []
    for case in cases:
        targets = tuple(t for t in case.targets if text.lower() in case.label(t).lower())
        if targets:
            chosen.append(
                Case(
                    case.transport, case.size, case.connections, targets, case.rounds, case.seconds
                )
            )
    return tuple(chosen)


def measure(cases: Sequence[Case], fleet: Fleet, cores: Cores) -> list[Result]:
    """Verify, then time; the targets of a case take turns, so that drift of the machine hits all."""
    results = []
    for case in cases:
        targets = [fleet.target(name) for name in case.targets]
        for target in targets:
            asyncio.run(verify(target, case.size, case.connections, each=4))
        result = Result(case, {name: [] for name in case.targets})
        for _ in range(case.rounds):
            for name, target in zip(case.targets, targets, strict=True):
                sample = load.run(target, case.size, case.connections, case.seconds, cores.load)
                result.samples[name].append(sample)
        for name, samples in result.samples.items():
            rate = median(sample.rate for sample in samples)
            print(f"{case.label(name):<48} {rate:>10,.0f} calls/s", file=sys.stderr)
        results.append(result)
    return results
