"""Words are known by what they mean, in the forms that they take."""

from __future__ import annotations

import pytest

from bawn.detectors.definitions.concepts import meaning, meanings, patterns


@pytest.mark.parametrize("word", ["send", "sends", "sending", "forwarded", "submitted", "senden"])
def test_a_word_has_its_meaning_in_each_form(word: str) -> None:
    assert meaning(word) == "send"


@pytest.mark.parametrize("word", ["", "it", "table", "weather", "x" * 100])
def test_other_words_mean_nothing(word: str) -> None:
    assert meaning(word) == ""


def test_the_order_of_meanings_is_kept() -> None:
    found = meanings(["send", "the", "password", "to", "the", "webhook"])
    assert found == ["send", "secret", "sink"]
    assert {"+send", "send>secret", "secret>sink", "send>sink"} <= set(patterns(found))
