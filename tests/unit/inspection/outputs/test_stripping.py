"""What acts does so no more, what nobody sees is gone, and the rest can still be read."""

from __future__ import annotations

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.outputs.stripping import inert, stripped


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ("a\u200bb\u2060c\ufeff", "abc"),
        ("a\u202eb\u2066c\u2069", "abc"),
        ("x\U000e0041\U000e0042\U000e007f", "x"),
        ("x\ufe0f\U000e0100", "x"),
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]8;;https://evil.example\x07link\x1b]8;;\x1b\\", "link"),
        ("\x1bP1;2|data\x1b\\after", "after"),
        ("\x9b2Jclear", "clear"),
        ("\x1b(Bset", "set"),
        ("\x1b7save", "save"),
        ("a\x08\x00b\x7f", "ab"),
        ("tab\tline\r\n", "tab\tline\r\n"),
        ("grüße, 世界 \U0001f468", "grüße, 世界 \U0001f468"),
        ("\x1b", ""),
        ("\x1b]never ends\nnext line", "never ends\nnext line"),
    ],
)
def test_what_nobody_sees_is_gone(given_: str, left: str) -> None:
    assert stripped(given_) == left


@pytest.mark.parametrize(
    ("given_", "left"),
    [
        ("![x](https://a.b.example/p.png?q=1.5)", "(image) [x] (https[:]//a[.]b[.]example/p.png?q=1.5)"),
        ("[t](//a.example/x)", "[t] (//a.example/x)"),
        ("[ref]: https://a.example/x", "[ref]: https[:]//a[.]example/x"),
        ("<https://a.example>", "&lt;https[:]//a[.]example>"),
        ('<img src="https://a.example/x">', '&lt;img src="https[:]//a[.]example/x">'),
        ("<script>go()</script>", "&lt;script>go()&lt;/script>"),
        ("[t](javascript:go())", "[t] (javascript[:]go())"),
        ("[t](java&#115;cript:go())", "[t] (java&amp;#115;cript[:]go())"),
        ("data:text/html,x", "data[:]text/html,x"),
        (r'{"u":"https:\/\/a.example\/x"}', r'{"u":"https[:]\/\/a[.]example\/x"}'),
        ("[t][a] a:(b) c:[d]", "[t] [a] a[:] (b) c[:] [d]"),
        ("a://!.(b)", "a[:]//(image) [.] (b)"),
        ("if a < b and 10:30: note: this", "if a < b and 10:30: note: this"),
    ],
)  # fmt: skip
def test_nothing_is_followed_loaded_or_run(given_: str, left: str) -> None:
    assert inert(given_) == left


@given(st.text(alphabet="!][()<>:/\\.&#ab \n\x1b\u200b\U000e0041;@", max_size=60) | st.text())
def test_once_is_enough(text: str) -> None:
    assert stripped(stripped(text)) == stripped(text)
    assert inert(inert(text)) == inert(text)


@given(st.text(alphabet="!][()<>:/\\.&#ab \n", max_size=60))
def test_no_link_image_or_tag_is_left(text: str) -> None:
    left = inert(text)
    assert not any(
        part in left for part in ("![", "](", "][", "<a", "<b", "</", "<!", "a:/", "b:/", "&#")
    )


@pytest.mark.parametrize("unit", ["![", "](", "<", "a:", "a:/", "\x1b]", "\x1b[", "\u200b", "&#"])
def test_it_takes_time_linear_in_the_text(unit: str) -> None:
    begun = process_time()
    stripped(unit * 20_000)
    inert(unit * 20_000)
    assert process_time() - begun < 5
