"""Poison is written in every family, and the same from the same seed."""

from __future__ import annotations

from training.definitions.grammar import table
from training.definitions.poison import Writer


def test_the_same_seed_writes_the_same() -> None:
    assert list(Writer(5).passages(60)) == list(Writer(5).passages(60))
    assert list(Writer(5).passages(60)) != list(Writer(6).passages(60))


def test_every_family_is_written() -> None:
    families = {
        each["name"] for each in (*table("wordings")["family"], *table("harvest")["family"])
    }
    assert {each.family for each in Writer(5).passages(3000)} == families


def test_nothing_is_left_open() -> None:
    for each in Writer(5).passages(500):
        assert "{do" not in each.text.lower()
        assert each.style in {"loud", "quiet"}
        assert each.core in each.text


def test_names_are_names() -> None:
    for each in Writer(5).names(200):
        assert " " not in each.text
        assert len(each.text) <= 170
