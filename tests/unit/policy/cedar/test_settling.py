from __future__ import annotations

from dataclasses import replace

import pytest

from bawn.policy.actions import main
from bawn.policy.cedar import settling
from bawn.policy.cedar.entities import World, action_facts
from bawn.policy.cedar.evaluate import Evaluator, known
from bawn.policy.cedar.settling import Beginnings, Outcome, Settling
from bawn.policy.rules import Rule, RuleSet
from tests.unit.policy.house import asking, item, rules, who

WORLD = World(RuleSet("v", ()), {}, {})
WHAT = (WORLD.principal(who("ada", "dev")), action_facts("call files/read"), WORLD.item(item()))
PERMIT = "permit(principal, action, resource);"
FORBID = "forbid(principal, action, resource);"
LATER = " when { context.hour > 1 };"


def settled(*given: Rule) -> Outcome:
    return Settling(given, frozenset(), 300.0).outcome(*WHAT)


def test_what_no_context_changes_is_decided() -> None:
    outcome = settled(*rules(PERMIT, 'forbid(principal in Role::"ops", action, resource)' + LATER))
    assert outcome.decision is not None
    assert outcome.decision.allowed
    assert outcome.left == ()


def test_what_holds_so_far_and_looks_further_stays_open() -> None:
    outcome = settled(*rules(PERMIT, FORBID[:-1] + LATER, PERMIT[:-1] + LATER))
    assert (outcome.decision, outcome.possible, outcome.left) == (None, True, (1, 2))


def test_a_forbid_that_holds_leaves_nothing_to_ask() -> None:
    outcome = settled(*rules(FORBID, PERMIT[:-1] + LATER))
    assert outcome.decision is not None
    assert not outcome.possible


def test_without_a_permit_that_could_hold_nothing_is_possible() -> None:
    shadow = [replace(rule, shadow=True) for rule in rules(PERMIT[:-1] + LATER)]
    assert not settled(*rules(FORBID[:-1] + LATER)).possible
    assert not settled(*shadow).possible
    assert settled(*rules(PERMIT[:-1] + LATER)).possible


def test_consent_and_shadow_leave_it_possible() -> None:
    forbid = rules(FORBID)[0]
    for lenient in (asking(forbid, "ops"), replace(forbid, shadow=True)):
        assert settled(replace(lenient, id="f"), *rules(PERMIT)).possible
        assert settled(replace(lenient, id="f"), *rules(PERMIT[:-1] + LATER)).possible


def test_a_rule_that_fails_whatever_the_context_settles_it() -> None:
    broken = "forbid(principal, action, resource) when { principal.nope && context.hour > 1 };"
    outcome = settled(*rules(PERMIT, broken))
    assert outcome.decision is not None
    assert (outcome.possible, outcome.decision.reason) == (False, "policy.error")


def test_what_is_left_is_evaluated_with_what_is_settled() -> None:
    made = Settling(rules(PERMIT, FORBID[:-1] + LATER), frozenset(), 300.0)
    outcome = made.outcome(*WHAT)
    assert made.left(outcome).parts == {"hour"}
    entities = known(*WHAT)
    at = [made.decide(outcome, *WHAT, {"hour": hour}, entities).rule for hour in (1, 2)]
    assert at == ["permit r0", "forbid r1"]
    assert made.decide(outcome, *WHAT, {}, entities).reason == "policy.error"


def test_selections_of_rules_are_kept_and_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_SELECTIONS", 2)
    made = Settling(rules(*[PERMIT[:-1] + LATER] * 4), frozenset(), 300.0)
    outcome = made.outcome(*WHAT)
    assert made.left(outcome) is made.left(outcome)
    for n in range(4):
        made.left(Outcome(None, True, outcome.findings, (n,)))
        assert len(made._selections) <= 2


def test_a_later_term_that_is_false_settles_a_rule_and_one_that_fails_does_not() -> None:
    flow = "forbid(principal, action, resource) when { context.flow.private && %s };"
    for later, open_ in (
        ('resource.labels.contains("no such label")', False),
        ("resource.nothing", True),
        ("resource has labels", True),
        ('context.arguments.x == 1 && resource.labels.contains("no such label")', True),
    ):
        outcome = settled(*rules(PERMIT, flow % later))
        assert (outcome.decision is None) == open_, later
        assert outcome.possible


def test_rules_that_name_what_is_not_met_are_left_alone_and_the_others_keep_their_places() -> None:
    texts = [
        *(f'permit(principal, action, resource == Tool::"files/t{n}");' for n in range(20)),
        'forbid(principal == User::"eve", action, resource);',
        "permit(principal, action, resource) when { principal.missing == 1 };",
        'permit(principal, action == Action::"call files/read", resource);',
        'permit(principal, action, resource == Tool::"files/read");',
        "permit(principal, action, resource);",
    ]
    beginnings, every = Beginnings(rules(*texts)), Evaluator(rules(*texts))
    for caller in (who(), who("eve")):
        for about in (item(), item("t3"), item("none"), item("read", "mail")):
            asked = (WORLD.principal(caller), action_facts(main(about)), WORLD.item(about))
            assert beginnings.find(*asked) == every.find(*asked, {})
