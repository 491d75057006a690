"""How grave a vulnerability is, as its record says: by CVSS 3, else by the word of its database.

Source: FIRST, "CVSS v3.1 Specification Document", section 7 and appendix A. Vectors of version 4 are not
computed: their databases say in a word what they come to.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, Literal, TypeAlias

Severity: TypeAlias = Literal["critical", "high", "medium", "low", "unknown"]

SEVERITIES: Final[tuple[Severity, ...]] = ("critical", "high", "medium", "low", "unknown")
"""From the gravest on; what nobody has rated comes last."""

_WORDS: Final[Mapping[str, Severity]] = {
    "critical": "critical",
    "high": "high",
    "important": "high",
    "moderate": "medium",
    "medium": "medium",
    "low": "low",
}
_LONGEST: Final = 512

# The weights are those of section 7.4; PR has others where the scope changes.
_WEIGHTS: Final[Mapping[str, Mapping[str, float]]] = {
    "AV": {"N": 0.85, "A": 0.62, "L": 0.55, "P": 0.2},
    "AC": {"L": 0.77, "H": 0.44},
    "PR": {"N": 0.85, "L": 0.62, "H": 0.27},
    "UI": {"N": 0.85, "R": 0.62},
    "S": {"U": 0.0, "C": 1.0},
    "C": {"H": 0.56, "L": 0.22, "N": 0.0},
    "I": {"H": 0.56, "L": 0.22, "N": 0.0},
    "A": {"H": 0.56, "L": 0.22, "N": 0.0},
}
_PR_CHANGED: Final[Mapping[str, float]] = {"N": 0.85, "L": 0.68, "H": 0.5}


def base_score(vector: str) -> float | None:
    """The base score of a CVSS 3.0 or 3.1 vector; None when it is none."""
    head, *parts = vector[:_LONGEST].split("/")
    if head not in {"CVSS:3.0", "CVSS:3.1"} or len(vector) > _LONGEST:
        return None
    metrics = dict(part.split(":", 1) for part in parts if ":" in part)
    if len(metrics) != len(parts) or not all(
        metrics.get(name) in weights for name, weights in _WEIGHTS.items()
    ):
        return None
    return _score(metrics)


def _score(metrics: Mapping[str, str]) -> float:
    weight = {name: weights[metrics[name]] for name, weights in _WEIGHTS.items()}
    changed = metrics["S"] == "C"
    privileges = _PR_CHANGED[metrics["PR"]] if changed else weight["PR"]
    base = 1 - (1 - weight["C"]) * (1 - weight["I"]) * (1 - weight["A"])
    impact = 7.52 * (base - 0.029) - 3.25 * (base - 0.02) ** 15 if changed else 6.42 * base
    if impact <= 0:
        return 0.0
    ease = 8.22 * weight["AV"] * weight["AC"] * privileges * weight["UI"]
    return _round_up(min((1.08 if changed else 1.0) * (impact + ease), 10.0))


def _round_up(value: float) -> float:
    """The next tenth; in whole numbers, so that what floating point adds does not count (appendix A)."""
    whole = round(value * 100_000)
    return whole / 100_000 if whole % 10_000 == 0 else (whole // 10_000 + 1) / 10


def rating(score: float) -> Severity:
    """The word for a score (section 5); nothing is less than low, for it was thought worth a record."""
    if score >= 9.0:
        return "critical"
    if score >= 7.0:
        return "high"
    return "medium" if score >= 4.0 else "low"


def rated(
    vectors: object, words: Iterable[object], identifier: str
) -> tuple[Severity, float | None]:
    """The gravest severity that a record gives, and its score when there is one.

    `vectors` is `severity` of the record, `words` what its databases call it, in their order.
    """
    if identifier.startswith("MAL-"):
        return "critical", None  # the package is malware, and nobody scores that
    scores = list(_scores(vectors))
    if scores:
        return rating(max(scores)), max(scores)
    for word in words:
        if isinstance(word, str) and word.lower() in _WORDS:
            return _WORDS[word.lower()], None
    return "unknown", None


def gravest(severities: Iterable[Severity]) -> Severity:
    """The gravest of these; unknown when there are none."""
    return min(severities, key=SEVERITIES.index, default="unknown")


def _scores(vectors: object) -> Iterator[float]:
    for each in vectors if isinstance(vectors, list) else ():
        if isinstance(each, dict) and isinstance(each.get("score"), str):
            score = base_score(each["score"])
            if score is not None:
                yield score
