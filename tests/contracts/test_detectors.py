"""One suite for every built-in detector, and for every rule that one of them has."""

from __future__ import annotations

import base64
from functools import cache
from importlib.resources import files
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bawn.app.detectors import detectors
from bawn.detectors.forms import forms
from bawn.detectors.known import Origin, unsound
from bawn.detectors.rule import Rule, load
from bawn.detectors.survey import Survey
from bawn.model import Detection
from bawn.ports.inspecting import Detector
from tests.spelled import spelled

EVIDENCE = 160  # characters
ALL = detectors()
BY_ID = {each.id: each for each in ALL}
FILES = sorted(
    each.name.removesuffix(".toml")
    for each in files("bawn.detectors.rules").iterdir()
    if each.name.endswith(".toml")
)
RULES = [rule for name in FILES for rule in load(name) if rule.id.split("/")[0] in BY_ID]
HITS = [
    (rule, spelled(text), surface)
    for rule in RULES
    for text, surface in product(rule.hit, rule.surfaces)
]
MISSES = [
    (rule, spelled(text), surface)
    for rule in RULES
    for text, surface in product(rule.miss, rule.surfaces)
]
ODD = [
    "",
    " ",
    "\x00",
    "\ud800 lone \udfff",
    "\ufffe\uffff\U0010ffff",
    "\u202e" * 50,
    "a\u0301" * 300,
    "\U000e0041" * 300,
    "𝒜" * 300,
    "%" * 300,
    "\\u" * 300,
    "&#" * 300,
    "=" * 300,
    "-----BEGIN " * 50,
    "A" * 100_000,
    "ab " * 30_000,
    base64.b64encode(bytes(range(256)) * 200).decode(),
]

named = pytest.mark.parametrize("detector", ALL, ids=BY_ID)


@cache
def _survey(id_: str) -> Survey:
    return Survey([BY_ID[id_]])


def sound(detector: Detector, text: str, each: Detection) -> bool:
    """Whether a detection is as the port wants it, in the text in which it was found."""
    return (
        each.rule.startswith(f"{detector.id}/")
        and 0 <= each.start < each.end <= len(text)
        and len(each.evidence) <= EVIDENCE
        and 0 < each.confidence <= 1
    )


@named
def test_it_is_a_detector_that_looks_somewhere(detector: Detector) -> None:
    assert unsound(_origin(detector), detector) == []
    assert detector.surfaces
    assert detector.forms in ("raw", "folded", "all")


@named
@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_texts_are_looked_at_without_a_word(detector: Detector, text: str) -> None:
    for surface in detector.surfaces:
        for form in forms(text, surface):
            for each in detector.detect(form.text, surface):
                assert sound(detector, form.text, each)


@named
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(max_size=300), st.sampled_from([*(text for _, text, _ in HITS), ""]))
def test_it_is_pure_and_its_detections_are_sound(detector: Detector, text: str, seed: str) -> None:
    whole = f"{text} {seed}"
    for surface in detector.surfaces:
        for form in forms(whole, surface):
            once = list(detector.detect(form.text, surface))
            assert once == list(detector.detect(form.text, surface))
            assert [each.start for each in once] == sorted(each.start for each in once)
            assert all(sound(detector, form.text, each) for each in once)


@named
def test_twice_the_text_is_at_most_twice_the_findings_and_one_more(detector: Detector) -> None:
    """Work that grows faster than the text would show in what is found of text that repeats."""
    for surface in detector.surfaces:
        unit = " ".join(
            text
            for rule, text, at in HITS
            if at is surface and BY_ID[rule.id.split("/")[0]] is detector
        )
        once = len(detector.detect(f"{unit}\n" * 2, surface))
        assert len(detector.detect(f"{unit}\n" * 4, surface)) <= 2 * once + 1


@named
def test_what_its_rules_say_that_they_hit_is_hit_and_opens_the_gate(detector: Detector) -> None:
    for rule, text, surface in HITS:
        if rule.id.split("/")[0] != detector.id:
            continue
        survey = _survey(detector.id)
        assert rule.id in {each.rule for each in survey.look(text, surface)}, text
        assert not survey.clean(text.encode("utf-8", "replace"), surface), text


@named
def test_what_its_rules_say_that_they_miss_is_missed(detector: Detector) -> None:
    for rule, text, surface in MISSES:
        if rule.id.split("/")[0] == detector.id:
            told = {each.rule for each in _survey(detector.id).look(text, surface)}
            assert rule.id not in told, text


def test_no_two_rules_have_one_id() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_a_rule_says_why_and_shows_what_it_hits_and_misses(rule: Rule) -> None:
    assert rule.rationale.endswith(".")
    assert rule.hit
    assert rule.miss
    assert rule.grave


def _origin(detector: Detector) -> Origin:
    return Origin("bawn", "0", detector.id)
