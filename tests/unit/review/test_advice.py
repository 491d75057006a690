from __future__ import annotations

from bawn.model import Call, Client, Label
from bawn.review.advice import advise
from bawn.review.explain import Explainer
from tests.unit.review.rulesets import BOB, READ, WRITE, explain, item, ruleset


def test_a_role_that_is_missing_is_what_has_to_be_given() -> None:
    found = explain(READ, BOB)
    advice = advise(found)
    assert (
        'give the caller role "developer": then permit read at a.cedar:1 permits it' in advice.steps
    )
    assert advice.permit == (
        'permit (principal == User::"bob", action == Action::"call files/read", resource == Tool::"files/read")'
        ' when { principal.issuer == "https://idp" };'
    )


def test_what_is_advised_makes_the_call_pass() -> None:
    for what in (READ, WRITE, item("drop")):
        found = explain(what, BOB)
        advice = advise(found)
        stop = '@id("stop") forbid (principal, action == Action::"call files/drop", resource)'
        clause = dict(advice.unless).get("stop", "")
        rules = ruleset(f"{stop} {clause}; {advice.permit}")
        call = Call(0, "tools/call", {}, BOB, None, Client(""), "")
        assert Explainer(rules, {}).explain(call, what, now=0.0).verdict.allowed


def test_a_forbid_is_told_with_its_place_and_the_clause_that_spares_this_caller() -> None:
    advice = advise(explain(item("drop")))
    assert advice.unless == (
        ("stop", 'unless { principal == User::"ada" && resource == Tool::"files/drop" && principal.issuer == "https://idp" }'),
    )  # fmt: skip
    assert advice.steps[0].startswith("forbid stop at a.cedar:4 forbids it")


def test_consent_that_is_asked_for_is_told() -> None:
    found = explain(READ, touched=frozenset({Label.PRIVATE}))
    (step,) = advise(found).steps
    assert "consent of 1 with role operator or the caller itself" in step
