"""The trust status of a server: an answer to each question, what of it still counts, and an order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from bawn.findings.evidence import DIMENSIONS, Dimension, Evidence, Verdict
from bawn.model import Json

DAY: Final = 86_400.0

BOUNDS: Final[Mapping[Dimension, float]] = {
    "publisher": 90 * DAY,
    "provenance": 90 * DAY,
    "signature": DAY,
    "pin": DAY,
    "scan": 7 * DAY,
    "vulnerabilities": 3 * DAY,
    "drift": DAY,
}
"""Seconds after which an answer counts no more."""

_LEEWAY: Final = 300.0  # seconds by which a clock may be ahead
_TOLD: Final = 20  # findings of one answer


class Status(msgspec.Struct, frozen=True):
    """The answers in the order of DIMENSIONS, each as it counts at the time `now`."""

    server: str
    evidence: tuple[Evidence, ...]
    now: float

    def of(self, verdict: Verdict) -> tuple[Dimension, ...]:
        """The questions with this answer."""
        return tuple(each.dimension for each in self.evidence if each.verdict == verdict)

    @property
    def order(self) -> tuple[int, int, str]:
        """Sorts those who need somebody first: most failed, then most unmeasured, then by name."""
        return -len(self.of("failed")), -len(self.of("unmeasured")), self.server

    @property
    def summary(self) -> str:
        """In a line: what failed, and how much is known."""
        failed, unmeasured = self.of("failed"), self.of("unmeasured")
        known = f"{len(self.of('verified'))} of {len(self.evidence)} verified"
        rest = f", {len(unmeasured)} unmeasured" if unmeasured else ""
        return f"FAILED {', '.join(failed)}; {known}{rest}" if failed else f"{known}{rest}"

    def json(self) -> Json:
        """For programs; ages in seconds, null for what was never looked at."""
        return {
            "server": self.server,
            "summary": self.summary,
            "failed": list(self.of("failed")),
            "unmeasured": list(self.of("unmeasured")),
            "dimensions": {each.dimension: self._answer(each) for each in self.evidence},
        }

    def age(self, evidence: Evidence) -> float | None:
        """How long ago it was looked at, in seconds; None for never."""
        return max(0.0, self.now - evidence.at) if evidence.at else None

    def _answer(self, evidence: Evidence) -> Json:
        return {
            "verdict": evidence.verdict,
            "detail": evidence.detail,
            "at": evidence.at or None,
            "age": self.age(evidence),
            "of": evidence.of,
            "findings": list(evidence.findings[:_TOLD]),
            "more": max(0, len(evidence.findings) - _TOLD),
        }


def status(
    server: str, known: Iterable[Evidence], current: Mapping[Dimension, str], now: float
) -> Status:
    """The status by what is known. `current` names what is served now, for the questions where that counts.

    Of several answers to one question the latest counts. What is about something else than what is served
    now, too old, or of the future counts as unmeasured, and says so.
    """
    latest: dict[Dimension, Evidence] = {}
    for each in known:
        if each.dimension not in latest or each.at >= latest[each.dimension].at:
            latest[each.dimension] = each
    told = []
    for dimension in DIMENSIONS:
        evidence = latest.get(dimension)
        if evidence is None:
            told.append(Evidence(dimension, "unmeasured", _NEVER[dimension], 0.0))
        else:
            told.append(_counted(evidence, current.get(dimension), now))
    return Status(server, tuple(told), now)


def words(seconds: float | None) -> str:
    """An age for people."""
    if seconds is None:
        return "never"
    for size, name in ((DAY, "d"), (3600.0, "h"), (60.0, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {name} ago"
    return "now"


_NEVER: Final[Mapping[Dimension, str]] = {
    "publisher": "nobody has looked who published it: `bawn server install` does",
    "provenance": "nobody has looked how it was built: `bawn server install` does",
    "signature": "there is no trust root",
    "pin": "nothing of it is on record yet",
    "scan": "it was never scanned: `bawn scan --config` does",
    "vulnerabilities": "never looked up: set `vulnerabilities.database`",
    "drift": "no gate has listed it",
}


def _counted(evidence: Evidence, current: str | None, now: float) -> Evidence:
    """The evidence as it counts now."""
    if evidence.verdict == "unmeasured":
        return evidence
    stale = ""
    if current is not None and evidence.of != current:
        stale = "that was something else than what is served now"
    elif evidence.at > now + _LEEWAY:
        stale = "that was by a clock that is ahead of this one"
    elif now - evidence.at > BOUNDS[evidence.dimension]:
        stale = f"that was {words(now - evidence.at)}, and counts no longer"
    if not stale:
        return evidence
    detail = f"was {evidence.verdict} ({evidence.detail}), but {stale}"
    return msgspec.structs.replace(evidence, verdict="unmeasured", detail=detail)
