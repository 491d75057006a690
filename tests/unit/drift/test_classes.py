from __future__ import annotations

from typing import get_args

from bawn.drift.classes import CLASSES, RISKS, Class
from bawn.drift.cues import CueKind


def test_every_class_and_cue_has_a_risk_and_a_sentence_of_advice() -> None:
    assert set(get_args(Class)) == set(CLASSES) >= set(get_args(CueKind))
    for risk, advice in CLASSES.values():
        assert risk in RISKS
        assert advice.endswith(".")


def test_the_classes_stand_by_gravity() -> None:
    risks = [RISKS.index(risk) for risk, _ in CLASSES.values()]
    assert risks == sorted(risks, reverse=True)
