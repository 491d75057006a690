"""The detector of injections in what servers answer: rules for loud wordings, a model for the others."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from bawn.detectors.injection.opening import triggers
from bawn.detectors.injection.signs import about, signs
from bawn.detectors.injection.windows import Window, readable, windows
from bawn.detectors.linear import Linear, probability
from bawn.detectors.phrases import EVIDENCE, Phrases
from bawn.detectors.rule import load
from bawn.model import Detection, Severity, Surface
from bawn.ports.inspecting import Wanted

DIRECTIVE: Final = "output/directive"
"""What the model says is meant for the model that reads."""

MOST: Final = 64
"""Windows of one text that are scored; of more, those whose meanings weigh most."""

_MODEL: Final = "outputs"
_ALARM, _SURE = "alarm", "sure"  # thresholds of the model


class Injection:
    """Finds text of servers that speaks to the reader's model: tells it what to do, or who it is."""

    id: str = "output"
    surfaces = frozenset({Surface.OUTPUT})
    forms: Wanted = "folded"

    def __init__(self) -> None:
        self._phrases = Phrases(self.id, load(_MODEL))
        self.triggers: Sequence[str] = (*self._phrases.triggers, *triggers())

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """What is found in a folded text; only what is of medium severity and above is an alarm."""
        found = [*self._phrases.detect(text, surface), *_directives(readable(text))]
        return sorted(found, key=lambda each: (each.start, each.end))


def strongest(found: list[Window]) -> list[Window]:
    """Of the windows of a text as many as are scored."""
    if len(found) <= MOST:
        return found
    return sorted(found, key=_weight, reverse=True)[:MOST]


def _directives(text: str) -> list[Detection]:
    """Windows that raise an alarm; of those that overlap the worst."""
    model = _model()
    alarm = model.head.thresholds[_ALARM]
    scored = [(model.score("", signs(text, each)), each) for each in strongest(windows(text))]
    told: list[Detection] = []
    for score, window in sorted(scored, key=lambda each: -each[0]):
        if score < alarm:
            break
        if all(window.end <= each.start or each.end <= window.start for each in told):
            told.append(_told(text, window, score))
    return told


def _told(text: str, window: Window, score: float) -> Detection:
    cut = text[window.start : window.end]
    sure = score >= _model().head.thresholds[_SURE]
    return Detection(
        DIRECTIVE,
        Severity.HIGH if sure else Severity.MEDIUM,
        window.start + len(cut) - len(cut.lstrip()),
        window.end,
        cut.strip()[:EVIDENCE],
        round(probability(score), 3),
        "folded",
    )


def _weight(window: Window) -> float:
    return _model().score("", about(window))


@cache
def _model() -> Linear:
    return Linear.shipped(_MODEL)
