"""The detector of personal data: one scan, then check digits and what stands around a match."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Final, Literal, TypeAlias, get_args

from bawn.detectors.engine import Patterns
from bawn.detectors.personal.kinds import AROUND, JUDGES, SPOKEN_OF
from bawn.detectors.rule import Rule, load
from bawn.model import Detection, Surface
from bawn.ports.inspecting import Wanted

Kind: TypeAlias = Literal["card", "iban", "national-id", "email", "phone"]

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
_JOINS: Final = frozenset("_-./=@+&%")  # before a number: a part of something longer


class Personal:
    """Finds some kinds of personal data in raw and decoded texts."""

    id = "personal"
    surfaces = frozenset((Surface.ARGUMENT, Surface.OUTPUT))
    forms: Wanted = "raw"

    def __init__(self, kinds: Collection[Kind] = KINDS) -> None:
        wanted = tuple(f"personal/{kind}" for kind in kinds)
        rules = [rule for rule in load("personal") if rule.id.startswith(wanted)]
        self._rules = [rule for rule in rules for _ in rule.patterns]
        patterns = [pattern for rule in rules for pattern in rule.patterns]
        self._patterns = Patterns(patterns) if patterns else None
        self.triggers: Sequence[str] = tuple(
            trigger
            for rule in rules
            for trigger in rule.triggers or (each.removeprefix(r"\b") for each in rule.patterns)
        )

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """What is found in one form of a text, in the order of `start`; no two spans overlap."""
        found: list[Detection] = []
        for start, end, rule in self._matches(text):
            sure = _sure(rule, text, start, end)
            if sure and (not found or start >= found[-1].end):
                evidence = f"{rule.id}, {end - start} characters"
                found.append(Detection(rule.id, rule.grave, start, end, evidence, sure))
        return found

    def _matches(self, text: str) -> Iterator[tuple[int, int, Rule]]:
        if self._patterns is None:
            return
        data = text.encode("utf-8", "surrogatepass")
        offset = at = 0
        for match in self._patterns.find(data):
            at += len(data[offset : match.start].decode("utf-8", "surrogatepass"))
            offset = match.start
            length = len(data[match.start : match.end].decode("utf-8", "surrogatepass"))
            yield at, at + length, self._rules[match.pattern]


def _sure(rule: Rule, text: str, start: int, end: int) -> float:
    before = text[max(0, start - AROUND) : start]
    matched = text[start:end]
    joined = matched[0].isdigit() and before[-1:] in _JOINS and before[-1:] != "="
    spoken = SPOKEN_OF.get(rule.id)
    if joined or (spoken is not None and not spoken.search(before)):
        return 0.0
    return JUDGES[rule.id](matched, before)
