from __future__ import annotations

from bawn.telemetry.figures import decode, encode, figures
from bawn.telemetry.metrics import Meter


def test_figures_come_back_as_they_were() -> None:
    meter = Meter()
    meter.call("files", "tools/call", "ok", 0.3)
    meter.refusal("auth.missing")
    told = figures(meter, {"files": 2}, 7, 1, healthy=False)
    assert decode(encode(told)) == told
    assert (told.audit_records, told.audit_failures, told.audit_healthy) == (7, 1, False)
    assert told.in_flight == {"files": 2}
    assert told.refusals == {"auth.missing": 1}
    (call,) = told.calls
    assert call[:3] == ("files", "tools/call", "ok")


def test_the_process_is_measured() -> None:
    told = figures(Meter(), {}, 0, 0, healthy=True)
    assert told.cpu_seconds > 0
    assert told.resident_bytes > 1 << 20
    assert told.descriptors > 2
