"""What a soak found, as a page: the verdict first, then what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from tests.e2e.load import Kind, Tally

from bawn import __version__
from bench import procfs
from bench.soak.trend import Trend

MAY_FAIL: Final = 0.001
"""Share of calls that may fail while nothing is wrong: a kill may be noticed late."""


@dataclass(frozen=True, slots=True)
class Span:
    """A part of the run: its end in seconds, calls, milliseconds, MB and descriptors of all processes,
    and what was not ok.
    """

    end: float
    calls: int
    p50: float
    p99: float
    memory: float
    descriptors: float
    errors: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """A whole run; `rest` is how long each client waited between two calls.

    `calm` counts the calls to servers that behave with no kill shortly before, `failed` those of them
    that were not answered well.
    """

    seconds: float
    rest: float
    trends: Sequence[Trend]
    spans: Sequence[Span]
    done: Counter[str]
    tally: Tally
    calm: int
    failed: Counter[str]
    problems: Sequence[str]

    def findings(self) -> list[str]:
        """Everything that speaks against the gate."""
        found = [
            f"{t.what}: grew by {t.growth:.1f} {t.unit}, allowed are {t.allowed:.1f}"
            for t in self.trends
            if not t.flat
        ]
        for kind, text in (
            (Kind.LOST, "calls without any answer"),
            (Kind.HTTP, "bare HTTP errors"),
        ):
            if number := self.tally.of(kind):
                found.append(f"{number} {text}")
        if self.failed.total() > MAY_FAIL * self.calm:
            found.append(f"calls failed while nothing was wrong: {counted(self.failed)}")
        return [*found, *self.problems, *(f"wrong answer: {text}" for text in self.tally.wrong[:5])]

    @property
    def passed(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.findings()


def markdown(result: Result) -> str:
    """The page."""
    return "\n".join(_lines(result)) + "\n"


def _lines(result: Result) -> Iterator[str]:
    calls = sum(result.tally.counts.values())
    verdict = "Passed" if result.passed else "Failed"
    yield f"# Soak: {verdict.lower()}"
    yield ""
    yield (
        f"bawn {__version__}, {result.seconds / 60:g} minutes, {calls:,} calls "
        f"({calls / result.seconds:,.0f}/s), every answer checked."
    )
    yield ""
    yield from (f"- {what}: {text}" for what, text in procfs.machine().items())
    yield ""
    yield f"**{verdict}.** " + ("Nothing was found." if result.passed else "Found:")
    yield from (f"- {finding}" for finding in result.findings())
    yield ""
    yield "What went wrong on purpose: " + counted(result.done)
    yield ""
    yield "What callers saw: " + result.tally.shown()
    yield ""
    yield (
        f"With nothing wrong, {result.failed.total()} of {result.calm:,} calls failed, "
        f"{MAY_FAIL:.1%} may: {counted(result.failed)}. Clients rested {result.rest * 1e3:.0f} ms."
    )
    yield ""
    yield from _trends(result.trends)
    yield ""
    yield from _spans(result.spans)


def _trends(trends: Sequence[Trend]) -> Iterator[str]:
    yield "Growth is that of a fitted line over the run, after the warm-up."
    yield ""
    yield "| What | Mean | Growth | Allowed | Flat |"
    yield "|---|---:|---:|---:|---|"
    for t in trends:
        flat = "yes" if t.flat else "**no**"
        yield f"| {t.what}, {t.unit} | {t.mean:.1f} | {t.growth:+.1f} | {t.allowed:.1f} | {flat} |"


def _spans(spans: Sequence[Span]) -> Iterator[str]:
    yield (
        "Latencies are of servers that behave, without the two seconds after a kill or reload; memory "
        "and descriptors of all processes."
    )
    yield ""
    yield "| Until, s | Calls | p50 ms | p99 ms | MB | Descriptors | Not ok |"
    yield "|---:|---:|---:|---:|---:|---:|---|"
    for m in spans:
        figures = f"{m.p50:.1f} | {m.p99:.1f} | {m.memory:.0f} | {m.descriptors:.0f}"
        yield f"| {m.end:.0f} | {m.calls} | {figures} | {counted(m.errors)} |"


def counted(counts: Mapping[str, int]) -> str:
    ordered = sorted(counts.items(), key=lambda item: -item[1])
    return ", ".join(f"{what}: {number}" for what, number in ordered) or "nothing"
