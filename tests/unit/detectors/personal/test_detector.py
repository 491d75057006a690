from __future__ import annotations

import json

import pytest

from bawn.detectors.engine import Gate
from bawn.detectors.personal.detector import KINDS, Kind, Personal
from bawn.detectors.rule import load
from bawn.model import Surface

PERSONAL = Personal()
GATE = Gate(PERSONAL.triggers)
HITS = [(rule.id, text) for rule in load("personal") for text in rule.hit]
MISSES = [(rule.id, text) for rule in load("personal") for text in rule.miss]


def rules(text: str, detector: Personal = PERSONAL) -> list[str]:
    return [found.rule for found in detector.detect(text, Surface.OUTPUT)]


@pytest.mark.parametrize(("rule", "text"), HITS)
def test_what_a_rule_hits_is_found_and_opens_the_gate(rule: str, text: str) -> None:
    assert rule in rules(text)
    assert GATE.opens(json.dumps([f"line\n{text}"], ensure_ascii=False).encode())


@pytest.mark.parametrize(("rule", "text"), MISSES)
def test_what_a_rule_misses_is_not_told_by_it(rule: str, text: str) -> None:
    assert rule not in rules(text)


def test_only_the_kinds_that_are_wanted_are_looked_for() -> None:
    wanted: tuple[Kind, ...] = ("card",)
    cards = Personal(wanted)
    text = "4111 1111 1111 1111, anna.berg@nordwind-verlag.de"
    assert rules(text, cards) == ["personal/card"]
    assert rules(text, Personal(())) == []
    assert set(rules(text, Personal(KINDS))) == {"personal/card", "personal/email"}


def test_spans_count_characters_whatever_stands_before() -> None:
    text = "größer — IBAN DE89370400440532013000 ✓"
    [found] = PERSONAL.detect(text, Surface.OUTPUT)
    assert text[found.start : found.end] == "DE89370400440532013000"
    assert "3704" not in found.evidence
