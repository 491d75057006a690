"""Why a call is decided as it is: every rule that mattered, part by part, and what would change it.

A rule is taken apart into its principal, action and resource and into conditions as small as can be;
each part is evaluated as a policy of its own, so that what is told of it is what Cedar says.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import cedarpy
import msgspec

from bawn.config import RoleRule
from bawn.model import Call, Item, Json, Label
from bawn.policy import actions
from bawn.policy.cedar.conditions import terms, whatever_the_arguments
from bawn.policy.cedar.context import Moment, Shape, context
from bawn.policy.cedar.entities import World, action_facts
from bawn.policy.cedar.evaluate import WITHIN, Evaluator, Findings, Verdict, combine, of_tenant
from bawn.policy.rules import Rule, RuleSet

State: TypeAlias = Literal["holds", "fails", "error", "not reached"]

_ALL: Final[Json] = {"op": "All"}
_OPEN: Final[Json] = {"principal": _ALL, "action": _ALL, "resource": _ALL, "conditions": []}
_SCOPE: Final = {
    "principal": ("permit(", ", action, resource);"),
    "action": ("permit(principal, ", ", resource);"),
    "resource": ("permit(principal, action, ", ");"),
}
_CONDITION: Final = "permit(principal, action, resource) "


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a rule: its Cedar text, and whether it holds for the call. `ast` is of it alone."""

    label: str  # principal, action, resource, when or unless
    text: str
    state: State
    ast: Json
    detail: str = ""  # what Cedar says of an error


@dataclass(frozen=True, slots=True)
class Examined:
    """A rule, and how each part of it stands."""

    rule: Rule
    parts: tuple[Part, ...]

    @property
    def matched(self) -> bool:
        """Whether the rule is satisfied."""
        return all(part.state == "holds" for part in self.parts)

    @property
    def failing(self) -> tuple[Part, ...]:
        """The parts that keep it from matching."""
        return tuple(part for part in self.parts if part.state != "holds")

    @property
    def mattered(self) -> bool:
        """Whether it is about this action and item at all, or failed."""
        if any(part.state == "error" for part in self.parts):
            return True
        return all(p.state == "holds" for p in self.parts if p.label in {"action", "resource"})


@dataclass(frozen=True, slots=True)
class Explanation:
    """A verdict with the rules that mattered; `others` counts those that did not.

    `action` is the one that was decided on last: a method that accompanies a use needs two to be allowed.
    """

    call: Call
    item: Item
    action: str
    verdict: Verdict
    rules: tuple[Examined, ...]
    others: int


class Explainer:
    """Explains calls by one set of rules. `roles` are the configured ones, `tenant_of` is by server."""

    def __init__(
        self,
        ruleset: RuleSet,
        roles: Mapping[str, RoleRule],
        *,
        within: float = WITHIN,
        tenant_of: Mapping[str, str] | None = None,
    ) -> None:
        self._world = World(ruleset, roles, tenant_of or {})
        self._rules = ruleset.rules
        self._within = within

    def explain(
        self, call: Call, item: Item, *, now: float, touched: frozenset[Label] = frozenset()
    ) -> Explanation:
        """Why this call is decided as it is."""
        facts = context(Moment(call, now, touched, Shape.of(item)))
        rules = of_tenant(self._rules, call.principal.tenant)
        own = actions.accompanying(call.method)
        action = actions.main(item)
        if own is not None:
            main = whatever_the_arguments(rules)
            use = combine(main, self._find(main, call, item, action, facts), self._within)
            rules, action = (rules, own) if use.allowed else (main, action)
        verdict = combine(rules, self._find(rules, call, item, action, facts), self._within)
        examined = tuple(self._examined(rules, call, item, action, facts))
        mattered = tuple(each for each in examined if each.mattered)
        others = len(examined) - len(mattered)
        return Explanation(call, item, action, verdict, mattered, others)

    def _find(
        self, rules: Sequence[Rule], call: Call, item: Item, action: str, facts: Json
    ) -> Findings:
        world = self._world
        return Evaluator(rules).find(
            world.principal(call.principal), action_facts(action), world.item(item), facts
        )

    def _examined(
        self, rules: Sequence[Rule], call: Call, item: Item, action: str, facts: Json
    ) -> Iterator[Examined]:
        """Every part of every rule, evaluated alone, in one go."""
        apart = [(rule, list(_parts(rule.ast))) for rule in rules]
        alone = [replace(rule, ast=ast) for rule, parts in apart for _, ast in parts]
        findings = self._find(alone, call, item, action, facts)
        number = 0
        for rule, parts in apart:
            judged: list[Part] = []
            for label, ast in parts:
                state, detail = _state(findings, number, judged)
                judged.append(Part(label, _text(label, ast), state, ast, detail))
                number += 1
            yield Examined(rule, tuple(judged))


def _parts(ast: Json) -> Iterator[tuple[str, Json]]:
    """The parts of a policy that say anything, each as a policy that says nothing else."""
    base: Json = {**_OPEN, "effect": "permit"}
    for name in _SCOPE:
        if ast[name] != _ALL:
            yield name, {**base, name: ast[name]}
    for term in terms(ast):
        yield term["kind"], {**base, "conditions": [term]}


def _state(findings: Findings, number: int, before: Sequence[Part]) -> tuple[State, str]:
    """What Cedar says of a part; an error counts only where Cedar would come to it."""
    if findings.failed:
        return "error", findings.failed
    if number in findings.errors:
        reached = all(part.state == "holds" for part in before)
        return ("error", findings.errors[number]) if reached else ("not reached", "")
    return ("holds" if number in findings.satisfied else "fails"), ""


def _text(label: str, ast: Json) -> str:
    """The part as Cedar writes it."""
    whole = {"staticPolicies": {"p": ast}, "templates": {}, "templateLinks": []}
    text = cedarpy.policies_from_json_str(msgspec.json.encode(whole).decode()).strip()
    if label in _SCOPE:
        begins, ends = _SCOPE[label]
        return text.removeprefix(begins).removesuffix(ends)
    return text.removeprefix(_CONDITION).removesuffix(";")


def role_of(part: Part) -> str | None:
    """The role that a caller lacks for this part to hold, if that is all that it asks for."""
    scope: Any = part.ast["principal"]
    match scope:
        case {"op": "in" | "==", "entity": {"type": "Role", "id": str(role)}}:
            return role
    for condition in part.ast["conditions"]:
        match condition:
            case {
                "kind": "when",
                "body": {
                    "in": {
                        "left": {"Var": "principal"},
                        "right": {"Value": {"__entity": {"type": "Role", "id": str(role)}}},
                    }
                },
            }:
                return role
            case {
                "kind": "when",
                "body": {
                    "contains": {
                        "left": {".": {"left": {"Var": "principal"}, "attr": "roles"}},
                        "right": {"Value": str(role)},
                    }
                },
            }:
                return role
    return None
