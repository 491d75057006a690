"""Verbs take their forms, and slots are filled, also within fillings."""

from __future__ import annotations

from random import Random

import pytest
from training.definitions.grammar import Goal, Slots, gerund, goals, past, table, third


@pytest.mark.parametrize(
    ("verb", "forms"),
    [
        ("send", ("sending", "sends", "sent")),
        ("copy", ("copying", "copies", "copied")),
        ("include", ("including", "includes", "included")),
        ("transfer", ("transferring", "transfers", "transferred")),
        ("pass", ("passing", "passes", "passed")),
    ],
)
def test_verbs_take_their_forms(verb: str, forms: tuple[str, str, str]) -> None:
    assert (gerund(verb), third(verb), past(verb)) == forms


def test_a_goal_is_said_in_each_way() -> None:
    forms = Goal("send", "the notes", "to us").forms()
    assert forms["do"] == "send the notes to us"
    assert forms["doing"] == "sending the notes to us"
    assert forms["done"] == "the notes are sent to us"


def test_slots_within_slots_are_filled() -> None:
    slots = Slots(Random(1), {"a": ["x {b}"], "b": ["y"]})
    assert slots.fill("{A}!") == "X y!"


def test_every_slot_of_the_tables_exists() -> None:
    known = Slots(Random(1), table("slots"))
    for some in goals().values():
        for _, thing, rest in some:
            assert known.fill(thing)
            assert "{" not in known.fill(rest)
