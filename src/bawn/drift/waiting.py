"""A server under review: what is on record of it, and its changes, each judged against what was approved last."""

from __future__ import annotations

from collections.abc import Iterable

from bawn.drift.cues import Names
from bawn.drift.report import as_json
from bawn.drift.verdict import Drift, judge
from bawn.model import Json
from bawn.pins.record import Aspect, Change, Key, Record
from bawn.pins.tree import root

_SPOKEN_OF: frozenset[Aspect] = frozenset(("tool", "prompt"))


def names_of(record: Record) -> frozenset[str]:
    """The approved names of a server's tools and prompts: what others may speak of."""
    return frozenset(pin.name for pin in record.pins if pin.aspect in _SPOKEN_OF)


class Review:
    """Judges the changes of one record. `foreign` are the names of other servers' items."""

    def __init__(self, record: Record, foreign: Iterable[str] = ()) -> None:
        self._own = names_of(record)
        self._all = self._own | {each.name for each in record.waiting if each.aspect in _SPOKEN_OF}
        self._foreign = frozenset(foreign) - self._own
        self._approved: dict[Key, Json] = {pin.key: pin.definition for pin in record.pins}

    def drift(self, change: Change) -> Drift:
        """What a change means."""
        names = Names(self._all - {change.name}, self._foreign)
        return judge(self._approved.get(change.key), change.definition, change.aspect, names)


def change_as_json(change: Change, drift: Drift, needed: int) -> Json:
    """A change that waits, for programs; times in seconds since the epoch."""
    return {
        "aspect": change.aspect,
        "name": change.name,
        "digest": change.digest,
        "found": change.found,
        "rejected": change.rejected,
        "votes": [{"who": vote.shown, "at": vote.at} for vote in change.votes],
        "needed": max(0, needed - len(change.votes)),
        "drift": as_json(drift),
    }


def summary(record: Record) -> Json:
    """What is on record of a server, in figures; `root` is the Merkle root of its pins."""
    rejected = sum(bool(each.rejected) for each in record.waiting)
    return {
        "server": record.server,
        "first": record.first,
        "revision": record.revision,
        "root": root(record.pins),
        "counts": {
            "pins": len(record.pins),
            "waiting": len(record.waiting) - rejected,
            "rejected": rejected,
            "holds": len(record.holds),
        },
    }


def contents(record: Record) -> Json:
    """What is approved and what is in quarantine, without the definitions."""
    pins = [
        {
            "aspect": pin.aspect,
            "name": pin.name,
            "digest": pin.digest,
            "approved": pin.approved,
            "by": list(pin.by),
        }
        for pin in record.pins
    ]
    holds = [
        {
            "aspect": each.aspect,
            "name": each.name,
            "since": each.since,
            "by": each.by,
            "why": each.why,
        }
        for each in record.holds
    ]
    return {"pins": pins, "holds": holds}
