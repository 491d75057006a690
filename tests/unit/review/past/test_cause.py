from __future__ import annotations

from dataclasses import replace

import pytest

from bawn.review.past.cause import cause_of
from bawn.review.past.recorded import Recorded
from tests.unit.review.rulesets import item, recorded, ruleset

READ = item("read")
RULES = ruleset("""
@id("never") forbid (principal, action, resource);
@id("never say") forbid (principal, action, resource);
@id("bad") permit (principal, action, resource) when { context.nope };
""").rules


def refused(detail: str, status: str = "policy.denied") -> Recorded:
    each = recorded(READ, said="deny")
    return replace(each, call=replace(each.call, status=status, sealed={"detail": detail}))


@pytest.mark.parametrize(
    ("detail", "ids"),
    [
        ("forbid never", ["never"]),
        ("forbid never say", ["never say"]),
        ("forbid never; shadow: would allow (permit x)", ["never"]),
        ("nothing permits it; shadow: would deny (forbid never)", ["never"]),
        ("error in bad", ["bad"]),
        ("forbid gone", []),
    ],
)
def test_the_rules_that_are_named_are_found_where_they_stand(detail: str, ids: list[str]) -> None:
    assert [rule.id for rule in cause_of(refused(detail), RULES).places] == ids


def test_a_forbid_comes_with_a_clause_and_the_want_of_a_permit_with_a_permit() -> None:
    forbidden, wanting = (
        cause_of(refused("forbid never"), RULES),
        cause_of(refused("nothing permits it"), RULES),
    )
    assert (bool(forbidden.unless), forbidden.permit) == (True, "")
    assert (wanting.unless, bool(wanting.permit)) == ("", True)


@pytest.mark.parametrize("status", ["policy.error", "limit.rate", "approval.pending", "auth.scope"])
def test_what_no_statement_would_lift_comes_with_none(status: str) -> None:
    found = cause_of(refused("forbid never", status), RULES)
    assert (found.permit, found.unless) == ("", "")
    assert found.fix
    assert found.reason == status


def test_a_shadow_rule_forbids_nothing_and_gets_no_clause() -> None:
    found = cause_of(refused("nothing permits it; shadow: would deny (forbid never)"), RULES)
    assert (found.unless, bool(found.permit)) == ("", True)


def test_of_a_forbid_that_is_gone_nothing_is_advised() -> None:
    found = cause_of(refused("forbid gone"), RULES)
    assert (found.permit, found.unless) == ("", "")


def test_of_an_erased_person_and_a_tool_that_is_gone_only_what_is_known_is_told() -> None:
    each = replace(refused("nothing permits it"), principal=None, item=None)
    assert cause_of(each, RULES).permit == ""


def test_what_would_be_denied_were_it_not_only_observed_comes_with_its_exception() -> None:
    each = recorded(READ)
    wanting = replace(
        each, call=replace(each.call, rule="observed: would deny (nothing permits it)")
    )
    forbidden = replace(each, call=replace(each.call, rule="observed: would deny (forbid never)"))
    assert cause_of(wanting, RULES).permit
    assert cause_of(forbidden, RULES).unless
    assert cause_of(each, RULES).permit == ""
