"""What the callers of a drill saw: counts, and how long it took until all was well again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import quantiles
from typing import Any

from bawn.drill.probes import Attempt, Callers, Fate, errors


@dataclass(frozen=True, slots=True)
class Measured:
    """What callers saw of one fault. Times are milliseconds after it; None is never.

    `first` is the first answer to a call begun afterwards, `all` when every caller had one,
    `processes` when a new process stood in place of the old one.
    """

    fault: str
    did: str
    done: bool
    calls: int = 0
    answered: int = 0
    errors: dict[str, int] = field(default_factory=dict)
    resets: int = 0
    unanswered: int = 0
    p99: float = 0.0
    slowest: float = 0.0
    first: float | None = None
    all: float | None = None
    processes: float | None = None

    def fine(self, within: float) -> bool:
        """Whether every call came to something and all was well again within so many seconds."""
        if not self.done:
            return True
        times = (self.first, self.all, self.processes)
        return not self.unanswered and all(t is not None and t <= within * 1e3 for t in times)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return asdict(self)


def recovered(callers: Callers, struck: float) -> float | None:
    """When the last of the callers had an answer to a call that it began after the fault."""
    first: dict[int, float] = {}
    for attempt in callers.since(struck):
        if attempt.began >= struck and attempt.fate is Fate.ANSWERED:
            first.setdefault(attempt.caller, attempt.ended)
    return max(first.values()) if len(first) == callers.number else None


def measured(
    fault: str, did: str, processes: float | None, callers: Callers, struck: float
) -> Measured:
    """What callers saw of a fault that was done at the moment `struck`."""
    seen = callers.since(struck)
    fates = [attempt.fate for attempt in seen]
    took = sorted(attempt.ended - attempt.began for attempt in seen)
    everybody = recovered(callers, struck)
    return Measured(
        fault,
        did,
        done=True,
        calls=len(seen),
        answered=fates.count(Fate.ANSWERED),
        errors=errors(seen),
        resets=fates.count(Fate.RESET),
        unanswered=fates.count(Fate.UNANSWERED),
        p99=(quantiles(took, n=100, method="inclusive")[98] if len(took) > 1 else sum(took)) * 1e3,
        slowest=max(took, default=0.0) * 1e3,
        first=_first(seen, struck),
        all=None if everybody is None else (everybody - struck) * 1e3,
        processes=processes,
    )


def _first(seen: Sequence[Attempt], struck: float) -> float | None:
    good = [a.ended for a in seen if a.began >= struck and a.fate is Fate.ANSWERED]
    return (min(good) - struck) * 1e3 if good else None
