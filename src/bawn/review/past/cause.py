"""What one recorded call came to: which rule and where it stands, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bawn.errors import POLICY_DENIED, REASONS
from bawn.policy import actions
from bawn.policy.rules import Rule
from bawn.review.past.recorded import Recorded
from bawn.review.permits import exception, sparing

_OBSERVED: Final = "observed: would deny ("
"""Begins the rule of a call that passed because policy is only observed."""

_ENDS: Final = {
    "ok": "the server answered",
    "error": "the server answered with an error",
    "cancelled": "the caller went away, or took it back",
    "input_required": "the server asked for more",
    "unknown": "it left, and it is not known how it ended",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What is known. `rule` is what was recorded of it, `places` where such rules stand now.

    `permit` is the statement that would allow it, `unless` the clause by which a forbid would spare it.
    """

    recorded: Recorded
    reason: str
    message: str
    fix: str
    rule: str
    places: tuple[Rule, ...] = ()
    permit: str = ""
    unless: str = ""


def cause_of(each: Recorded, rules: Sequence[Rule]) -> Cause:
    """Why a recorded call went as it did; `rules` are those in force now."""
    status = each.call.status
    reason = REASONS.get(status)
    sealed = each.call.sealed or {}
    rule = each.call.rule if each.left else str(sealed.get("detail", ""))
    message, fix = (reason.message, reason.fix) if reason else (_ENDS.get(status, ""), "")
    places, permit, unless = _named(rule, rules), "", ""
    denied = status == POLICY_DENIED.id or rule.startswith(_OBSERVED)
    if denied and each.principal is not None and each.item is not None:
        why = rule.removeprefix(_OBSERVED)
        if not why.startswith(("forbid ", "error in ")):
            beside = actions.accompanying(each.call.method)
            permit = exception(each.principal, each.item, [beside] if beside else [])
        elif any(found.effect == "forbid" for found in places):
            unless = sparing(each.principal, each.item)
    return Cause(each, status, message, fix, rule, places, permit, unless)


def _named(text: str, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that a recorded verdict names; an id may hold anything, so it is looked for whole."""
    return tuple(
        rule
        for rule in rules
        for said in (f"{rule.effect} {rule.id}", f"error in {rule.id}")
        if f"{said};" in f"{text};" or f"{said})" in text
    )
