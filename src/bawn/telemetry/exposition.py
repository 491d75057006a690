"""The metrics as Prometheus scrapes them: names, labels and sentences of each.

What workers count carries the label `worker`, the place that a worker has: one that is started again
begins at zero there, as counters may, and sums over workers stay right.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bawn.findings.evidence import Evidence
from bawn.telemetry.figures import Figures
from bawn.telemetry.metrics import BUCKETS
from bawn.telemetry.text import printable

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
SERIES: Final = 8192
"""Series of one gauge that are shown."""

# What OpenTelemetry calls mcp.method.name and error.type; the latter is empty when all went well.
_OPERATION: Final = ("worker", "server", "mcp_method_name", "error_type")

_VERDICTS: Final = ("verified", "failed", "unmeasured")
_Values = Mapping[tuple[str, ...], float]


@dataclass(frozen=True, slots=True)
class Assured:
    """What is known of the servers' trust, as of `now`, in seconds since the epoch."""

    now: float = 0.0
    trust: Mapping[str, Iterable[Evidence]] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    vulnerabilities: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


NOTHING: Final = Assured()


def render(
    workers: Mapping[str, Figures],
    health: Mapping[str, str],
    items: Mapping[str, int],
    states: Iterable[str],
    assured: Assured = NOTHING,
) -> bytes:
    """Everything, in the Prometheus text format; served as CONTENT_TYPE.

    `workers` are by place, `health` tells each server's state, one of `states`; `items` counts by kind.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Scrape(workers, health, items, tuple(states)))
    registry.register(_Trust(assured))
    return generate_latest(registry)


class _Trust(Collector):
    def __init__(self, assured: Assured) -> None:
        self._assured = assured

    def describe(self) -> Iterable[Metric]:
        """Nothing, as for the other metrics."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """How far the servers deserve trust."""
        known = self._assured
        answers = [(server, each) for server, told in known.trust.items() for each in told]
        yield _gauge(
            "bawn_server_trust", "1 for the verdict on a question of a server's trust.",
            ("server", "dimension", "verdict"),
            {(server, each.dimension, verdict): int(verdict == each.verdict)
             for server, each in answers for verdict in _VERDICTS},
        )  # fmt: skip
        yield _gauge(
            "bawn_server_evidence_age_seconds", "How long ago that was looked at.",
            ("server", "dimension"),
            {(server, each.dimension): max(0.0, known.now - each.at)
             for server, each in answers if each.at},
        )  # fmt: skip
        yield _gauge(
            "bawn_definitions_waiting", "Definitions that wait for a decision.", ("server",),
            {(server,): count for server, count in known.waiting.items()},
        )  # fmt: skip
        yield _gauge(
            "bawn_server_vulnerabilities", "Known vulnerabilities of what a server runs.",
            ("server", "severity"),
            {(server, severity): count
             for server, told in known.vulnerabilities.items() for severity, count in told.items()},
        )  # fmt: skip


class _Scrape(Collector):
    def __init__(
        self,
        workers: Mapping[str, Figures],
        health: Mapping[str, str],
        items: Mapping[str, int],
        states: tuple[str, ...],
    ) -> None:
        self._workers = workers
        self._health = health
        self._items = items
        self._states = states

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known only when collected, and the registry is ours alone."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics as they stand now."""
        yield from self._of_calls()
        workers = self._workers.items()
        yield _counter(
            "bawn_refusals", "Refusals, by reason id.", ("worker", "reason"),
            {(w, reason): n for w, each in workers for reason, n in each.refusals.items()},
        )  # fmt: skip
        yield _counter(
            "bawn_findings", "Findings of the inspection, by way, family of rules and what was done.",
            ("worker", "way", "family", "action"),
            {(w, *key): n for w, each in workers for *key, n in each.findings},
        )  # fmt: skip
        yield _gauge(
            "bawn_calls_in_flight", "Calls in flight.", ("worker", "server"),
            {(w, server): n for w, each in workers for server, n in each.in_flight.items()},
        )  # fmt: skip
        yield from self._of_workers()
        yield _gauge(
            "bawn_server_health", "1 for the state that a server is in.", ("server", "state"),
            {(s, state): int(state == now) for s, now in self._health.items() for state in self._states},
        )  # fmt: skip
        items: _Values = {(kind,): count for kind, count in self._items.items()}
        yield _gauge("bawn_view_items", "Items on offer.", ("kind",), items)

    def _of_workers(self) -> Iterator[Metric]:
        of, workers = ("worker",), self._workers.items()
        yield _counter(
            "bawn_audit_records", "Audit records written.", of,
            {(w,): each.audit_records for w, each in workers},
        )  # fmt: skip
        yield _counter(
            "bawn_audit_failures", "Audit writes that failed and records lost.", of,
            {(w,): each.audit_failures for w, each in workers},
        )  # fmt: skip
        yield _counter(
            "bawn_worker_cpu_seconds", "Processor time of a worker.", of,
            {(w,): each.cpu_seconds for w, each in workers},
        )  # fmt: skip
        yield _gauge(
            "bawn_worker_resident_bytes", "Memory of a worker.", of,
            {(w,): each.resident_bytes for w, each in workers},
        )  # fmt: skip
        yield _gauge(
            "bawn_worker_descriptors", "Open descriptors of a worker.", of,
            {(w,): each.descriptors for w, each in workers},
        )  # fmt: skip

    def _of_calls(self) -> Iterator[Metric]:
        durations = HistogramMetricFamily(
            "mcp_server_operation_duration_seconds",
            "Duration of calls, from their decision to their answer.",
            labels=_OPERATION,
        )
        totals = CounterMetricFamily(
            "bawn_calls", "Calls that reached a server.",
            labels=("worker", "server", "method", "status"),
        )  # fmt: skip
        bounds = [*map(str, BUCKETS), "+Inf"]
        for worker, each in self._workers.items():
            for server, method, status, (*counts, seconds) in each.calls:
                summed = list(accumulate(counts))
                error = "" if status == "ok" else status
                labels = [_label(worker), _label(server), _label(method), _label(error)]
                durations.add_metric(labels, list(zip(bounds, summed, strict=True)), seconds)
                totals.add_metric([*labels[:3], _label(status)], summed[-1])
        yield durations
        yield totals


def _label(value: str) -> str:
    return printable(value)[:128]


def _counter(name: str, text: str, labels: tuple[str, ...], figures: _Values) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, figure in figures.items():
        family.add_metric([*map(_label, values)], figure)
    return family


def _gauge(name: str, text: str, labels: tuple[str, ...], figures: _Values) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, figure in list(figures.items())[:SERIES]:
        family.add_metric([*map(_label, values)], figure)
    return family
