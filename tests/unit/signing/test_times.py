"""A moment has one writing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.signing import times
from bawn.signing.unverified import Unverified


@given(st.integers(0, 253_402_300_799))
def test_what_is_written_is_read_again(moment: int) -> None:
    assert times.read(times.written(moment)) == moment


def test_parts_of_seconds_are_dropped() -> None:
    assert times.written(1.9) == "1970-01-01T00:00:01Z"


@pytest.mark.parametrize("moment", [-1, 253_402_300_800, float("inf"), float("nan"), 1e300])
def test_other_years_are_refused(moment: float) -> None:
    with pytest.raises(Unverified):
        times.written(moment)


@given(st.text(max_size=30))
def test_any_other_text_is_refused(text: str) -> None:
    try:
        moment = times.read(text)
    except Unverified:
        return
    assert times.written(moment) == text
