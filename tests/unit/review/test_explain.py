from __future__ import annotations

from bawn.model import Call, Client
from bawn.review.advice import advise
from bawn.review.explain import Examined, Explainer, Explanation
from tests.unit.review.rulesets import ADA, BOB, READ, WRITE, explain, ruleset


def rule(found: Explanation, id_: str) -> Examined:
    return next(each for each in found.rules if each.rule.id == id_)


def test_a_rule_that_matched_holds_in_every_part() -> None:
    found = explain(READ)
    assert (found.verdict.allowed, found.verdict.rule) == (True, "permit read")
    read = rule(found, "read")
    assert read.matched
    assert [(part.label, part.text) for part in read.parts] == [
        ("principal", 'principal in Role::"developer"'),
        ("action", 'action in Action::"tools/call"'),
        ("resource", 'resource in Server::"files"'),
        ("when", "when { resource has readOnly }"),
        ("when", "when { resource.readOnly }"),
    ]
    assert advise(found).steps == ()


def test_the_part_that_failed_is_named() -> None:
    found = explain(WRITE, arguments={"path": "/etc"})
    (part,) = rule(found, "tmp").failing
    assert (part.label, part.state) == ("when", "fails")
    assert '"/tmp/*"' in part.text
    assert any("tmp at a.cedar:2 would permit it, but for" in step for step in advise(found).steps)


def test_a_condition_that_cedar_does_not_come_to_is_not_an_error() -> None:
    states = [part.state for part in rule(explain(WRITE), "tmp").parts]
    assert states[2:4] == ["fails", "not reached"]


def test_rules_about_other_things_are_only_counted() -> None:
    found = explain(READ)
    assert [each.rule.id for each in found.rules] == ["read", "flows"]
    assert found.others == 3


def test_an_error_is_told_with_what_cedar_says() -> None:
    rules = ruleset(
        '@id("bad") permit (principal, action, resource) when { context.arguments.x == 1 };'
    )
    call = Call(0, "tools/call", {}, ADA, None, Client(""), "")
    found = Explainer(rules, {}).explain(call, READ, now=0.0)
    (part,) = rule(found, "bad").parts
    assert part.state == "error"
    assert "`x`" in advise(found).steps[0]


def test_a_method_beside_the_use_needs_both_and_tells_which_is_missing() -> None:
    found = explain(READ, method="tasks/get")
    assert (found.action, found.verdict.allowed) == ("tasks/get", False)
    assert 'Action::"tasks/get"' in advise(found).permit
    assert explain(READ, BOB, method="tasks/get").action == "call files/read"
