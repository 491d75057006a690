"""What the record of a server says of its trust: who approved what serves, and whether it is still that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec

from bawn.findings.evidence import Evidence, Verdict
from bawn.pins.ledger import FIRST_USE
from bawn.pins.record import Change, Hold, Pin, Record
from bawn.pins.tree import root

_AUTOMATIC: Final = "automatic: "
_NAMED: Final = 3
_SHOWN: Final = 60  # characters of a name


def pin(record: Record | None, now: float) -> Evidence:
    """Whether everything that serves was approved by people, or by a lockfile that people reviewed."""
    if record is None or not record.pins:
        return Evidence("pin", "unmeasured", "nothing of it was approved yet", 0.0)
    unseen = [each for each in record.pins if _is_unseen(each)]
    ruled = [each for each in record.pins if any(by.startswith(_AUTOMATIC) for by in each.by)]
    waiting = [each for each in record.waiting if not each.rejected]
    count = len(record.pins)
    verdict: Verdict = "unmeasured"
    if len(unseen) == count:
        detail = "pinned on first use, reviewed by nobody"
    elif unseen:
        detail = f"{len(unseen)} of {count} pinned on first use, reviewed by nobody"
    elif ruled:
        detail = f"{len(ruled)} of {count} approved by rule (`drift.auto`), reviewed by nobody"
    elif waiting:
        detail = f"{_many(len(waiting), 'definition')} still to be reviewed"
    else:
        verdict, detail = "verified", f"{_many(count, 'definition')} approved by {_who(record)}"
    return Evidence("pin", verdict, detail, now, root(record.pins))


def drift(record: Record | None, now: float) -> Evidence:
    """Whether what a server lists is what was approved, by the record; `listed` says how old that is."""
    if record is None:
        return Evidence("drift", "unmeasured", "no gate has listed it", 0.0)
    of = root(record.pins)
    waiting = [each for each in record.waiting if not each.rejected]
    rejected = [each for each in record.waiting if each.rejected]
    lines = (*map(_change, record.waiting), *map(_hold, record.holds))
    told = []
    if waiting:
        told.append(f"{_many(len(waiting), 'change')} waiting ({_few(waiting)})")
    if record.holds:
        told.append(f"{_many(len(record.holds), 'quarantine')} in force")
    if told:
        return Evidence("drift", "failed", "; ".join(told), now, of, lines)
    detail = "what serves is what was approved"
    if rejected:  # whether it is still offered, the record does not say: it does not serve
        detail += f"; {_many(len(rejected), 'change')} rejected"
    return Evidence("drift", "verified", detail, now, of, lines)


def listed(evidence: Evidence, at: float) -> Evidence:
    """The answer on drift as of the time at which a gate last listed the server; 0 for none that tells."""
    if evidence.verdict != "verified":
        return evidence
    if not at:
        return Evidence("drift", "unmeasured", "no running gate has listed it", 0.0, evidence.of)
    return msgspec.structs.replace(evidence, at=at)


def _is_unseen(pin: Pin) -> bool:
    """Whether nobody looked at it. How a server is started is its owner's own writing."""
    return FIRST_USE in pin.by and pin.aspect != "launch"


def _who(record: Record) -> str:
    who = sorted({by for each in record.pins for by in each.by if by != FIRST_USE})
    shown = [by[:_SHOWN] for by in who[:_NAMED]]
    return ", ".join([*shown, *(["others"] if len(who) > _NAMED else [])]) or "the owner"


def _few(changes: Sequence[Change]) -> str:
    named = [f"{each.aspect} {each.name[:_SHOWN]}".strip() for each in changes[:_NAMED]]
    more = len(changes) - _NAMED
    return ", ".join([*named, *([f"{more} more"] if more > 0 else [])])


def _change(change: Change) -> str:
    what = f"rejected by {change.rejected}" if change.rejected else "waits for approval"
    return f"{change.aspect} {change.name} {what}"


def _hold(hold: Hold) -> str:
    return f"{hold.aspect} {hold.name} is in quarantine by {hold.by}"


def _many(count: int, what: str) -> str:
    return f"{count} {what}{'' if count == 1 else 's'}"
