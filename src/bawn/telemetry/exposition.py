"""The metrics as Prometheus scrapes them: names, labels and sentences of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from bawn.telemetry.metrics import BUCKETS, Meter
from bawn.telemetry.text import printable

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
LABELS: Final = 4096
"""Series of one gauge that are shown."""

# What OpenTelemetry calls mcp.method.name and error.type; the latter is empty when all went well.
_OPERATION: Final = ("server", "mcp_method_name", "error_type")


@dataclass(frozen=True, slots=True)
class Sources:
    """Where the figures come from that others keep; each is asked at every scrape.

    `health` tells each server's state, one of `states`; `view_items` counts by kind.
    """

    in_flight: Callable[[], Mapping[str, int]] = dict
    audit_records: Callable[[], int] = int
    audit_failures: Callable[[], int] = int
    health: Callable[[], Mapping[str, str]] = dict
    view_items: Callable[[], Mapping[str, int]] = dict
    states: tuple[str, ...] = ("starting", "ok", "needs sign-in", "failing")


class Exposition(Collector):
    """Renders the metrics of one process, on a registry of its own."""

    def __init__(self, meter: Meter, sources: Sources) -> None:
        self._meter = meter
        self._sources = sources
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def render(self) -> bytes:
        """Everything, in the Prometheus text format; served as CONTENT_TYPE."""
        return generate_latest(self._registry)

    def describe(self) -> Iterable[Metric]:
        """Nothing: names are known only when collected, and the registry is ours alone."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics as they stand now."""
        yield from self._of_calls()
        yield _counter(
            "bawn_refusals", "Refusals, by reason id.", ("reason",),
            {(reason,): count for reason, count in self._meter.refusals.items()},
        )  # fmt: skip
        ask = self._sources
        yield _gauge(
            "bawn_calls_in_flight", "Calls in flight.", ("server",), _single(ask.in_flight())
        )
        yield _counter(
            "bawn_audit_records", "Audit records written.", (), {(): ask.audit_records()}
        )
        yield _counter(
            "bawn_audit_failures", "Audit writes that failed and records lost.", (),
            {(): ask.audit_failures()},
        )  # fmt: skip
        yield _gauge(
            "bawn_server_health", "1 for the state that a server is in.", ("server", "state"),
            {
                (server, state): int(state == found)
                for server, found in ask.health().items()
                for state in ask.states
            },
        )  # fmt: skip
        yield _gauge("bawn_view_items", "Items on offer.", ("kind",), _single(ask.view_items()))

    def _of_calls(self) -> Iterator[Metric]:
        durations = HistogramMetricFamily(
            "mcp_server_operation_duration_seconds",
            "Duration of calls, from their decision to their answer.",
            labels=_OPERATION,
        )
        totals = CounterMetricFamily(
            "bawn_calls", "Calls that reached a server.", labels=("server", "method", "status")
        )
        bounds = [*map(str, BUCKETS), "+Inf"]
        for (server, method, status), (*counts, seconds) in list(self._meter.calls.items()):
            summed = list(accumulate(counts))
            error = "" if status == "ok" else status
            labels = [_label(server), _label(method), _label(error)]
            durations.add_metric(labels, list(zip(bounds, summed, strict=True)), seconds)
            totals.add_metric([_label(server), _label(method), _label(status)], summed[-1])
        yield durations
        yield totals


def _single(figures: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    return {(name,): figure for name, figure in figures.items()}


def _label(value: str) -> str:
    return printable(value)[:128]


def _counter(
    name: str, text: str, labels: tuple[str, ...], figures: Mapping[tuple[str, ...], int]
) -> Metric:
    family = CounterMetricFamily(name, text, labels=labels)
    for values, figure in figures.items():
        family.add_metric([*map(_label, values)], figure)
    return family


def _gauge(
    name: str, text: str, labels: tuple[str, ...], figures: Mapping[tuple[str, ...], int]
) -> Metric:
    family = GaugeMetricFamily(name, text, labels=labels)
    for values, figure in list(figures.items())[:LABELS]:
        family.add_metric([*map(_label, values)], figure)
    return family
