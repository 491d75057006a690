"""What Cedar's validator says is told once, in words for people."""

from __future__ import annotations

import pytest

from bawn.policy.files import schema, validation

TYPES = schema.of({"call a/b": schema.record({"path": schema.TEXT})})


def test_the_number_of_a_policy_comes_with_its_problem() -> None:
    good, bad = (
        "permit (principal, action, resource);",
        "permit (principal is X, action, resource);",
    )
    assert {number for number, _ in validation.problems([good, bad, good], TYPES)} == {1}


def test_one_attribute_that_several_types_lack_is_one_problem() -> None:
    text = "permit (principal, action, resource) when { resource.x == 1 };"
    (problem,) = validation.problems([text], TYPES)
    assert problem[1].startswith(
        "`x` is no attribute of Method or Prompt or Resource or Template or Tool"
    )


def test_a_part_of_the_context_that_many_actions_lack_is_one_problem() -> None:
    text = "permit (principal, action, resource) when { context.x == 1 };"
    (problem,) = validation.problems([text], TYPES)
    assert problem[1].endswith("and 6 more")


def test_policies_that_cannot_be_checked_are_no_policies_that_are_fine() -> None:
    with pytest.raises(ValueError, match="cannot check"):
        validation.problems(["permit ("], TYPES)
