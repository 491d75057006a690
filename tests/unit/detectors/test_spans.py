"""The way back from what was made to what it was made of."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.spans import Edit, edited, traced


def test_a_span_leads_back_around_edits_and_to_the_whole_of_one() -> None:
    text, back = edited("ab%20cd%20ef", [Edit(2, 5, " "), Edit(7, 10, "->>")])
    assert text == "ab cd->>ef"
    assert back(0, 2) == (0, 2)
    assert back(2, 3) == (2, 5)
    assert back(3, 5) == (5, 7)
    assert back(6, 7) == (7, 10)
    assert back(0, len(text)) == (0, 12)


def test_what_was_taken_out_belongs_to_neither_side() -> None:
    text, back = edited("a##b", [Edit(1, 3, "")])
    assert text == "ab"
    assert back(0, 1) == (0, 1)
    assert back(1, 2) == (3, 4)
    assert back(0, 2) == (0, 4)


@given(
    st.lists(
        st.tuples(st.text("xy", max_size=3), st.text("AB", max_size=3), st.text("ab", max_size=3))
    )
)
def test_what_no_edit_touched_leads_back_to_itself(parts: list[tuple[str, str, str]]) -> None:
    source, edits = "", []
    for kept, old, new in parts:
        source += kept
        edits.append(Edit(len(source), len(source) + len(old), new))
        source += old
    made, back = edited(source, edits)
    for at, character in enumerate(made):
        first, last = back(at, at + 1)
        if character in "xy":
            assert source[first:last] == character
        assert 0 <= first <= last <= len(source)


def test_lengths_are_asked_for_when_first_something_leads_back() -> None:
    asked: list[int] = []

    def lengths() -> list[int]:
        asked.append(1)
        return [1, 0, 2, 1]

    back = traced(lengths, 4)
    assert asked == []
    assert back(0, 1) == (0, 1)
    assert back(1, 3) == (2, 3)
    assert back(2, 3) == (2, 3)
    assert asked == [1]
