from __future__ import annotations

import math

from prometheus_client.parser import text_string_to_metric_families

from bawn.model import Health
from bawn.telemetry.exposition import Exposition, Sources
from bawn.telemetry.metrics import Meter

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(meter: Meter, sources: Sources | None = None) -> Samples:
    text = Exposition(meter, sources or Sources()).render().decode()
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, **labels: str) -> float:
    return samples[name, frozenset(labels.items())]


def test_calls_are_a_histogram_named_as_opentelemetry_does() -> None:
    meter = Meter()
    for seconds in (0.003, 0.3, 1000.0):
        meter.call("files", "tools/call", "ok", seconds)
    meter.call("files", "tools/call", "upstream.died", 0.1)
    samples = scraped(meter)
    name = "mcp_server_operation_duration_seconds"
    labels = {"server": "files", "mcp_method_name": "tools/call"}
    assert value(samples, f"{name}_bucket", error_type="", le="0.005", **labels) == 1
    assert value(samples, f"{name}_bucket", error_type="", le="0.5", **labels) == 2
    assert value(samples, f"{name}_bucket", error_type="", le="+Inf", **labels) == 3
    assert value(samples, f"{name}_count", error_type="", **labels) == 3
    assert math.isclose(value(samples, f"{name}_sum", error_type="", **labels), 1000.303)
    assert value(samples, f"{name}_count", error_type="upstream.died", **labels) == 1


def test_calls_and_refusals_are_counted() -> None:
    meter = Meter()
    meter.call("files", "tools/call", "error", 0.1)
    meter.refusal("policy.denied")
    samples = scraped(meter)
    assert (
        value(samples, "bawn_calls_total", server="files", method="tools/call", status="error") == 1
    )
    assert value(samples, "bawn_refusals_total", reason="policy.denied") == 1


def test_sources_are_asked_at_every_scrape() -> None:
    figures = {"files": 1}
    exposition = Exposition(Meter(), Sources(in_flight=lambda: figures))
    assert b'bawn_calls_in_flight{server="files"} 1.0' in exposition.render()
    figures["files"] = 2
    assert b'bawn_calls_in_flight{server="files"} 2.0' in exposition.render()


def test_what_others_count_is_shown() -> None:
    samples = scraped(
        Meter(),
        Sources(
            audit_records=lambda: 7,
            audit_failures=lambda: 2,
            health=lambda: {"files": Health.SIGN_IN},
            view_items=lambda: {"tool": 3},
        ),
    )
    assert value(samples, "bawn_audit_records_total") == 7
    assert value(samples, "bawn_audit_failures_total") == 2
    assert value(samples, "bawn_server_health", server="files", state="needs sign-in") == 1
    assert value(samples, "bawn_server_health", server="files", state="ok") == 0
    assert value(samples, "bawn_view_items", kind="tool") == 3


def test_every_state_that_a_server_can_be_in_is_shown() -> None:
    assert set(Sources().states) == {health.value for health in Health}


def test_the_process_is_measured() -> None:
    assert scraped(Meter())["process_open_fds", frozenset()] > 0


def test_names_that_would_break_the_format_do_not() -> None:
    meter = Meter()
    meter.call('a"b\\\n\ud800', "x" * 999, "ok", 1)
    samples = scraped(meter)
    (labels,) = [dict(labels) for name, labels in samples if name == "bawn_calls_total"]
    assert labels["server"] == 'a"b\\\\n\\ud800'
    assert len(labels["method"]) == 128


def test_two_expositions_do_not_meet() -> None:
    first, second = Meter(), Meter()
    first.refusal("a")
    one, other = Exposition(first, Sources()), Exposition(second, Sources())
    assert b'reason="a"' in one.render()
    assert b'reason="a"' not in other.render()
