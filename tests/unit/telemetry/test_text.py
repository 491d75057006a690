from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.telemetry.text import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain ünïcode 漢字", "plain ünïcode 漢字"),
        ("a\nb\r\t", r"a\nb\r\t"),
        ("\x1b[31m", r"\u001b[31m"),
        ("\x9b\x85\u2028\u202e\u200b", r"\u009b\u0085\u2028\u202e\u200b"),
        ("\ud800", r"\ud800"),
        ("a\u3164\u2800\ufe0f\U000e0101b", r"a\u3164\u2800\ufe0f\udb40\udd01b"),
        ("\U000e0041", r"\udb40\udc41"),
    ],
)
def test_what_does_not_print_is_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


@given(st.text(st.characters(codec=None)))
def test_any_text_becomes_one_line_that_prints_and_encodes(text: str) -> None:
    shown = printable(text)
    assert shown.isprintable()
    assert shown.encode().decode() == shown


@given(st.text())
def test_in_json_the_escapes_change_nothing(text: str) -> None:
    assert json.loads(printable(json.dumps(text, ensure_ascii=False))) == text
