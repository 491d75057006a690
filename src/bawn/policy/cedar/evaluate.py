"""The one place where rules combine into a verdict.

Everything that explains, tests or replays asks here, plainly and without caches:

    oracle = Oracle(ruleset, config.roles, clock=time.time, touched=lambda call: frozenset())
    verdict = oracle.verdict(call, item)

The engine answers the same, faster; a property test holds the two together. Where a decision denies
whatever the context, the engine stops there: then an error or a shadow rule that only the context
brings about is not told of.

Cedar is asked for each rule by itself, as a permit whatever its effect, so that its diagnostics name
every rule that is satisfied and every one that failed; how these combine is said in `combine` alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import cedarpy
import msgspec

from bawn.config import RoleRule
from bawn.errors import POLICY_DENIED, POLICY_ERROR
from bawn.model import Ask, Call, Decision, Item, Json, Label
from bawn.policy import actions
from bawn.policy.cedar.conditions import whatever_the_arguments, written
from bawn.policy.cedar.context import Moment, Shape, context
from bawn.policy.cedar.entities import Facts, World, action_facts, together
from bawn.policy.rules import Rule, RuleSet

WITHIN: Final = 900.0
"""Seconds in which consent may be given, where neither rule nor configuration says."""

_FAILED: Final = re.compile(r"error while evaluating policy `(\d+)`: (.*)", re.DOTALL)


class Verdict(msgspec.Struct, frozen=True):
    """What the rules say of one call, and which of them mattered.

    `permits` and `forbids` are the ids of satisfied rules, `errors` messages by the id of the rule that
    failed (an empty id: the question itself could not be put), shadow rules among all three. `shadow`
    tells what shadow rules would change, and is empty when they would change nothing.
    """

    allowed: bool
    rule: str
    asks: tuple[Ask, ...] = ()
    reason: str = POLICY_DENIED.id
    permits: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    errors: Mapping[str, str] = MappingProxyType({})
    shadow: str = ""

    @property
    def decision(self) -> Decision:
        """What the gateway acts on."""
        rule = f"{self.rule}; shadow: {self.shadow}" if self.shadow else self.rule
        return Decision(self.allowed, rule, self.asks, self.reason)


class Findings(msgspec.Struct, frozen=True):
    """Which rules are satisfied and which failed, by their place in a sequence of rules.

    `failed` is set when nothing could be evaluated at all.
    """

    satisfied: frozenset[int] = frozenset()
    errors: Mapping[int, str] = MappingProxyType({})
    failed: str = ""


class Evaluator:
    """A sequence of rules, parsed once.

    Raises:
        ValueError: an `ast` is not a static Cedar policy.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        static = {str(n): {**written(rule.ast), "effect": "permit"} for n, rule in enumerate(rules)}
        text = _json({"staticPolicies": static, "templates": {}, "templateLinks": []})
        self._policies = cedarpy.PolicySet.from_json_str(text)

    def find(
        self,
        principal: Facts,
        action: Facts,
        item: Facts,
        facts: Json,
        entities: cedarpy.Entities | None = None,
    ) -> Findings:
        """Evaluate every rule; `facts` is the context, `entities` what `known` made of the first three.

        Never raises: what cannot be asked has `failed`.
        """
        try:
            answer = cedarpy.is_authorized(
                {
                    "principal": principal.uid._asdict(),
                    "action": action.uid._asdict(),
                    "resource": item.uid._asdict(),
                    "context": _json(facts),
                },
                self._policies,
                entities or known(principal, action, item),
            )
            if answer.decision is cedarpy.Decision.NoDecision:
                return Findings(failed="; ".join(answer.diagnostics.errors) or "no decision")
            satisfied = frozenset(map(int, answer.diagnostics.reasons))
            return Findings(satisfied, _errors(answer.diagnostics.errors))
        except Exception as error:  # noqa: BLE001  # whatever it is, it denies
            return Findings(failed=f"{type(error).__name__}: {error}")


def known(principal: Facts, action: Facts, item: Facts) -> cedarpy.Entities:
    """All that policies can look at: the three, and what they are in.

    Raises:
        ValueError: Cedar cannot hold them.
    """
    return cedarpy.Entities.from_json_str(_json(together(principal, action, item)))


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _errors(texts: Iterable[str]) -> dict[int, str]:
    found: dict[int, str] = {}
    for text in texts:
        failed = _FAILED.fullmatch(text)
        if failed is None:
            raise ValueError(f"Cedar says: {text}")
        found[int(failed[1])] = failed[2]
    return found


def combine(rules: Sequence[Rule], findings: Findings, within: float) -> Verdict:
    """The verdict: errors deny, then forbids without consent, then the want of a permit.

    What is left is allowed, with one Ask for each satisfied forbid that has consent.
    """
    if findings.failed:
        errors: Mapping[str, str] = {"": findings.failed}
        return Verdict(False, "no rule could be evaluated", (), POLICY_ERROR.id, errors=errors)
    satisfied = [rules[n] for n in sorted(findings.satisfied)]
    failed = [rules[n] for n in sorted(findings.errors)]
    counted = _weighed(
        [rule for rule in satisfied if not rule.shadow],
        [rule for rule in failed if not rule.shadow],
        within,
    )
    return msgspec.structs.replace(
        counted,
        permits=tuple(rule.id for rule in satisfied if rule.effect == "permit"),
        forbids=tuple(rule.id for rule in satisfied if rule.effect == "forbid"),
        errors={rules[n].id: text for n, text in sorted(findings.errors.items())},
        shadow=_shadow(counted, satisfied, failed, within),
    )


def _weighed(satisfied: Sequence[Rule], failed: Sequence[Rule], within: float) -> Verdict:
    if failed:
        return Verdict(False, f"error in {failed[0].id}", (), POLICY_ERROR.id)
    asks = []
    for rule in satisfied:
        if rule.effect == "forbid":
            if rule.consent is None:
                return Verdict(False, f"forbid {rule.id}")
            asks.append(_ask(rule, within))
    for rule in satisfied:
        if rule.effect == "permit":
            return Verdict(True, f"permit {rule.id}", tuple(asks))
    return Verdict(False, "nothing permits it")


def _ask(rule: Rule, within: float) -> Ask:
    consent = rule.consent
    if consent is None:
        raise ValueError(f"{rule.id} has no consent")
    lasts = within if consent.within is None else consent.within
    return Ask(rule.id, consent.roles, consent.confirm, consent.count, lasts)


def _shadow(
    counted: Verdict, satisfied: Sequence[Rule], failed: Sequence[Rule], within: float
) -> str:
    if not any(rule.shadow for rule in (*satisfied, *failed)):
        return ""
    would = _weighed(satisfied, failed, within)
    if would.allowed != counted.allowed:
        return f"would {'allow' if would.allowed else 'deny'} ({would.rule})"
    more = [ask.rule for ask in would.asks if ask not in counted.asks]
    return f"would ask ({', '.join(more)})" if more else ""


def of_tenant(rules: Iterable[Rule], tenant: str) -> list[Rule]:
    """The rules that count for callers of a tenant."""
    return [rule for rule in rules if rule.tenant in {"", tenant}]


class Oracle:
    """Every rule evaluated on every call. `tenant_of` is by server; `roles` are the configured ones.

    Raises:
        ValueError: a rule is not a static Cedar policy.
    """

    def __init__(
        self,
        ruleset: RuleSet,
        roles: Mapping[str, RoleRule],
        *,
        clock: Callable[[], float],
        touched: Callable[[Call], frozenset[Label]],
        within: float = WITHIN,
        tenant_of: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self.world = World(ruleset, roles, tenant_of)
        self._rules = ruleset.rules
        self._clock = clock
        self._touched = touched
        self._within = within
        self._evaluators: dict[tuple[str, bool], Evaluator] = {}
        self._evaluator("", main_of_accompanying=False)

    def verdict(self, call: Call, item: Item) -> Verdict:
        """What the rules say of this call of this item.

        A method that only accompanies a use has none of its arguments. It needs that the use is
        allowed with some arguments, its asks aside, and that its own action is allowed.

        Raises:
            Refused: as `touched` says.
        """
        own = actions.accompanying(call.method)
        use = self._judged(call, item, actions.main(item), own is not None)
        if own is None or not use.allowed:
            return use
        return self._judged(call, item, own, False)

    def _judged(self, call: Call, item: Item, action: str, main_of_accompanying: bool) -> Verdict:
        evaluator = self._evaluator(
            call.principal.tenant, main_of_accompanying=main_of_accompanying
        )
        moment = Moment(call, self._clock(), self._touched(call), Shape.of(item))
        facts = context(moment)
        findings = evaluator.find(
            self.world.principal(call.principal), action_facts(action), self.world.item(item), facts
        )
        return combine(evaluator.rules, findings, self._within)

    def _evaluator(self, tenant: str, *, main_of_accompanying: bool) -> Evaluator:
        named = tenant if any(rule.tenant == tenant for rule in self._rules) else ""
        found = self._evaluators.get((named, main_of_accompanying))
        if found is None:
            rules = of_tenant(self._rules, named)
            if main_of_accompanying:
                rules = whatever_the_arguments(rules)
            found = self._evaluators[named, main_of_accompanying] = Evaluator(rules)
        return found
