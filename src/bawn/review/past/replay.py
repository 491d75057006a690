"""A candidate policy over recorded calls: what it would newly deny, allow or ask for.

The audit holds no arguments and no flows. A rule that looks at them is taken as far as it can be without
them; where that leaves more than one outcome possible, the call is undecided. That a rule could fail on
arguments is not foreseen here: `bawn policy check` tells of attributes that need not be there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from bawn.config import RoleRule
from bawn.model import Call, Item, Json, Principal
from bawn.policy import actions
from bawn.policy.cedar.conditions import before, whatever_the_arguments
from bawn.policy.cedar.context import PARTS, Moment, Shape, context
from bawn.policy.cedar.entities import World, action_facts
from bawn.policy.cedar.evaluate import WITHIN, Evaluator, Findings, Verdict, combine, of_tenant
from bawn.policy.cedar.scan import Scan
from bawn.policy.rules import Rule, RuleSet
from bawn.review.past.recorded import Outcome, Recorded
from bawn.review.trials.testing import outcome

Change: TypeAlias = Literal[
    "newly denied", "newly allowed", "newly asking", "undecided", "gone", "erased"
]

ORDER: Final[tuple[Change, ...]] = (
    "newly denied", "newly asking", "newly allowed", "undecided", "gone", "erased",
)  # fmt: skip
"""From what matters most to what least."""

_UNKNOWN: Final = ("arguments", "flow")
_TIME: Final = ("now", "hour", "weekday")


@dataclass(frozen=True, slots=True)
class Row:
    """Calls of one item by one principal that the candidate treats alike; `trace` is of the last one."""

    change: Change
    item: str
    who: str
    count: int
    rule: str
    trace: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What changed, the most important first. `others` were refused by something else than policy."""

    rows: tuple[Row, ...]
    calls: int
    unchanged: int
    others: int

    def count(self, change: Change) -> int:
        """How many calls changed so."""
        return sum(row.count for row in self.rows if row.change == change)


@dataclass(frozen=True, slots=True)
class Prospect:
    """What the candidate says of a call: the best and the worst that unknown facts can make of it."""

    best: Verdict
    worst: Verdict

    @property
    def outcomes(self) -> tuple[Outcome, ...]:
        """The one outcome, or the two between which it lies."""
        return tuple(dict.fromkeys((outcome(self.best), outcome(self.worst))))


def replay(
    seen: Iterable[Recorded],
    ruleset: RuleSet,
    roles: Mapping[str, RoleRule],
    *,
    within: float = WITHIN,
    tenant_of: Mapping[str, str] | None = None,
) -> Replay:
    """Judge recorded calls by another set of rules."""
    candidate = Candidate(ruleset, roles, within, tenant_of or {})
    rows: dict[tuple[Change, str, str, str], tuple[int, str]] = {}
    calls = unchanged = others = 0
    for each in seen:
        calls += 1
        if each.said is None:
            others += 1
            continue
        change, rule = _judged(candidate, each)
        if change is None:
            unchanged += 1
            continue
        who = each.principal.subject if each.principal else "erased"
        key = (change, each.name, who, rule)
        rows[key] = (rows.get(key, (0, ""))[0] + 1, each.call.trace)
    found = [Row(*key[:3], count, key[3], trace) for key, (count, trace) in rows.items()]
    found.sort(key=lambda row: (ORDER.index(row.change), row.item, row.who, row.rule))
    return Replay(tuple(found), calls, unchanged, others)


def _judged(candidate: Candidate, each: Recorded) -> tuple[Change | None, str]:
    if each.principal is None:
        return "erased", ""
    if each.item is None:
        return "gone", ""
    prospect = candidate.prospect(each, each.principal, each.item)
    outcomes, rule = prospect.outcomes, prospect.worst.rule
    if len(outcomes) > 1:
        return "undecided", f"{outcomes[0]} or {outcomes[1]}: {rule}"
    (came,) = outcomes
    if came == each.said:
        return None, rule
    if came == "ask":
        return "newly asking", ", ".join(ask.rule for ask in prospect.worst.asks)
    return ("newly denied" if came == "deny" else "newly allowed"), rule


class _Rules:
    """The rules of a tenant, each up to where it looks at what the audit does not hold."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        known = [before(rule, *_UNKNOWN) for rule in rules]
        self._open = frozenset(n for n, (_, cut) in enumerate(known) if cut)
        self._rules = tuple(rules)
        self._evaluator = Evaluator([rule for rule, _ in known])

    def prospect(
        self, world: World, call: Call, item: Item, action: str, facts: Json, within: float
    ) -> Prospect:
        """What these rules can come to for an action."""
        found = self._evaluator.find(
            world.principal(call.principal), action_facts(action), world.item(item), facts
        )
        maybe = found.satisfied & self._open
        sure = found.satisfied - maybe
        permits = {n for n in maybe if self._rules[n].effect == "permit"}

        def verdict(also: Iterable[int]) -> Verdict:
            return combine(
                self._rules, Findings(sure | frozenset(also), found.errors, found.failed), within
            )

        return Prospect(verdict(permits), verdict(maybe - permits))


class Candidate:
    """The candidate's rules, ready for many calls; equal questions are answered once."""

    def __init__(
        self,
        ruleset: RuleSet,
        roles: Mapping[str, RoleRule],
        within: float,
        tenant_of: Mapping[str, str],
    ) -> None:
        self._world = World(ruleset, roles, tenant_of)
        self._all = ruleset.rules
        self._within = within
        scan = Scan.of_policies(rule.ast for rule in ruleset.rules)
        self._timed = any(map(scan.looks_at, _TIME))
        self._rules: dict[tuple[str, bool], _Rules] = {}
        self._answers: dict[tuple[object, ...], Prospect] = {}

    def prospect(self, each: Recorded, principal: Principal, item: Item) -> Prospect:
        """What the candidate can say of this call."""
        at = each.call.at if self._timed else 0
        client = (each.client.name, each.client.version)
        key = (principal, item.key, each.call.method, each.call.endpoint, client, at)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = self._ask(each, principal, item)
        return found

    def _ask(self, each: Recorded, principal: Principal, item: Item) -> Prospect:
        recorded = each.call
        call = Call(
            0, recorded.method, {}, principal, recorded.endpoint, each.client, recorded.trace
        )
        moment = Moment(call, recorded.at / 1e9, frozenset(), Shape())
        facts = context(moment, PARTS - set(_UNKNOWN))
        own = actions.accompanying(call.method)
        use = self._of(principal.tenant, own is not None).prospect(
            self._world, call, item, actions.main(item), facts, self._within
        )
        if own is None or not use.best.allowed:
            return use
        beside = self._of(principal.tenant, False).prospect(
            self._world, call, item, own, facts, self._within
        )
        return replace(beside, worst=beside.worst if use.worst.allowed else use.worst)

    def _of(self, tenant: str, main: bool) -> _Rules:
        found = self._rules.get((tenant, main))
        if found is None:
            rules = of_tenant(self._all, tenant)
            rules = whatever_the_arguments(rules) if main else rules
            found = self._rules[tenant, main] = _Rules(rules)
        return found
