from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bawn.discovery.documents.spans import Lines, Member, Object, Scalar, Unreadable, plain


@given(st.text(alphabet="ab\n\r\u2028é", max_size=60), st.data())
def test_line_and_column_agree_with_counting(text: str, data: st.DataObject) -> None:
    offset = data.draw(st.integers(0, len(text)))
    before = text[:offset].split("\n")
    assert Lines(text).at(offset) == (len(before), len(before[-1]) + 1)


def test_of_repeated_keys_the_last_one_counts() -> None:
    first, last = Scalar(5, 6, 1), Scalar(12, 13, 2)
    both = Object(0, 14, (Member("a", 1, first, 6), Member("a", 8, last, -1)))
    assert plain(both) == {"a": 2}
    assert both.find("a") == both.members[1]
    assert both.repeats("a")
    assert both.find("b") is None


def test_an_unreadable_file_says_where() -> None:
    assert str(Unreadable("no value", 3, 7)) == "line 3, column 7: no value"
    assert str(Unreadable("not a file")) == "not a file"
