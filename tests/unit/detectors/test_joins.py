"""Neighbours read as one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.joins import SHORT, TOGETHER, joins


def test_neighbours_are_read_with_a_blank_between_them_and_without() -> None:
    assert [join.text for join in joins([("/a", "one"), ("/b", "two")])] == ["one two", "onetwo"]


def test_a_text_alone_has_no_neighbours() -> None:
    assert not list(joins([("/a", "one")]))
    assert not list(joins([("/a", "one"), ("/b", "x" * (SHORT + 1)), ("/c", "two")]))


@given(st.lists(st.text(max_size=SHORT + 5)))
def test_all_short_neighbours_are_read_together_within_bounds(texts: list[str]) -> None:
    placed = [(f"/{at}", text) for at, text in enumerate(texts)]
    pairs = set()
    for join in joins(placed):
        assert len(join.text) <= TOGETHER + len(join.texts)
        pairs |= {(one[0], other[0]) for one, other in pairwise(join.texts)}
        for place, start, end in join.parts(0, len(join.text)):
            assert 0 <= start < end <= len(dict(placed)[place])
    said = [each for each in placed if each[1]]
    for one, other in pairwise(said):
        if max(len(one[1]), len(other[1])) <= SHORT:
            assert (one[0], other[0]) in pairs
