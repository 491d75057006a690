from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.ports import Meter as MeterPort
from bawn.telemetry.metrics import BUCKETS, OTHER, Meter


def test_it_is_a_meter() -> None:
    meter: MeterPort = Meter()
    meter.call("files", "tools/call", "ok", 0.1)


@pytest.mark.parametrize(
    ("seconds", "bucket"), [(0.0, 0), (0.001, 0), (0.00101, 1), (0.3, 8), (300.0, 16), (300.1, 17)]
)
def test_a_call_is_counted_in_the_first_bucket_that_reaches_it(seconds: float, bucket: int) -> None:
    meter = Meter()
    meter.call("files", "tools/call", "ok", seconds)
    counts = meter.calls["files", "tools/call", "ok"]
    assert counts[bucket] == 1
    assert sum(counts[:-1]) == 1
    assert counts[-1] == seconds
    assert len(counts) == len(BUCKETS) + 2


@given(st.lists(st.floats(0, 1000)))
def test_every_call_is_counted_once(durations: list[float]) -> None:
    meter = Meter()
    for seconds in durations:
        meter.call("files", "tools/call", "ok", seconds)
    counts = meter.calls.get(("files", "tools/call", "ok"), [0.0])
    assert sum(counts[:-1]) == len(durations)


def test_series_are_bounded_and_the_rest_is_counted_as_other() -> None:
    meter = Meter(series=3)
    for number in range(10):
        meter.call(f"s{number}", "tools/call", "ok", 0.1)
        meter.refusal(f"r{number}")
    meter.call("s0", "tools/call", "ok", 0.1)
    assert len(meter.calls) == 4
    assert sum(meter.calls[OTHER, OTHER, OTHER][:-1]) == 7
    assert sum(meter.calls["s0", "tools/call", "ok"][:-1]) == 2
    assert meter.refusals == {"r0": 1, "r1": 1, "r2": 1, OTHER: 7}
