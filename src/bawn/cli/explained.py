"""An explanation of a decision as text and as JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from bawn.cli.quoting import printable

if TYPE_CHECKING:
    from bawn.model import Json
    from bawn.review.advice import Advice
    from bawn.review.explain import Examined, Explanation

_MARKS: Final = {"holds": "+", "fails": "-", "error": "!", "not reached": " "}


def text(explanation: Explanation, advice: Advice) -> Iterator[str]:
    """Line by line: the verdict, each rule that mattered with its parts, and what would change it."""
    verdict = explanation.verdict
    word = ("ask" if verdict.asks else "allow") if verdict.allowed else "deny"
    yield f"{word}: {printable(verdict.decision.rule)}"
    for each in explanation.rules:
        yield from _rule(each)
    if explanation.others:
        yield f"  {explanation.others} more rules are about something else"
    for step in advice.steps:
        yield f"  > {printable(step)}"
    if advice.permit:
        yield f"      {printable(advice.permit)}"


def _rule(each: Examined) -> Iterator[str]:
    rule = each.rule
    kind = f"{'shadow ' if rule.shadow else ''}{rule.effect}"
    matched = "matches" if each.matched else "does not match"
    yield f"  {printable(rule.place)}: {kind} {printable(rule.id)} {matched}"
    for part in each.parts:
        detail = f"  ({part.detail})" if part.detail else ""
        yield f"    {_MARKS[part.state]} {printable(part.text)}{printable(detail)}"


def as_json(explanation: Explanation, advice: Advice) -> Json:
    """The same for programs."""
    verdict = explanation.verdict
    return {
        "action": explanation.action,
        "allowed": verdict.allowed,
        "rule": verdict.rule,
        "reason": "" if verdict.allowed else verdict.reason,
        "shadow": verdict.shadow,
        "asks": [
            {"rule": ask.rule, "roles": sorted(ask.roles), "self": ask.confirm, "count": ask.count}
            for ask in verdict.asks
        ],
        "rules": [
            {
                "id": each.rule.id, "place": each.rule.place, "effect": each.rule.effect,
                "shadow": each.rule.shadow, "matched": each.matched,
                "parts": [
                    {"part": part.label, "text": part.text, "state": part.state, "detail": part.detail}
                    for part in each.parts
                ],
            }
            for each in explanation.rules
        ],
        "others": explanation.others,
        "steps": list(advice.steps),
        "permit": advice.permit,
        "unless": dict(advice.unless),
    }  # fmt: skip
