from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.detectors.secrets.values import disorder, entropy, kinds, placeholder, words
from tests.spelled import spelled


@pytest.mark.parametrize(
    "value",
    [
        "xxxxxxxxxxxx",
        "your-key",
        "<token>",
        "${X}",
        "{{ x }}",
        "abcdef123456",
        "changeme1",
        "***",
        "%NAME%",
    ],
)
def test_a_placeholder_is_known(value: str) -> None:
    assert placeholder(value)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("alphabet", ["a-z0-9", "a-zA-Z0-9", "0-9a-f", "A-Z2-7"])
def test_what_was_drawn_is_no_placeholder_and_no_word(alphabet: str, seed: int) -> None:
    value = spelled(f"{{{alphabet}*24}}", seed)
    assert not placeholder(value)
    assert disorder(value) >= 12


@pytest.mark.parametrize(
    "value", ["getUserName", "serverV2", "production", "20240131", "read-only"]
)
def test_words_are_in_order(value: str) -> None:
    assert disorder(value) == 0


@given(st.text(max_size=80))
def test_measures_stay_within_their_bounds(value: str) -> None:
    assert 0 <= entropy(value) <= 8
    assert 0 <= disorder(value) <= len(value)
    assert 0 <= kinds(value) <= 4


def test_words_of_a_list() -> None:
    assert words("a b") == {"a", "b"}
