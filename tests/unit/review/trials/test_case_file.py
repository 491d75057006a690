from __future__ import annotations

import pytest
from pydantic import ValidationError

from bawn.model import Kind
from bawn.review.trials.case_file import NOON, Given, Target


def test_a_target_is_one_thing_under_its_own_name() -> None:
    found = Target(server="x", prompt="p")
    assert (found.kind, found.name, found.called) == (Kind.PROMPT, "p", "prompts/get")
    beside = Target(server="x", resource="a:b", method="subscriptions/listen")
    assert (beside.kind, beside.called) == (Kind.RESOURCE, "subscriptions/listen")


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"tool": "a", "prompt": "b"},
        {"method": "Tools/Call"},
        {"tool": "a", "method": "tools/list"},
    ],
)
def test_nothing_else_is_a_target(wrong: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Target.model_validate({"server": "x", **wrong})


def test_a_time_has_its_zone_and_there_is_one_without_saying() -> None:
    assert Given().instant == NOON
    assert Given(now="2026-01-07T13:00:00+01:00").instant == NOON
    with pytest.raises(ValidationError):
        Given(now="2026-01-07T13:00:00")
