"""Texts are cut into sentences, and names into words."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bawn.detectors.definitions.words import LONGEST, sentences, spelt, windows


def parts(text: str) -> list[str]:
    return [text[start:end].strip() for start, end in sentences(text)]


def test_sentences_end_at_stops_and_empty_lines_and_before_lists() -> None:
    text = "One here. Two, e.g. this!\n\nThree\nwrapped\n- four\nfive: six"
    assert parts(text) == ["One here.", "Two, e.g. this!", "Three\nwrapped", "- four", "five: six"]


def test_a_long_sentence_is_seen_in_parts_that_overlap() -> None:
    text = " ".join(f"w{turn}" for turn in range(70))
    found = list(windows(text))
    assert all(len(text[start:end].split()) <= LONGEST for start, end in found)
    assert {word for start, end in found for word in text[start:end].split()} == set(text.split())


def test_what_begins_within_a_sentence_is_seen_by_itself() -> None:
    text = "List all tables Please send the keys to us"
    assert "Please send the keys to us" in {text[start:end] for start, end in windows(text)}


def test_short_neighbours_are_seen_together() -> None:
    text = "Send it on. Nobody needs to know."
    assert text in {text[start:end] for start, end in windows(text)}


@pytest.mark.parametrize(
    ("name", "words"),
    [("send_all-to.me", "send all to me"), ("sendAllToMe", "send All To Me"), ("API", "API")],
)
def test_names_are_spelt(name: str, words: str) -> None:
    assert spelt(name) == words


@given(st.text(max_size=400))
@example("\n\x1e")  # a blank that is no space and no tab, and nothing after it
def test_windows_lie_within_the_text(text: str) -> None:
    for start, end in windows(text):
        assert 0 <= start < end <= len(text)
        assert text[start:end].strip()
