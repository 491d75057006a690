from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.model import Call, Item, Kind, Label
from bawn.policy import engine as engine_module
from bawn.policy.cedar.classes import Classes
from bawn.policy.cedar.evaluate import Oracle
from bawn.policy.cedar.settling import Settling
from bawn.policy.engine import CedarEngine
from bawn.policy.rules import RuleSet
from tests.unit.policy import house
from tests.unit.policy.house import call, item, ruleset, view, who

ALL = "permit(principal, action, resource);"


def made(
    given: RuleSet, *items: Item, touched: Callable[[Call], frozenset[Label]] = house.touched
) -> CedarEngine:
    engine = CedarEngine(
        given,
        {},
        clock=lambda: house.NOON,
        touched=touched,
        within=300.0,
        tenant_of=house.TENANT_OF,
    )
    engine.swap(view(*items))
    return engine


def oracle(given: RuleSet) -> Oracle:
    return Oracle(
        given, {}, clock=lambda: house.NOON, touched=house.touched, within=300.0,
        tenant_of=house.TENANT_OF,
    )  # fmt: skip


# ── the engine and the oracle ───────────────────────────────────────────────────────────────────


@settings(max_examples=150, deadline=None)
@given(house.rulesets, st.data())
def test_what_is_cached_is_what_every_rule_evaluated_anew_says(
    given: RuleSet, data: st.DataObject
) -> None:
    engine, plain = made(given, *house.ITEMS[:4]), oracle(given)
    calls = st.tuples(
        st.sampled_from(house.PRINCIPALS), st.sampled_from(house.ITEMS), house.arguments,
        st.sampled_from([None, None, None, *house.ACCOMPANYING]),
    )  # fmt: skip
    for principal, target, arguments, method in data.draw(st.lists(calls, min_size=4, max_size=12)):
        asked = call(principal, arguments, method or house.MAIN[target.kind])
        decision, verdict = engine.decide(asked, target), plain.verdict(asked, target)
        possible = engine.may(principal, target)
        if decision.allowed or verdict.allowed or (possible and method is None):
            assert decision == verdict.decision
        assert possible or not verdict.allowed


@pytest.mark.parametrize("condition", house.ATOMS)
@pytest.mark.parametrize("kind", ["when", "unless"])
def test_whatever_a_policy_looks_at_tells_classes_apart(condition: str, kind: str) -> None:
    given = ruleset(f"permit(principal, action, resource) {kind} {{ {condition} }};")
    engine, plain = made(given, *house.ITEMS[:3]), oracle(given)
    for principal in house.PRINCIPALS:
        for target in house.ITEMS:
            asked = call(principal, {"n": 1}, house.MAIN[target.kind])
            assert engine.decide(asked, target) == plain.verdict(asked, target).decision


@pytest.mark.parametrize("scope", house.SCOPES)
def test_whatever_a_scope_names_tells_classes_apart(scope: str) -> None:
    given = ruleset(f"permit({scope});")
    engine, plain = made(given, *house.ITEMS[:3]), oracle(given)
    for principal in house.PRINCIPALS:
        for target in house.ITEMS:
            for method in (house.MAIN[target.kind], *house.ACCOMPANYING):
                asked = call(principal, {}, method)
                assert engine.decide(asked, target) == plain.verdict(asked, target).decision


@settings(max_examples=60, deadline=None)
@given(house.rulesets)
def test_callers_of_one_permission_set_are_shown_the_same(given: RuleSet) -> None:
    shown: dict[str, list[bool]] = {}
    for principal in house.PRINCIPALS:
        fresh = made(given, *house.ITEMS)
        mine = [fresh.may(principal, each) for each in house.ITEMS]
        assert shown.setdefault(fresh.permission_set(principal), mine) == mine


# ── constant and open ───────────────────────────────────────────────────────────────────────────


def test_what_no_argument_changes_is_evaluated_once(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = made(
        ruleset(
            'permit(principal in Role::"dev", action, resource);',
            'forbid(principal in Role::"ops", action, resource) when { context.hour > 1 };',
        ),
        item(),
    )
    asked = call(who("ada", "dev"), {"a": 1})
    first = engine.decide(asked, item())
    monkeypatch.setattr(engine_module, "context", _never)
    again = engine.decide(call(who("ada", "dev"), {"a": 2}), item())
    assert first.allowed
    assert again == first


def _never(*args: object) -> object:
    raise AssertionError("nothing depends on the call")


def test_a_rule_that_looks_at_arguments_is_asked_each_time() -> None:
    engine = made(
        ruleset(ALL, "forbid(principal, action, resource) when { context.arguments.a == 1 };"),
        item(),
    )
    given = [engine.decide(call(who(), {"a": n}), item()).allowed for n in (1, 2, 1)]
    assert given == [False, True, False]


def test_labels_are_looked_up_only_for_rules_that_look_at_them() -> None:
    def asked(call: Call) -> frozenset[Label]:
        raise Refused(STORE_UNAVAILABLE)

    without = made(ruleset(ALL), item(), touched=asked)
    assert not without.uses_flow
    assert without.decide(call(who()), item()).allowed
    flow = "forbid(principal, action, resource) when { context.flow.private };"
    looking = made(ruleset(ALL, flow), item(), touched=asked)
    assert looking.uses_flow
    decision = looking.decide(call(who()), item())
    assert not decision.allowed
    assert decision.reason == "store.unavailable"


def test_a_decision_that_breaks_denies(caplog: pytest.LogCaptureFixture) -> None:
    def broken(call: Call) -> frozenset[Label]:
        raise RuntimeError("the secret argument")

    flow = "permit(principal, action, resource) when { context.flow.private };"
    decision = made(ruleset(flow), item(), touched=broken).decide(call(who()), item())
    assert not decision.allowed
    assert decision.reason == "policy.error"
    assert "secret" not in decision.rule + caplog.text


def test_arguments_that_cedar_cannot_be_given_deny() -> None:
    stop = "forbid(principal, action, resource) when { context.arguments has b };"
    engine = made(ruleset(ALL, stop), item())
    assert engine.decide(call(who(), {"a": "x"}), item()).allowed
    decision = engine.decide(call(who(), {"b": "\ud800"}), item())
    assert (decision.allowed, decision.reason) == (False, "policy.error")


def test_shown_is_what_some_context_could_allow() -> None:
    hour = "permit(principal, action, resource) when { context.hour > 20 };"
    dev = 'permit(principal in Role::"dev", action, resource) when { context.arguments has a };'
    asks = house.asking(house.rules("forbid(principal, action, resource);")[0], "ops")
    engine = made(ruleset(dev), item())
    assert engine.may(who("ada", "dev"), item())
    assert not engine.may(who(), item())
    assert made(ruleset(hour), item()).may(who(), item())
    shown = RuleSet("v", (*house.rules(ALL), replace(asks, id="ask")))
    assert made(shown, item()).may(who(), item())


def test_what_is_denied_for_sure_is_not_evaluated_any_further(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hidden = "permit(principal, action, resource) when { context.hour > 1 };"
    engine = made(ruleset(hidden, "forbid(principal, action, resource);"), item())
    monkeypatch.setattr(engine_module, "context", _never)
    assert engine.decide(call(who()), item()).rule == "forbid r1"


def test_a_class_is_settled_for_the_whole_view_when_it_is_first_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    named = 'permit(principal in Role::"dev", action, resource) when { resource.name == "read" };'
    items = [item(f"t{n}") for n in range(5)]
    engine = made(ruleset(named), *items)
    engine.permission_set(who("ada", "dev"))
    monkeypatch.setattr(Settling, "outcome", _never)
    monkeypatch.setattr(Classes, "item", _never)  # a first guess is looked up as any other
    again = msgspec.structs.replace(who("eve", "dev"), token="another")
    assert not any(engine.decide(call(again), each).allowed for each in items)


# ── what only accompanies a use ─────────────────────────────────────────────────────────────────


def test_a_task_is_followed_by_whom_some_arguments_allow_the_call() -> None:
    path = 'permit(principal, action == Action::"call files/read", resource) when { context.arguments.a == 1 };'
    stop = "forbid(principal, action, resource) when { context.arguments has b };"
    own = 'permit(principal, action == Action::"tasks/get", resource);'
    asked = call(who(), method="tasks/get")
    assert made(ruleset(path, stop, own), item()).decide(asked, item()).allowed
    assert not made(ruleset(path, stop), item()).decide(asked, item()).allowed
    assert not made(ruleset(own), item()).decide(asked, item()).allowed
    late = path.replace("when {", "when { context.hour > 20 } when {")
    assert not made(ruleset(late, own), item()).decide(asked, item()).allowed


def test_asks_of_the_use_are_not_asks_of_what_accompanies_it() -> None:
    use = house.asking(
        house.rules('forbid(principal, action in Action::"tools/call", resource);')[0], "ops"
    )
    given = RuleSet("v", (replace(use, id="use"), *house.rules(ALL)))
    engine = made(given, item())
    assert engine.decide(call(who()), item()).asks
    assert not engine.decide(call(who(), method="tasks/get"), item()).asks
    own = replace(house.rules("forbid(principal, action, resource);")[0], id="all")
    engine = made(RuleSet("v", (house.asking(own, "ops"), *house.rules(ALL))), item())
    assert [a.rule for a in engine.decide(call(who(), method="tasks/get"), item()).asks] == ["all"]


# ── views and bounds ────────────────────────────────────────────────────────────────────────────


def test_a_new_view_decides_by_its_own_definitions() -> None:
    engine = made(
        ruleset("permit(principal, action, resource) when { resource.readOnly };"), item()
    )
    assert not engine.decide(call(who()), item()).allowed
    reads = item(annotations={"readOnlyHint": True})
    engine.swap(view(reads))
    assert engine.decide(call(who()), reads).allowed


def test_an_item_of_the_view_before_is_judged_as_what_it_was() -> None:
    before, after = item(), item(annotations={"readOnlyHint": True})
    engine = made(ruleset("permit(principal, action, resource) when { resource.readOnly };"), after)
    for _ in range(2):
        assert engine.decide(call(who()), after).allowed
        assert not engine.decide(call(who()), before).allowed
        assert not engine.may(who(), before)


@pytest.mark.parametrize("open_", ["", "when { context.hour > 1 }"])
def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch, open_: str) -> None:
    for bound in ("_CALLERS", "_RULINGS", "_OUTCOMES", "_ENTITIES"):
        monkeypatch.setattr(engine_module, bound, 10)
    named = f"permit(principal, action, resource) {open_} unless {{ resource.name == principal.subject }};"
    engine = made(ruleset(named))
    for number in range(60):
        principal = who(f"u{number % 13}")
        uri = item(f"file:///{number}", kind=Kind.RESOURCE)
        assert engine.decide(call(principal, method="resources/read"), uri).allowed
        assert engine.decide(call(principal, method="subscriptions/listen"), uri).allowed
    assert len(engine._callers) <= 10
    assert sum(map(len, engine._classes.values())) <= 10
    outcomes = [o for t in engine._tenancies.values() for o in t.outcomes.values()]
    assert sum(map(len, outcomes)) <= 10
    assert len(engine._entities) <= 10
    assert len(engine._classes) <= 10


def test_a_long_uri_is_judged_and_not_remembered() -> None:
    named = 'permit(principal, action, resource) when { resource.name != "x" && context.hour > 1 };'
    engine = made(ruleset(named))
    long = item("file:///" + "a" * 8000, kind=Kind.RESOURCE)
    assert engine.decide(call(who(), method="resources/read"), long).allowed
    assert not any(each.rulings for each in engine._callers.values())
    assert not any(t.outcomes for t in engine._tenancies.values())
    assert not engine._entities


def test_tenants_have_their_own_rules() -> None:
    mine = house.rules(ALL, tenant="acme")
    engine = made(RuleSet("v", tuple(mine)), item())
    assert engine.decide(call(who(tenant="acme")), item()).allowed
    assert not engine.decide(call(who()), item()).allowed
    assert not engine.decide(call(who(tenant="other")), item()).allowed


def test_a_policy_that_cannot_be_parsed_is_refused_at_once() -> None:
    rule = replace(house.rules(ALL)[0], ast={"effect": "permit"})
    with pytest.raises(ValueError, match="policy"):
        made(RuleSet("v", (rule,)))
