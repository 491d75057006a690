"""What the model would reach on servers and wordings that it never saw: both are left out by turns."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import Final, TypeAlias

from training.definitions.fit import GROUPS, Fitted, fit
from training.definitions.sample import Sample

FOLDS: Final = 3
SHARES: Final[Mapping[str, float]] = {
    "description": 0.0006, "instructions": 0.0001, "parameter": 0.0002, "nested": 0.0001,
    "long name": 0.0001, "name": 0.0003, "long value": 0.0001, "value": 0.0002, "title": 0.0001,
    "called": 0.0001,
}  # fmt: skip
"""Of the tools of servers that were left out, those that each threshold may flag."""

FLOORS: Final[Mapping[str, float]] = {
    "description": 2.0, "instructions": 2.6, "parameter": 1.2, "nested": 0.8, "long name": 0.6,
    "name": 1.5, "long value": 0.3, "value": 1.5, "title": 0.1,
}  # fmt: skip
"""Where the corpus has few honest texts, no threshold is lower than this.

That of names was chosen on half of the held-back servers (docs/detection.md).
"""

PLAIN: Final[Mapping[str, float]] = {"instructions": 0.14, "title": 0.004}
"""Of the texts of our own that were left out, those that a threshold may flag, where the corpus has few."""

_FLOOR: Final = 0.5

Scores: TypeAlias = Mapping[str, tuple[float, str]]


@dataclass(frozen=True, slots=True)
class Left:
    """How samples scored with models that had not seen their group."""

    honest: list[tuple[Sample, Scores]]
    poison: list[tuple[Sample, Scores]]
    plain: list[tuple[Sample, Scores]]  # honest, and written to look like poison
    foreign: list[tuple[Sample, Scores]]  # by another author, whom no model saw


def left_out(
    honest: Sequence[Sample], poison: Sequence[Sample], plain: Sequence[Sample],
    foreign: Sequence[Sample], seed: int, strength: float,
) -> Left:  # fmt: skip
    """Cross-validation by server, and by family of wordings."""
    families = {each: turn % FOLDS for turn, each in enumerate(sorted({p.group for p in poison}))}
    found = Left([], [], [], [])
    for fold in range(FOLDS):
        seen = [each for each in (*honest, *plain) if _fold(each.group) != fold]
        seen += [each for each in poison if families[each.group] != fold]
        model = fit(seen, seed, strength)
        found.honest.extend(_scored(model, [each for each in honest if _fold(each.group) == fold]))
        found.plain.extend(_scored(model, [each for each in plain if _fold(each.group) == fold]))
        found.poison.extend(
            _scored(model, [each for each in poison if families[each.group] == fold])
        )
        found.foreign.extend(
            _scored(model, [each for each in foreign if _fold(each.texts[0]) == fold])
        )
    return found


def _scored(model: Fitted, some: Sequence[Sample]) -> list[tuple[Sample, Scores]]:
    return [(each, model.highest(each)) for each in some]


def _fold(group: str) -> int:
    return hashlib.sha256(group.encode()).digest()[0] % FOLDS


def thresholds(left: Left) -> dict[str, float]:
    """For each group of units the score above which the share of left-out tools is as allowed."""
    found: dict[str, float] = {}
    for group in GROUPS:
        at = _allowed(left.honest, group, SHARES[group], len(left.honest))
        if group in PLAIN:
            written = sum(group in scores for _, scores in left.plain)
            at = max(at, _allowed(left.plain, group, PLAIN[group], written))
        found[group] = ceil(1000 * max(at, FLOORS.get(group, _FLOOR))) / 1000
    return found


def _allowed(some: Sequence[tuple[Sample, Scores]], group: str, share: float, count: int) -> float:
    """The score of a group that no more than a share of so many samples is over."""
    scores = sorted((each[group][0] for _, each in some if group in each), reverse=True)
    allowed = int(share * count)
    return scores[allowed] if allowed < len(scores) else -99.0


def flags(scores: Scores, limits: Mapping[str, float]) -> bool:
    """Whether something is over its threshold."""
    return any(score > limits[group] for group, (score, _) in scores.items())


def recall(some: Sequence[tuple[Sample, Scores]], limits: Mapping[str, float]) -> dict[str, float]:
    """The share of samples that are flagged: of all, by style, by surface and style."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for sample, scores in some:
        if sample.places:
            hit = flags(scores, limits)
            for key in ("all", sample.style, f"{sample.surface}/{sample.style}"):
                counts[key][0] += hit
                counts[key][1] += 1
    return {key: round(hits / total, 4) for key, (hits, total) in sorted(counts.items())}
