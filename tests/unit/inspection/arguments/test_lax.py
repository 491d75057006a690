"""The loosest decoder: every way of writing dots and slashes comes to the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.arguments.lax import decoded


@pytest.mark.parametrize(
    "text",
    ["../", "%2e%2e%2f", "%252e%252e%252f", "%25252e%25252e%25252f", "%c0%ae%c0%ae%c0%af", "%e0%80%ae%e0%80%ae%e0%80%af", "%u002e%u002e%u2215", "0x2e0x2e0x2f",
     "&#46;&#46;&#47;", "%%32%65%%32%65%%32%66", "．．／", "\\x2e\\x2e\\x2f", "\\u002e\\u002e\\u002f", "%f0%80%80%ae%f0%80%80%ae%f0%80%80%af"],
)  # fmt: skip
def test_all_forms_come_to_dots_and_a_slash(text: str) -> None:
    assert decoded(text) in ("../", "..\u2215")


@pytest.mark.parametrize("text", ["a.txt", "100%", "50%off", "0x1f", "a&b"])
def test_ordinary_texts_stay(text: str) -> None:
    assert decoded(text) == text


@given(st.text(max_size=300))
def test_any_text_is_decoded(text: str) -> None:
    decoded(text)
