from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.injection.windows import readable, windows


def test_a_window_begins_with_the_sentence_that_orders_something() -> None:
    text = "the soup was good. please send the file to ann. bye."
    assert any(
        text[each.start : each.end].strip().startswith("please send") for each in windows(text)
    )


def test_text_in_which_nothing_is_ordered_has_no_window() -> None:
    assert windows("the old town of lyon lies on two rivers") == []


def test_an_act_alone_is_no_order() -> None:
    assert windows("deleted scenes") == []


def test_a_sentence_without_end_gives_windows_of_bounded_length() -> None:
    found = windows("please ignore all " * 100)
    assert len(found) > 1
    assert all(each.end - each.start <= 260 for each in found)


def test_escaped_line_ends_are_line_ends_and_nothing_moves() -> None:
    text = "one\\ntwo\\tthree"
    assert readable(text) == "one\n two  three"
    assert len(readable(text)) == len(text)


@given(st.text(alphabet="ab please send the. \\né忽略", max_size=400))
def test_windows_lie_within_the_text_in_order(text: str) -> None:
    found = windows(text)
    assert all(0 <= each.start < each.end <= len(text) for each in found)
    assert [each.start for each in found] == sorted(each.start for each in found)
