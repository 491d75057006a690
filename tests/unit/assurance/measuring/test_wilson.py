"""A share of a sample comes with where the true share lies."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.assurance.measuring.wilson import Share


def test_the_interval_is_that_of_the_published_example() -> None:
    # 81 of 263: Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3
    interval = Share(81, 263).interval
    assert interval == pytest.approx((0.2553, 0.3662), abs=1e-4)


def test_none_of_many_is_not_taken_for_never() -> None:
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=1e-4)
    assert Share(0, 20).value == 0.0


def test_nothing_of_nothing_is_not_measured() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval is None


@given(st.integers(1, 5000), st.data())
def test_the_interval_holds_the_share_and_stays_within_bounds(of: int, data: st.DataObject) -> None:
    share = Share(data.draw(st.integers(0, of)), of)
    low, high = share.interval or (2.0, -1.0)
    assert 0.0 <= low <= (share.value or 0.0) + 1e-12
    assert (share.value or 0.0) - 1e-12 <= high <= 1.0
