"""Detectors made of rules: patterns over the folded form of a text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bawn.detectors.engine import Patterns
from bawn.detectors.rule import Rule
from bawn.model import Detection, Surface
from bawn.ports.inspecting import Wanted

EVIDENCE: Final = 160
"""Characters of evidence."""

_GAP: Final = r'(?:[^a-z]|\\[nrt]){1,16}(?:[a-z_][\w .-]{0,31}"\s?:\s?")?'
"""What may stand for a blank of a pattern in a message as it is sent: also the next field's name."""


class Phrases:
    """Finds what rules describe. A rule's triggers follow from its patterns, unless it has its own."""

    forms: Wanted = "folded"

    def __init__(self, id: str, rules: Sequence[Rule], *, exact: bool = True) -> None:  # noqa: A002
        """Without `exact`, a finding begins with the sentence that it ends in: quicker to make."""
        self.id = id
        self._exact = exact
        self.surfaces = frozenset(surface for rule in rules for surface in rule.surfaces)
        self.triggers: Sequence[str] = tuple(
            trigger for rule in rules for trigger in rule.triggers or map(_trigger, rule.patterns)
        )
        self._rules = [rule for rule in rules for _ in rule.patterns]
        patterns = [pattern for rule in rules for pattern in rule.patterns]
        self._patterns = Patterns(patterns, starts=exact)

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """What is found in a folded text."""
        data = text.encode("utf-8", "replace")
        offset, at = 0, 0
        found: list[Detection] = []
        for match in self._patterns.find(data):
            rule = self._rules[match.pattern]
            if surface not in rule.surfaces:
                continue
            at += len(data[offset : match.start].decode("utf-8", "ignore"))
            offset = match.start
            end = at + len(data[offset : match.end].decode("utf-8", "ignore"))
            start = at if self._exact else _sentence(text, end)
            found.append(
                Detection(
                    rule.id,
                    rule.grave,
                    start,
                    end,
                    text[start:end][:EVIDENCE],
                    rule.confidence,
                    "folded",
                )
            )
        return found if self._exact else sorted(found, key=lambda each: (each.start, each.end))


def _sentence(text: str, end: int) -> int:
    """Where the sentence begins that ends there or goes on."""
    least = max(0, end - EVIDENCE)
    stop = text.rfind(". ", least, end - 1)
    return least if stop < 0 else stop + 2


def _trigger(pattern: str) -> str:
    return pattern.replace(" ", _GAP)
