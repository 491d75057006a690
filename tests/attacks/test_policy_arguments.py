"""Arguments that are made to wear policy out, or to slip past it."""

from __future__ import annotations

import time
from typing import Any, Final

import pytest

from bawn.policy.engine import CedarEngine
from tests.unit.policy.house import call, item, ruleset, view, who

ALL: Final = "permit(principal, action, resource);"
STOP: Final = (
    "forbid(principal, action, resource) "
    'when { context.arguments has path && context.arguments.path like "/etc/*" };'
)
BARE: Final = "forbid(principal, action, resource) when { context.arguments == {stop: true} };"


def made(*texts: str) -> CedarEngine:
    engine = CedarEngine(ruleset(*texts), {}, clock=time.time)
    engine.swap(view(item()))
    return engine


@pytest.mark.parametrize(
    "flood",
    [
        [n / 3 for n in range(50_000)],
        list(range(50_000)),
        [str(n) for n in range(50_000)],
        {str(n): [] for n in range(50_000)},
        [[[]]] * 20_000,
    ],
)
@pytest.mark.parametrize("rule", [STOP, BARE])
def test_what_policy_would_be_held_up_by_is_refused(flood: Any, rule: str) -> None:
    decision = made(ALL, rule).decide(call(who(), {"path": flood}), item())
    assert (decision.allowed, decision.reason) == (False, "message.limits")


def test_arguments_that_no_rule_names_cost_nothing_and_change_nothing() -> None:
    engine = made(ALL, STOP)
    beside = {"beside": [n / 3 for n in range(50_000)], "__proto": {"path": "/etc/x"}}
    assert engine.decide(call(who(), {**beside, "path": "/home/x"}), item()).allowed
    assert engine.decide(call(who(), beside), item()).allowed
    assert not engine.decide(call(who(), {**beside, "path": "/etc/x"}), item()).allowed


@pytest.mark.parametrize(
    "path", [["/etc/x"], {"a": "/etc/x"}, None, 1, True, 1.5, -0.0, 2**70, [None, 1, "/etc/x"]]
)
def test_no_other_type_makes_a_forbid_vanish(path: Any) -> None:
    decision = made(ALL, STOP).decide(call(who(), {"path": path}), item())
    # what Cedar holds as text (a number beyond i64) is compared as text; all else is an error
    assert decision.allowed == (path == 2**70)


@pytest.mark.parametrize("escape", ["__extn", "__entity", "__expr"])
def test_no_escape_of_cedars_json_is_the_callers_to_write(escape: str) -> None:
    made_up = {"type": "User", "id": "ada", "fn": "decimal", "arg": "1.0"}
    engine = made(ALL, STOP)
    assert not engine.decide(call(who(), {escape: made_up, "path": "/home/x"}), item()).allowed
    assert not engine.decide(call(who(), {escape: made_up}), item()).allowed
    assert not engine.decide(call(who(), {"path": [{escape: made_up}]}), item()).allowed
