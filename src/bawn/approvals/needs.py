"""Who may consent to what, and what is still wanting: the rules, without a store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from bawn.model import Ask, Principal
from bawn.storage.approvals import Vote

CALLER: Final = "the caller"


def served(asks: Sequence[Ask], decider: Principal, caller: str, subject: str) -> tuple[int, ...]:
    """The places of the asks that this person's consent counts for; none: it is not theirs to decide.

    `caller` is the key of who called and `subject` its subject: nobody consents to its own call but
    where an ask lets it, and by another token or from another issuer one stays who one is.
    """
    if decider.key == caller:
        return tuple(place for place, ask in enumerate(asks) if ask.confirm)
    if decider.subject == subject:
        return ()
    return tuple(place for place, ask in enumerate(asks) if decider.roles & ask.roles)


def missing(asks: Sequence[Ask], votes: Iterable[Vote]) -> tuple[int, ...]:
    """How many people each ask still needs."""
    left = [ask.count for ask in asks]
    for vote in votes:
        for place in vote.serves if vote.verdict == "grant" else ():
            left[place] -= 1
    return tuple(max(count, 0) for count in left)


def in_words(asks: Sequence[Ask], left: Sequence[int]) -> str:
    """What is still wanting, for people: "1 more of oncall"; empty when nothing is."""
    most: dict[str, int] = {}
    for ask, count in zip(asks, left, strict=True):
        who = " or ".join([*sorted(ask.roles), *([CALLER] if ask.confirm else [])])
        most[who] = max(count, most.get(who, 0))  # one person serves all asks of the same people
    return "; ".join(f"{count} more of {who}" for who, count in most.items() if count)
