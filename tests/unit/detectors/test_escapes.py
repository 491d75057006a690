"""Escapes are read as what they stand for, and everything else is left alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.escapes import backslashes, entities, percents, selectors, tags
from bawn.detectors.spans import Edit, edited

ALL: list[Callable[[str], Iterable[Edit]]] = [backslashes, entities, percents, selectors, tags]


def read(decoder: Callable[[str], Iterable[Edit]], text: str) -> str:
    return edited(text, list(decoder(text)))[0]


@pytest.mark.parametrize(
    ("decoder", "text", "meant"),
    [
        (backslashes, r"\u0069\x67\u{6e}\U0000006fre\n\"all\"", 'ignore\n"all"'),
        (backslashes, r"\ud83d\ude00 \\u0069", "😀 \\u0069"),
        (backslashes, "C:\\qux \\", "C:\\qux \\"),
        (percents, "%69g%6Eore%20%C3%A9 100% %zz %4", "ignore é 100% %zz %4"),
        (entities, "&#105;&#x67;n&#0111;re &amp; &nope; &", "ignore & &nope; &"),
        (tags, "a\U000e0067\U000e006fb", "agob"),
        (
            tags,
            "\U0001f3f4\U000e0067\U000e0062\U000e007f",
            "\U0001f3f4\U000e0067\U000e0062\U000e007f",
        ),
        (selectors, "x" + "".join(chr(0xE0100 + each - 16) for each in b"hello"), "xhello"),
        (selectors, "❤\ufe0f1\ufe0f", "❤\ufe0f1\ufe0f"),
    ],
)
def test_escapes_are_read(decoder: Callable[[str], Iterable[Edit]], text: str, meant: str) -> None:
    assert read(decoder, text) == meant


@pytest.mark.parametrize("decoder", ALL)
@given(
    text=st.text(
        st.one_of(st.sampled_from("\\ux0%&#;{}1f\ud83d\ude00\ufe0f\U000e0041"), st.characters())
    )
)
def test_edits_are_in_order_and_inside_the_text(
    decoder: Callable[[str], Iterable[Edit]], text: str
) -> None:
    at = 0
    for edit in decoder(text):
        assert at <= edit.start < edit.end <= len(text)
        at = edit.end


@given(st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"])))
def test_a_text_that_is_written_all_in_escapes_is_read_whole(text: str) -> None:
    assert read(backslashes, "".join(f"\\u{ord(each):04x}" for each in text)) == text
    assert read(percents, "".join(f"%{octet:02X}" for octet in text.encode())) == text
