"""Edits of one text are made where they were meant, however they lie to each other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.outputs.edits import Edit, edited, merged, within

AROUND = ("<", ">")


def to(text: str, start: int, end: int, *, exact: bool = False) -> Edit:
    return Edit(start, end, lambda _: text, exact)


def test_several_edits_and_marks_of_one_text() -> None:
    edits = [to("TWO", 4, 7), to("", 0, 4)]
    assert edited("one two three", edits, [(8, 13)], AROUND) == "TWO <three>"


def test_an_exact_edit_comes_first_within_what_covers_it() -> None:
    edits = [Edit(0, 9, str.upper), to("key", 4, 6, exact=True)]
    assert edited("abc XX def", edits, [], AROUND) == "ABC KEY DEf"


def test_several_exact_edits_within_another_are_made_where_they_were_meant() -> None:
    edits = [Edit(0, 9, str.upper), to("key", 0, 2, exact=True), to("longer", 4, 6, exact=True)]
    assert edited("abc XX def", edits, [], AROUND) == "KEYC LONGER DEf"


def test_edits_that_overlap_are_made_on_all_they_cover() -> None:
    edits = [Edit(0, 5, str.upper), Edit(3, 8, lambda text: text[::-1])]
    assert edited("abcdefghij", edits, [], AROUND) == "HGFEDCBAij"


def test_a_mark_that_reaches_into_an_edit_takes_in_all_of_it() -> None:
    assert edited("one two three", [to("2", 4, 7)], [(0, 5)], AROUND) == "<one 2> three"
    assert edited("one two three", [to("2", 4, 7)], [(5, 6)], AROUND) == "one <2> three"


def test_a_mark_about_nothing_is_left_out() -> None:
    assert edited("one two", [to("", 3, 7)], [(3, 7)], AROUND) == "one"
    assert edited("one", [], [(1, 1)], AROUND) == "one"


def test_marks_that_touch_each_other_are_one() -> None:
    assert edited("abcdef", [], [(0, 2), (2, 4)], AROUND) == "<abcd>ef"
    assert merged([(5, 6), (0, 2)], 3) == [(0, 6)]


def test_a_span_parts_no_letter_from_its_accents() -> None:
    text = "ae\u0301\u0302b\U0001f468\u200d\U0001f469"
    assert within(text, 0, 2) == (0, 4)
    assert within(text, 2, 3) == (1, 4)
    assert within(text, -5, 99) == (0, len(text))
    assert within(text, 7, 3) == (7, 7)


_SPANS = st.tuples(st.integers(0, 40), st.integers(0, 40))


@given(st.text(max_size=40), st.lists(_SPANS, max_size=6), st.lists(_SPANS, max_size=6))
def test_marks_alone_take_nothing_away(
    text: str, spans: list[tuple[int, int]], same: list[tuple[int, int]]
) -> None:
    wraps = [within(text, *span) for span in spans]
    kept = [Edit(*within(text, *span), lambda part: part) for span in same]
    done = edited(text, kept, wraps, ("\uf001", "\uf002"))
    assert done.count("\uf001") - text.count("\uf001") == done.count("\uf002") - text.count(
        "\uf002"
    )
    if "\uf001" not in text and "\uf002" not in text:
        assert done.replace("\uf001", "").replace("\uf002", "") == text
        depth = 0
        for character in done:
            depth += (character == "\uf001") - (character == "\uf002")
            assert depth in (0, 1)
