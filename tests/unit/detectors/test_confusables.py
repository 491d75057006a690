"""The table of look-alikes."""

from __future__ import annotations

from bawn.detectors.confusables import CLOSE, LATIN, OTHER


def test_every_look_alike_stands_for_one_small_letter_of_ascii() -> None:
    for each, letter in (*LATIN.items(), *OTHER.items()):
        assert len(each) == len(letter) == 1
        assert not each.isascii()
        assert letter.isascii()
        assert letter.islower()


def test_a_letter_is_of_the_latin_script_or_of_another() -> None:
    assert not LATIN.keys() & OTHER.keys()


def test_small_and_capital_are_close_together_or_not_at_all() -> None:
    for each in CLOSE:
        if each.lower() in OTHER:
            assert each.lower() in CLOSE
