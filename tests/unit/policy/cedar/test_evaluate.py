from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.model import Ask, Call
from bawn.policy.cedar.entities import World, action_facts
from bawn.policy.cedar.evaluate import Evaluator, Findings, Oracle, Verdict, combine
from bawn.policy.rules import Rule, RuleSet
from tests.unit.policy import house
from tests.unit.policy.house import call, item, rules, who

PERMIT = "permit(principal, action, resource);"
FORBID = "forbid(principal, action, resource);"
BROKEN = "permit(principal, action, resource) when { context.nope };"
BROKEN_FORBID = "forbid(principal, action, resource) when { context.arguments.nope == 1 };"


def judged(*found: Rule, asked: Call | None = None) -> Verdict:
    named = tuple(replace(rule, id=f"r{n}") for n, rule in enumerate(found))
    oracle = Oracle(
        RuleSet("v", named), {}, clock=lambda: house.NOON, touched=house.touched, within=300.0
    )
    return oracle.verdict(asked or call(who()), item())


# ── how rules combine ───────────────────────────────────────────────────────────────────────────


def test_deny_is_the_default() -> None:
    verdict = judged()
    assert not verdict.allowed
    assert (verdict.rule, verdict.reason) == ("nothing permits it", "policy.denied")


def test_a_permit_allows_and_is_named() -> None:
    verdict = judged(*rules("permit(principal, action, resource is Prompt);", PERMIT))
    assert verdict.allowed
    assert (verdict.rule, verdict.permits) == ("permit r1", ("r1",))


def test_a_forbid_outweighs_every_permit() -> None:
    verdict = judged(*rules(PERMIT, FORBID, PERMIT))
    assert not verdict.allowed
    assert (verdict.rule, verdict.reason) == ("forbid r1", "policy.denied")
    assert (verdict.permits, verdict.forbids) == (("r0", "r2"), ("r1",))


@pytest.mark.parametrize("broken", [BROKEN, BROKEN_FORBID])
@pytest.mark.parametrize("beside", [[PERMIT], [PERMIT, FORBID], []])
def test_a_rule_that_fails_denies_whatever_else_holds(broken: str, beside: list[str]) -> None:
    verdict = judged(*rules(*beside, broken))
    assert not verdict.allowed
    assert (verdict.rule, verdict.reason) == (f"error in r{len(beside)}", "policy.error")
    assert "nope" in verdict.errors[f"r{len(beside)}"]


def test_a_forbid_with_consent_asks() -> None:
    ask = house.asking(rules(FORBID)[0], "ops", "self")
    verdict = judged(ask, *rules(PERMIT))
    assert verdict.allowed
    assert verdict.asks == (Ask("r0", ask.consent.roles, True, 1, 60.0),) if ask.consent else False
    assert not judged(ask).allowed


def test_a_rule_that_does_not_say_how_long_has_the_time_configured() -> None:
    ask = house.asking(rules(FORBID)[0], "ops", within=None)
    assert judged(ask, *rules(PERMIT)).asks[0].within == 300.0


def test_consent_lifts_no_other_forbid() -> None:
    ask = house.asking(rules(FORBID)[0], "ops")
    verdict = judged(ask, *rules(PERMIT, FORBID))
    assert (verdict.allowed, verdict.asks, verdict.rule) == (False, (), "forbid r2")


# ── shadow ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("live", "shadow", "told"),
    [
        ([PERMIT], FORBID, "would deny (forbid s)"),
        ([], PERMIT, "would allow (permit s)"),
        ([FORBID], PERMIT, ""),
        ([PERMIT], PERMIT, ""),
        ([PERMIT], BROKEN_FORBID, "would deny (error in s)"),
        ([], BROKEN, ""),
    ],
)
def test_a_rule_in_shadow_is_told_of_and_counts_for_nothing(
    live: list[str], shadow: str, told: str
) -> None:
    oracle = Oracle(
        RuleSet("v", (*rules(*live), replace(rules(shadow)[0], id="s", shadow=True))), {},
        clock=lambda: house.NOON, touched=house.touched,
    )  # fmt: skip
    verdict, without = oracle.verdict(call(who()), item()), judged(*rules(*live))
    assert (verdict.allowed, verdict.rule, verdict.reason) == (
        without.allowed, without.rule, without.reason,
    )  # fmt: skip
    assert verdict.shadow == told
    assert verdict.decision.rule == verdict.rule + (f"; shadow: {told}" if told else "")


def test_an_ask_in_shadow_is_told_of() -> None:
    ask = replace(house.asking(rules(FORBID)[0], "ops"), shadow=True)
    verdict = judged(*rules(PERMIT), ask)
    assert (verdict.asks, verdict.shadow) == ((), "would ask (r1)")


# ── tenants, accompanying methods, what cannot be asked ─────────────────────────────────────────


def test_rules_of_a_tenant_are_for_its_callers_alone() -> None:
    rule = rules(PERMIT, tenant="acme")[0]
    assert judged(rule, asked=call(who(tenant="acme"))).allowed
    assert not judged(rule, asked=call(who())).allowed
    assert not judged(rule, asked=call(who(tenant="other"))).allowed


def test_what_accompanies_a_use_needs_both() -> None:
    use = 'permit(principal, action in Action::"tools/call", resource);'
    follow = 'permit(principal, action == Action::"tasks/get", resource);'
    asked = call(who(), method="tasks/get")
    assert judged(*rules(use, follow), asked=asked).allowed
    assert not judged(*rules(use), asked=asked).allowed
    assert not judged(*rules(follow), asked=asked).allowed


def test_what_cedar_cannot_be_asked_is_denied() -> None:
    asked = call(who("\ud800"))
    verdict = judged(*rules(PERMIT), asked=asked)
    assert not verdict.allowed
    assert verdict.reason == "policy.error"
    assert verdict.errors[""]


def test_groups_in_a_circle_are_denied() -> None:
    circle = tuple(
        {"uid": {"type": "Group", "id": a}, "attrs": {}, "parents": [{"type": "Group", "id": b}]}
        for a, b in ("gh", "hg")
    )
    ada = {"uid": {"type": "User", "id": "ada"}, "parents": [{"type": "Group", "id": "g"}]}
    found = RuleSet("v", tuple(rules(PERMIT)), (*circle, ada))
    oracle = Oracle(found, {}, clock=lambda: house.NOON, touched=house.touched)
    assert oracle.verdict(call(who()), item()).reason == "policy.error"
    assert oracle.verdict(call(who("eve")), item()).allowed


def test_a_policy_may_have_long_chains() -> None:
    many = " || ".join(f"context.arguments.n == {n}" for n in range(300))
    rule = rules(f"permit(principal, action, resource) when {{ {many} }};")[0]
    assert judged(rule, asked=call(who(), {"n": 299})).allowed
    assert not judged(rule, asked=call(who(), {"n": 300})).allowed


@given(st.text(max_size=20))
def test_ids_of_rules_may_be_any_text(name: str) -> None:
    rule = replace(rules(BROKEN)[0], id=name)
    evaluator = Evaluator([rule])
    world = World(RuleSet("v", ()), {}, {})
    found = evaluator.find(
        world.principal(who()), action_facts("tools/call"), world.item(item()), {}
    )
    assert list(combine([rule], found, 1.0).errors) == [name]


def test_findings_that_failed_deny_whatever_is_satisfied() -> None:
    verdict = combine(rules(PERMIT), Findings(frozenset({0}), {}, "no"), 1.0)
    assert (verdict.allowed, verdict.reason) == (False, "policy.error")
    assert msgspec.structs.asdict(verdict.decision)["asks"] == ()
