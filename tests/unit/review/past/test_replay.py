from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bawn.model import Call, Kind, Label, Principal
from bawn.policy.cedar.evaluate import Oracle
from bawn.review.past.recorded import Outcome
from bawn.review.past.replay import Candidate, Replay, Row, replay
from bawn.review.trials.testing import outcome
from tests.unit.review.rulesets import ADA, BOB, item, recorded, ruleset

READ, WRITE = item("read"), item("write")
PERMIT = '@id("dev") permit (principal in Role::"developer", action, resource);'


def once(candidate: str, said: Outcome | None = "allow", **more: object) -> Replay:
    return replay([recorded(READ, said=said, **more)], ruleset(candidate), {})  # type: ignore[arg-type]  # a test's own


def change(candidate: str, said: Outcome | None = "allow", **more: object) -> list[str]:
    return [row.change for row in once(candidate, said, **more).rows]


def test_what_stays_as_it_was_is_only_counted() -> None:
    found = once(PERMIT)
    assert (found.rows, found.calls, found.unchanged) == ((), 1, 1)


def test_what_changes_is_told_by_item_and_principal() -> None:
    forbid = (
        PERMIT + '@id("no") forbid (principal, action == Action::"call files/write", resource);'
    )
    calls = [recorded(WRITE, trace="a"), recorded(WRITE, trace="b"), recorded(READ)]
    assert replay(calls, ruleset(forbid), {}).rows == (
        Row("newly denied", "files/write", "ada", 2, "forbid no", "b"),
    )
    assert change(PERMIT, "deny") == ["newly allowed"]
    assert change(PERMIT + '@ask("boss") forbid (principal, action, resource);') == ["newly asking"]
    assert change(PERMIT, "ask") == ["newly allowed"]


def test_a_rule_about_arguments_or_flow_leaves_it_undecided_where_it_could_matter() -> None:
    looks = 'forbid (principal, action, resource) when { context.arguments has path && context.arguments.path == "/" };'
    assert change(PERMIT + looks) == ["undecided"]
    assert change(
        PERMIT + "forbid (principal, action, resource) when { context.flow.private };"
    ) == ["undecided"]
    elsewhere = (
        'forbid (principal, action, resource in Server::"other") when { context.flow.private };'
    )
    assert change(PERMIT + elsewhere) == []
    assert (
        change(PERMIT + "permit (principal, action, resource) when { context.flow.private };") == []
    )
    assert change("forbid (principal, action, resource);" + looks) == ["newly denied"]
    assert change(PERMIT + '@ask("boss") ' + looks) == ["undecided"]


def test_time_is_that_of_the_call() -> None:
    night = PERMIT + "forbid (principal, action, resource) when { context.hour < 6 };"
    noon = 1_767_787_200.0
    assert change(night, at=noon) == []
    assert change(night, at=noon - 10 * 3600) == ["newly denied"]
    both = [recorded(READ, at=noon), recorded(READ, at=noon - 10 * 3600)]
    assert replay(both, ruleset(night), {}).count("newly denied") == 1


def test_what_is_gone_or_erased_or_not_policys_is_told_apart() -> None:
    calls = [recorded(None), recorded(READ, None), recorded(READ, said=None)]
    found = replay(calls, ruleset(PERMIT), {})
    assert [row.change for row in found.rows] == ["gone", "erased"]
    assert (found.calls, found.others, found.unchanged) == (3, 1, 0)


def test_a_method_beside_the_use_needs_both() -> None:
    main = '@id("main") permit (principal, action in Action::"tools/call", resource);'
    assert change(main, method="tasks/get") == ["newly denied"]
    assert (
        change(
            main + 'permit (principal, action == Action::"tasks/get", resource);',
            method="tasks/get",
        )
        == []
    )


def test_rules_of_another_tenant_do_not_count() -> None:
    theirs = ruleset(PERMIT + '@tenant("acme") forbid (principal, action, resource);')
    assert replay([recorded(READ, ADA)], theirs, {}).rows == ()


def test_the_worst_comes_first() -> None:
    calls = [
        recorded(READ, ADA, said="deny"),
        recorded(READ, BOB),
        recorded(item("p", Kind.PROMPT), None),
    ]
    found = replay(calls, ruleset(PERMIT), {})
    assert [row.change for row in found.rows] == ["newly denied", "newly allowed", "erased"]


PATH = "context.arguments has path && context.arguments.path == "
TERMS = st.sampled_from(
    [f'{PATH}"/a"', f'{PATH}"/b"', "context.flow.private", "context.hour < 6", 'context.client.name == "desk"', "true",
     f'!({PATH}"/a")', f'({PATH}"/a" || context.flow.private)', 'principal in Role::"developer"', "false"]
)  # fmt: skip
RULE = st.builds(
    lambda ask, effect, first, kind, second: (
        f'{ask if effect == "forbid" else ""}{effect} (principal, action, resource) '
        f"when {{ {first} }} {kind} {{ {second} }};"
    ),
    st.sampled_from(["", '@ask("boss") ']), st.sampled_from(["permit", "forbid"]), TERMS,
    st.sampled_from(["when", "unless"]), TERMS,
)  # fmt: skip
RANK = {"deny": 0, "ask": 1, "allow": 2}


@settings(deadline=None, max_examples=150)
@given(st.lists(RULE, min_size=1, max_size=4), st.sampled_from([ADA, BOB]), st.data())
def test_whatever_the_arguments_and_flow_were_the_outcome_is_one_that_was_foreseen(
    written: list[str], principal: Principal, data: st.DataObject
) -> None:
    rules = ruleset("\n".join(written))
    at = data.draw(st.sampled_from([1_767_787_200.0, 1_767_787_200.0 - 36_000]))
    each = recorded(READ, principal, at=at)
    foreseen = Candidate(rules, {}, 900.0, {}).prospect(each, principal, READ).outcomes
    touched = data.draw(st.sampled_from([frozenset[Label](), frozenset({Label.PRIVATE})]))
    arguments = data.draw(st.sampled_from([{}, {"path": "/a"}, {"path": "/b"}]))
    oracle = Oracle(rules, {}, clock=lambda: at, touched=lambda _: touched)
    call = Call(0, "tools/call", {"arguments": arguments}, principal, None, each.client, "")
    came = RANK[outcome(oracle.verdict(call, READ))]
    ranks = [RANK[one] for one in foreseen]
    assert min(ranks) <= came <= max(ranks)
