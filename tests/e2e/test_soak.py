"""The soak's verdict can fail: on growth, on wrong or missing answers, on failures without a cause."""

from __future__ import annotations

from collections import Counter

import pytest
from bench.soak.report import Result, Span, markdown
from bench.soak.trend import Bound, Points, trend

from tests.e2e.load import Kind, Outcome, Tally

BOUND = Bound(0.10, 2.0)


def line(start: float, slope: float, number: int = 30) -> Points:
    """One point a minute, with a little noise."""
    return [(60.0 * n, start + slope * n + 0.2 * (-1) ** n) for n in range(number)]


def test_what_stays_is_flat_and_what_shrinks_is_too() -> None:
    assert trend("worker", "MB", line(80, 0), BOUND).flat
    assert trend("worker", "MB", line(80, -1), BOUND).flat


def test_what_grows_by_more_than_its_share_is_not_flat() -> None:
    grown = trend("worker", "MB", line(80, 1), BOUND)
    assert grown.growth == pytest.approx(29, abs=1)
    assert not grown.flat
    assert trend("worker", "MB", line(80, 0.2), BOUND).flat


def test_small_things_may_grow_by_the_floor() -> None:
    assert trend("worker", "threads", line(3, 0.05), BOUND).flat
    assert not trend("worker", "threads", line(3, 0.1), BOUND).flat


def test_too_few_points_are_no_proof() -> None:
    assert not trend("p50", "ms", line(3, 0, number=2), BOUND).flat


def result(*outcomes: Outcome, failed: int = 0, problems: tuple[str, ...] = ()) -> Result:
    """A run in which nothing grew."""
    tally = Tally()
    for outcome in outcomes:
        tally.add(outcome)
    flat = trend("worker", "MB", line(80, 0), BOUND)
    spans = [Span(60, 1000, 4.0, 9.0, 500, 300, {"error upstream.died": 2})]
    failures = Counter({"modern__tell reset": failed})
    return Result(60, 0.05, [flat], spans, Counter({"reset": 1}), tally, 1000, +failures, problems)


def seen(kind: Kind, what: str = "") -> Outcome:
    """One call."""
    return Outcome(kind, what, "modern__tell", "alice", "n", 0.0, 0.1)


def test_errors_that_were_made_on_purpose_do_not_fail_it() -> None:
    good = result(seen(Kind.OK), seen(Kind.ERROR, "upstream.died"), seen(Kind.RESET), failed=1)
    assert good.passed
    page = markdown(good)
    assert page.startswith("# Soak: passed")
    assert "| worker, MB | 80.0 |" in page
    assert "error upstream.died: 2" in page


@pytest.mark.parametrize(
    "bad",
    [
        result(seen(Kind.WRONG, "somebody else's answer")),
        result(seen(Kind.LOST)),
        result(seen(Kind.HTTP, "500")),
        result(failed=2),
        result(problems=("audit: line 3: changed",)),
    ],
)
def test_whatever_speaks_against_the_gate_fails_it_and_is_told(bad: Result) -> None:
    assert not bad.passed
    page = markdown(bad)
    assert page.startswith("# Soak: failed")
    assert bad.findings()[0] in page
