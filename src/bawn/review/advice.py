"""What would have to change for a call to be allowed: in words, and as the narrowest Cedar text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bawn.model import Ask
from bawn.policy import actions
from bawn.policy.rules import Rule
from bawn.review.explain import Examined, Explanation, role_of
from bawn.review.permits import exception, quoted, sparing


@dataclass(frozen=True, slots=True)
class Advice:
    """`steps` in words, one sentence each. `permit` is a statement to add, `unless` a clause by rule."""

    steps: tuple[str, ...]
    permit: str = ""
    unless: tuple[tuple[str, str], ...] = ()


def advise(explanation: Explanation) -> Advice:
    """What would let this call pass; without steps when nothing stands in its way."""
    steps: list[str] = []
    counted = [each for each in explanation.rules if not each.rule.shadow]
    for each in counted:
        steps += _mended(each)
    forbids = [
        each.rule
        for each in counted
        if each.matched and each.rule.effect == "forbid" and each.rule.consent is None
    ]
    clause = sparing(explanation.call.principal, explanation.item)
    for rule in forbids:
        steps.append(f"{_named(rule)} forbids it: take it back, or add `{clause}` to it")
    permit = ""
    if not any(each.matched and each.rule.effect == "permit" for each in counted):
        steps += (step for each in counted for step in _nearly(each))
        beside = actions.accompanying(explanation.call.method)
        methods = [beside] if beside else []
        permit = exception(explanation.call.principal, explanation.item, methods)
        steps.append("the narrowest statement that permits it is shown below")
    steps += (_asked(ask) for ask in explanation.verdict.asks)
    return Advice(tuple(steps), permit, tuple((rule.id, clause) for rule in forbids))


def _mended(each: Examined) -> Iterator[str]:
    for part in each.parts:
        if part.state == "error":
            guard = "guard it with `has` before it"
            yield f"{_named(each.rule)} cannot be evaluated ({part.detail}), which denies: {guard}"


def _nearly(each: Examined) -> Iterator[str]:
    """What a permit lacks by one part alone."""
    failing = each.failing
    if each.rule.effect != "permit" or len(failing) != 1 or failing[0].state != "fails":
        return
    (part,) = failing
    role = role_of(part)
    if role is not None:
        yield f"give the caller role {quoted(role)}: then {_named(each.rule)} permits it"
    else:
        yield f"{_named(each.rule)} would permit it, but for `{part.text}`"


def _asked(ask: Ask) -> str:
    who = [f"{ask.count} with role {' or '.join(sorted(ask.roles))}"] if ask.roles else []
    who += ["the caller itself"] if ask.confirm else []
    return (
        f"rule {ask.rule} asks for consent of {' or '.join(who)}: the first try makes a request that "
        "`bawn approvals list` shows, and `bawn approvals grant ID` grants"
    )


def _named(rule: Rule) -> str:
    return f"{rule.effect} {rule.id} at {rule.place}"
