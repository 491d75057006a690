from __future__ import annotations

import pytest

from bawn.detectors.personal.kinds import JUDGES, SPOKEN_OF
from bawn.detectors.rule import load


def test_every_rule_has_a_judge_and_every_judge_a_rule() -> None:
    assert set(JUDGES) == {rule.id for rule in load("personal")}
    assert set(SPOKEN_OF) <= set(JUDGES)


@pytest.mark.parametrize(
    "rule", sorted(rule for rule in JUDGES if "national" in rule and rule[-2:] != "gb")
)
def test_a_number_of_one_digit_is_nobody_s(rule: str) -> None:
    assert JUDGES[rule]("0" * 18, "SSN") == 0


@pytest.mark.parametrize(
    "address", ["noreply@shop.org", "you@example.com", "a@x.png", "xxx@xxxx.xx"]
)
def test_addresses_of_nobody_are_silent(address: str) -> None:
    assert JUDGES["personal/email"](address, "") == 0
