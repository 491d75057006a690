"""Figures are told with their intervals, and texts of rows only to those who ask."""

from __future__ import annotations

import json

import pytest

from bawn.assurance.measuring.measure import Counts, Figures, measured
from bawn.assurance.measuring.told import as_json, lines, miss_lines, percent
from bawn.assurance.measuring.wilson import Share
from tests.unit.assurance.measuring.showing import outputs, subject

DATA = outputs(("attack", "steal"), ("attack", "take"), ("benign", "hello"))


@pytest.fixture
def found() -> Figures:
    return measured(subject(), DATA, True, lambda *_: None)


def test_json_has_fractions_and_intervals(found: Figures) -> None:
    told = as_json(found, {"other": Counts(Share(0, 2), Share(1, 1))})
    assert (told["recall"], told["false_alarms"]) == (0.5, 0.0)
    assert (told["attacks"], told["benign"], told["caught"], told["flagged"]) == (2, 1, 1, 0)
    low, high = told["recall_interval"]
    assert 0 < low < 0.5 < high < 1
    assert told["by"]["style"]["loud"]["recall"] == 0.0
    assert told["transforms"]["zero_width"]["recall"] == 0.0
    assert told["against"]["other"]["false_alarms"] == 1.0
    assert "misses" not in told
    json.dumps(told, allow_nan=False)


def test_what_was_never_measured_is_null() -> None:
    told = as_json(measured(subject(), outputs(("benign", "x")), True, lambda *_: None), {})
    assert told["recall"] is None
    assert told["recall_interval"] is None


def test_misses_are_told_without_their_text_unless_asked(found: Figures) -> None:
    assert as_json(found, {}, misses=True)["misses"] == [
        {"id": "r1", "label": "attack", "kind": "mail", "surface": "", "style": "loud", "rules": []}
    ]
    assert as_json(found, {}, misses=True, show=True)["misses"][0]["payload"] == "take"
    assert list(miss_lines(found, False)) == ["  missed r1 [mail loud]"]
    assert list(miss_lines(found, True))[1] == "    'take'"


def test_lines_say_what_disguises_cost(found: Figures) -> None:
    told = list(lines(found, {}))
    assert told[0].startswith("outputs: recall 50.0 % (")
    assert any("disguise hex: recall 0.0 %" in line and "(-50.0 points)" in line for line in told)


def test_a_share_is_told_with_its_interval() -> None:
    assert percent(Share(81, 263)) == "30.8 % (25.5–36.6, 81 of 263)"
    assert percent(Share(0, 0)) == "not measured"
    assert percent(Share(1, 400)).startswith("0.25 % (0.04–1.4, ")
