"""What can be said before the context is known, and what is left to evaluate once it is.

Cedar's own partial evaluation is experimental and slow; this needs neither. The rules are evaluated as
far as they do not look at the context: of those that hold to there and look further, the rest stays open,
unless a later term that does not look at it is false anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Final

import cedarpy
import msgspec

from bawn.model import Decision, Json
from bawn.policy.cedar.classes import Classes
from bawn.policy.cedar.conditions import by_context, despite_context
from bawn.policy.cedar.context import PARTS
from bawn.policy.cedar.entities import Facts
from bawn.policy.cedar.evaluate import Evaluator, Findings, Verdict, combine
from bawn.policy.cedar.scan import Scan
from bawn.policy.cedar.uids import Uid, uid
from bawn.policy.rules import Rule

_SELECTIONS: Final = 1024


class Outcome(msgspec.Struct, frozen=True):
    """What is settled of one kind of call. `decision` is None while the `left` rules are open.

    `possible` is whether any context could make it allowed.
    """

    decision: Decision | None
    possible: bool
    findings: Findings
    left: tuple[int, ...]


class Left:
    """What stays open of rules, ready to evaluate, and which parts of the context it looks at.

    `looked` are the arguments that it names; None: any.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        scan = Scan.of_policies(rule.ast for rule in rules)
        self.parts = frozenset(part for part in PARTS if scan.looks_at(part))
        self.looked = scan.of_arguments
        self.evaluator = Evaluator(rules)


class Beginnings:
    """The first parts of rules. Those whose scope names one entity are only evaluated where it is met.

    So a new class of callers costs what the rules about each item cost, and not all of them each time.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        anywhere: list[int] = []
        self._of: dict[Uid, list[int]] = {}
        for n, rule in enumerate(rules):
            named = _named(rule.ast)
            (anywhere if named is None else self._of.setdefault(named, [])).append(n)
        self._anywhere = tuple(anywhere)
        # evaluated apart from the named ones: sets of both would hold these many times
        self._everywhere = self._evaluator_of(self._anywhere)
        self._some: dict[tuple[int, ...], Evaluator] = {}

    def find(self, principal: Facts, action: Facts, item: Facts) -> Findings:
        """What holds of these, by the place of each rule."""
        asked = (principal, action, item)
        found = _placed(self._anywhere, self._everywhere.find(*asked, {}))
        met = tuple(sorted(n for facts in asked for n in self._of.get(facts.uid, ())))
        if not met:
            return found
        more = _placed(met, self._evaluator(met).find(*asked, {}))
        return Findings(
            found.satisfied | more.satisfied,
            {**found.errors, **more.errors},
            found.failed or more.failed,
        )

    def _evaluator(self, places: tuple[int, ...]) -> Evaluator:
        found = self._some.get(places)
        if found is None:
            if len(self._some) >= _SELECTIONS:
                self._some.clear()
            found = self._some[places] = self._evaluator_of(places)
        return found

    def _evaluator_of(self, places: Sequence[int]) -> Evaluator:
        return Evaluator([self._rules[n] for n in places])


def _placed(places: Sequence[int], found: Findings) -> Findings:
    """What was found of some rules, by their places among all."""
    return Findings(
        frozenset(places[n] for n in found.satisfied),
        {places[n]: text for n, text in found.errors.items()},
        found.failed,
    )


def _named(ast: Json) -> Uid | None:
    """The entity that a rule's scope says one of the three is, if there is such."""
    for variable in ("resource", "action", "principal"):
        match ast.get(variable):
            case {"op": "==", "entity": named}:
                return uid(named)
    return None


class Settling:
    """Rules that are all evaluated together.

    Raises:
        ValueError: a rule is not a static Cedar policy.
    """

    def __init__(self, rules: Sequence[Rule], grants: frozenset[str], within: float) -> None:
        self._rules = tuple(rules)
        self._within = within
        halves = [by_context(rule) for rule in rules]
        self._beginnings = Beginnings([before for before, _ in halves])
        self._endings = {n: after for n, (_, after) in enumerate(halves) if after is not None}
        self._selections: dict[tuple[int, ...], Left] = {}
        despite = {n: found for n in self._endings if (found := despite_context(rules[n]))}
        self._despite = tuple(despite)
        self._further = Evaluator(list(despite.values())) if despite else None
        told = [before.ast for before, _ in halves] + [rule.ast for rule in despite.values()]
        self.classes = Classes(told, grants)
        self.uses_flow = Scan.of_policies(rule.ast for rule in rules).looks_at("flow")
        Evaluator(rules)  # what could not be parsed later must not be accepted now

    def outcome(self, principal: Facts, action: Facts, item: Facts) -> Outcome:
        """What is settled; the same for equal classes."""
        found = self._beginnings.find(principal, action, item)
        findings = Findings(found.satisfied - self._endings.keys(), found.errors, found.failed)
        open_ = found.satisfied & self._endings.keys()
        left = tuple(sorted(open_ - self._settled_further(open_, principal, action, item)))
        verdict = combine(self._rules, findings, self._within)
        possible = verdict.allowed or self._may_turn(verdict, findings, left)
        settled = not left or not possible
        return Outcome(verdict.decision if settled else None, possible, findings, left)

    def _settled_further(
        self, open_: AbstractSet[int], principal: Facts, action: Facts, item: Facts
    ) -> frozenset[int]:
        """Those of the open rules that a later term keeps from being satisfied, whatever the context."""
        if self._further is None or open_.isdisjoint(self._despite):
            return frozenset()
        found = self._further.find(principal, action, item, {})
        if found.failed:
            return frozenset()
        undecided = found.satisfied | found.errors.keys()
        return frozenset(n for place, n in enumerate(self._despite) if place not in undecided)

    def _may_turn(self, verdict: Verdict, findings: Findings, left: Sequence[int]) -> bool:
        """Whether open rules could allow what the settled ones alone do not."""
        live = [self._rules[n] for n in findings.satisfied if not self._rules[n].shadow]
        failed = findings.failed or any(not self._rules[n].shadow for n in findings.errors)
        stopped = any(rule.effect == "forbid" and rule.consent is None for rule in live)
        if failed or stopped or verdict.allowed:
            return verdict.allowed
        opening = (self._rules[n] for n in left)
        return any(rule.effect == "permit" and not rule.shadow for rule in opening)

    def left(self, outcome: Outcome) -> Left:
        """The rules that an outcome leaves open."""
        found = self._selections.get(outcome.left)
        if found is None:
            if len(self._selections) >= _SELECTIONS:
                self._selections.clear()
            found = Left([self._endings[n] for n in outcome.left])
            self._selections[outcome.left] = found
        return found

    def decide(
        self,
        outcome: Outcome,
        principal: Facts,
        action: Facts,
        item: Facts,
        facts: Json,
        entities: cedarpy.Entities,
    ) -> Decision:
        """The decision of one call, whose context is `facts`."""
        evaluator = self.left(outcome).evaluator
        found = evaluator.find(principal, action, item, facts, entities)
        satisfied = frozenset(outcome.left[n] for n in found.satisfied)
        errors = {outcome.left[n]: text for n, text in found.errors.items()}
        settled = outcome.findings
        findings = Findings(
            settled.satisfied | satisfied, {**settled.errors, **errors}, found.failed
        )
        return combine(self._rules, findings, self._within).decision
