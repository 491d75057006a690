"""What people decide of changes and servers. A decision is of the definition that they were shown."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from bawn.pins.ledger import Ledger
from bawn.pins.record import Change, Hold, Key, Pin, Record, Vote


def approve(
    record: Record, seen: Mapping[Key, str], vote: Vote, needed: int, *, also: bool = False
) -> tuple[Record, tuple[Key, ...]]:
    """Add a vote for these changes; returns the record and what is approved now, by `needed` people.

    `seen` has the digest that the voter was shown of each: a change that is another by now gets no vote.
    Each person counts once. What is approved takes the place of what was; with `also` it stands beside it,
    for servers whose lists vary by credential. A rejected change may be approved after all.
    """
    ledger = Ledger(record)
    approved: list[Key] = []
    for change in _shown(ledger, seen):
        if any(each.who == vote.who for each in change.votes):
            continue
        votes = (*change.votes, vote)
        if len(votes) < needed:
            ledger.put(msgspec.structs.replace(change, votes=votes))
            continue
        ledger.pin(_pin(change, votes), also=also)
        ledger.forget(change.key)
        approved.append(change.key)
    return ledger.close(), tuple(approved)


def reject(record: Record, seen: Mapping[Key, str], who: str) -> tuple[Record, tuple[Key, ...]]:
    """Say no to these changes: they are not asked for again, and votes for them are gone.

    Returns the record and what is rejected now. `seen` is as for `approve`, `who` is shown to people.
    """
    ledger = Ledger(record)
    rejected: list[Key] = []
    for change in _shown(ledger, seen):
        if not change.rejected:
            ledger.put(msgspec.structs.replace(change, rejected=who, votes=()))
            rejected.append(change.key)
    return ledger.close(), tuple(rejected)


def hold(record: Record, hold: Hold) -> Record:
    """Put an item or the whole server into quarantine; who did so first stays on record."""
    ledger = Ledger(record)
    ledger.hold(hold)
    return ledger.close()


def release(record: Record, aspect: str, name: str) -> Record:
    """Take an item, or the whole server (WHOLE and no name), out of quarantine."""
    ledger = Ledger(record)
    ledger.release((aspect, name))
    return ledger.close()


def _shown(ledger: Ledger, seen: Mapping[Key, str]) -> list[Change]:
    """The changes on record that are still what was seen."""
    waiting = [ledger.waiting(key) for key in seen]
    return [each for each in waiting if each is not None and each.digest == seen[each.key] != ""]


def _pin(change: Change, votes: tuple[Vote, ...]) -> Pin:
    by = tuple(each.shown for each in votes)
    return Pin(change.aspect, change.name, change.digest, change.definition, votes[-1].at, by)
