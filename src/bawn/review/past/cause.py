"""What one recorded call came to: which rule and where it stands, why, and what to do about it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bawn.errors import POLICY_DENIED, REASONS
from bawn.policy import actions
from bawn.policy.rules import Rule
from bawn.review.exemptions import Exemption, exemptions
from bawn.review.past.inspected import Finding, in_refusal
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
    `found` is what the inspection found in it, `exempt` the settings by which that would pass.
    """

    recorded: Recorded
    reason: str
    message: str
    fix: str
    rule: str
    places: tuple[Rule, ...] = ()
    permit: str = ""
    unless: str = ""
    found: tuple[Finding, ...] = ()
    exempt: tuple[Exemption, ...] = ()


def cause_of(each: Recorded, rules: Sequence[Rule], found: Sequence[Finding] = ()) -> Cause:
    """Why a recorded call went as it did; `rules` are those in force now, `found` what was found in it."""
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
    refused = in_refusal(status, rule)
    told = ((refused,) if refused else ()) + tuple(found)
    rule = "" if refused else rule
    return Cause(
        each, status, message, fix, rule, places, permit, unless, told, _exempt(each, told)
    )


def _exempt(each: Recorded, found: Sequence[Finding]) -> tuple[Exemption, ...]:
    """The settings by which what was stopped would pass, each once."""
    if each.item is None:
        return ()
    at = each.call.at / 1e9
    several = (
        one
        for finding in found
        if finding.stopped
        for one in exemptions(finding.rule, finding.place, each.item, at)
    )
    return tuple({str(one): one for one in several}.values())


def _named(text: str, rules: Sequence[Rule]) -> tuple[Rule, ...]:
    """The rules that a recorded verdict names; an id may hold anything, so it is looked for whole."""
    return tuple(
        rule
        for rule in rules
        for said in (f"{rule.effect} {rule.id}", f"error in {rule.id}")
        if f"{said};" in f"{text};" or f"{said})" in text
    )
