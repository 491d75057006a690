"""Rules that say what another one says already, or that another one always outweighs.

Only what is proven by comparing scopes is told: the wider rule has no conditions of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Final

from bawn.findings.finding import Finding
from bawn.model import Json
from bawn.policy import actions
from bawn.policy.cedar.conditions import terms
from bawn.policy.files import schema
from bawn.policy.rules import Rule

_SCOPE: Final = ("principal", "action", "resource")


def findings(rules: Sequence[Rule]) -> Iterator[Finding]:
    """Duplicates, rules that a wider one makes redundant, and permits that never count."""
    counting = [rule for rule in rules if not rule.shadow]
    seen: dict[str, Rule] = {}
    wide = [rule for rule in counting if not terms(rule.ast) and rule.consent is None]
    for rule in counting:
        first = seen.setdefault(_said(rule), rule)
        if first is not rule:
            yield _finding("policy/duplicate", rule, f"says the same as {_named(first)}")
            continue
        wider = next((each for each in wide if each is not rule and _wider(each, rule)), None)
        if wider is None:
            continue
        if wider.effect == rule.effect:
            yield _finding("policy/redundant", rule, f"{_named(wider)} says this and more")
        elif rule.effect == "permit":
            yield _finding(
                "policy/conflict", rule, f"{_named(wider)} forbids everything it permits"
            )


def _finding(kind: str, rule: Rule, message: str) -> Finding:
    fix = "Remove it, or narrow the other one." if kind != "policy/duplicate" else "Remove it."
    return Finding("warning", kind, rule.id, rule.file, rule.line, message, fix)


def _named(rule: Rule) -> str:
    return f"`{rule.id}`" if rule.id == rule.place else f"`{rule.id}` ({rule.place})"


def _said(rule: Rule) -> str:
    consent = rule.consent
    asked = (
        (sorted(consent.roles), consent.confirm, consent.count, consent.within) if consent else None
    )
    scope = [rule.ast[variable] for variable in _SCOPE]
    return json.dumps([rule.effect, rule.tenant, asked, scope, terms(rule.ast)], sort_keys=True)


def _wider(wide: Rule, narrow: Rule) -> bool:
    """Whether a rule without conditions is satisfied wherever the other one is."""
    if wide.tenant not in {"", narrow.tenant} or (
        wide.effect == "permit" and narrow.effect != "permit"
    ):
        return False
    return all(_covers(wide.ast[each], narrow.ast[each]) for each in _SCOPE)


def _covers(wide: Json, narrow: Json) -> bool:
    if wide["op"] == "All" or wide == narrow:
        return True
    type_ = wide.get("entity_type")
    if type_ is not None and "in" not in wide:
        exactly = narrow["entity"]["type"] if narrow["op"] == "==" else None
        return bool(type_ in {narrow.get("entity_type"), exactly})
    if wide["op"] == "in" and narrow["op"] in {"in", "=="}:
        around = _listed(wide)
        return all(any(_within(one, each) for each in around) for one in _listed(narrow))
    return False


def _listed(scope: Json) -> list[Json]:
    return [scope["entity"]] if "entity" in scope else list(scope["entities"])


def _within(one: Json, around: Json) -> bool:
    """Whether an entity is another one, or is in it by its name alone."""
    if one == around:
        return True
    if one["type"] == around["type"] == "Action":
        called = around["id"] == actions.CALL and str(one["id"]).startswith("call ")
        return called or bool(around["id"] == actions.USE)
    if around["type"] == "Server" and one["type"] in schema.ITEMS:
        return bool(one["id"].startswith(f"{around['id']}/"))
    return False
