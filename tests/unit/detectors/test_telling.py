"""Telling words are no other words when they are turned."""

from __future__ import annotations

from bawn.detectors.telling import BACKWARDS, ROTATED, TELLING, WORDS


def test_a_telling_word_is_not_a_word_when_it_is_turned() -> None:
    assert TELLING <= WORDS
    assert not WORDS & BACKWARDS
    assert not WORDS & ROTATED
