from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from prometheus_client.parser import text_string_to_metric_families

from bawn.findings.evidence import Evidence
from bawn.model import Health
from bawn.telemetry.exposition import Assured, render
from bawn.telemetry.figures import Figures, figures
from bawn.telemetry.metrics import Meter

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


STATES = tuple(Health)


def scraped(
    meter: Meter | None = None,
    workers: Mapping[str, Figures] | None = None,
    health: Mapping[str, str] | None = None,
    items: Mapping[str, int] | None = None,
) -> Samples:
    """The samples of one worker's meter, or of several workers; of one alone without its label."""
    if workers is None:
        workers = {"0": figures(meter or Meter(), {}, 0, 0, healthy=True)}
    text = render(workers, health or {}, items or {}, STATES).decode()
    return {
        (sample.name, frozenset(_labels(sample.labels, alone=len(workers) == 1))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def _labels(labels: Mapping[str, str], *, alone: bool) -> Iterable[tuple[str, str]]:
    return ((k, v) for k, v in labels.items() if not (alone and k == "worker"))


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


def test_every_worker_is_told_apart() -> None:
    workers = {
        "0": Figures(
            [("files", "tools/call", "ok", [1.0] * 19)],
            {"auth.missing": 2},
            [("outputs", "output", "mark", 4)],
            {"files": 3},
            7,
            1,
        ),
        "1": Figures(audit_records=9, cpu_seconds=1.5, resident_bytes=100, descriptors=20),
    }
    samples = scraped(workers=workers)
    assert value(samples, "bawn_refusals_total", worker="0", reason="auth.missing") == 2
    assert value(samples, "bawn_calls_in_flight", worker="0", server="files") == 3
    found = {"way": "outputs", "family": "output", "action": "mark"}
    assert value(samples, "bawn_findings_total", worker="0", **found) == 4
    assert value(samples, "bawn_audit_records_total", worker="0") == 7
    assert value(samples, "bawn_audit_failures_total", worker="0") == 1
    assert value(samples, "bawn_audit_records_total", worker="1") == 9
    assert value(samples, "bawn_worker_cpu_seconds_total", worker="1") == 1.5
    assert value(samples, "bawn_worker_resident_bytes", worker="1") == 100
    assert value(samples, "bawn_worker_descriptors", worker="1") == 20
    labels = {"server": "files", "method": "tools/call", "status": "ok"}
    assert value(samples, "bawn_calls_total", worker="0", **labels) == 18


def test_what_the_steward_knows_is_shown() -> None:
    samples = scraped(health={"files": Health.SIGN_IN}, items={"tool": 3})
    assert value(samples, "bawn_server_health", server="files", state="needs sign-in") == 1
    assert value(samples, "bawn_server_health", server="files", state="ok") == 0
    assert value(samples, "bawn_view_items", kind="tool") == 3
    shown = {dict(labels).get("state") for name, labels in samples if name == "bawn_server_health"}
    assert shown == {health.value for health in Health}


def test_names_that_would_break_the_format_do_not() -> None:
    meter = Meter()
    meter.call('a"b\\\n\ud800', "x" * 999, "ok", 1)
    samples = scraped(meter)
    (labels,) = [dict(labels) for name, labels in samples if name == "bawn_calls_total"]
    assert labels["server"] == 'a"b\\\\n\\ud800'
    assert len(labels["method"]) == 128


def test_the_trust_of_servers_is_told_with_its_age() -> None:
    evidence = (
        Evidence("pin", "verified", "", 90.0),
        Evidence("drift", "failed", "", 100.0),
        Evidence("scan", "unmeasured", "", 0.0),
    )
    assured = Assured(100.0, {"files": evidence}, {"files": 2}, {"files": {"high": 1}})
    text = render({}, {}, {}, STATES, assured).decode()
    for line in (
        'bawn_server_trust{dimension="pin",server="files",verdict="verified"} 1.0',
        'bawn_server_trust{dimension="pin",server="files",verdict="failed"} 0.0',
        'bawn_server_trust{dimension="drift",server="files",verdict="failed"} 1.0',
        'bawn_server_evidence_age_seconds{dimension="pin",server="files"} 10.0',
        'bawn_definitions_waiting{server="files"} 2.0',
        'bawn_server_vulnerabilities{server="files",severity="high"} 1.0',
    ):
        assert line in text
    assert 'age_seconds{dimension="scan"' not in text  # it was never looked at
