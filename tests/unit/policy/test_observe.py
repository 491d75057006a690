from __future__ import annotations

import pytest

from bawn.model import Ask, Call, Decision, Item, Label, Principal, View
from bawn.policy.observe import Observing
from tests.unit.policy.house import call, item, view, who

ASK = Ask("careful", frozenset({"ops"}), False, 1, 60.0)


class Engine:
    """Always says the same."""

    uses_flow = True

    def __init__(self, decision: Decision) -> None:
        self.decision = decision
        self.swapped: list[View] = []

    def decide(self, call: Call, item: Item) -> Decision:
        return self.decision

    def may(self, principal: Principal, item: Item) -> bool:
        return False

    def permission_set(self, principal: Principal) -> str:
        return principal.subject

    def touches(self, item: Item) -> frozenset[Label]:
        return frozenset({Label.PRIVATE})

    def swap(self, view: View) -> None:
        self.swapped.append(view)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (Decision(True, "permit a"), "permit a"),
        (Decision(True, "permit a", (ASK,)), "observed: would ask (careful; permit a)"),
        (Decision(False, "forbid b"), "observed: would deny (forbid b)"),
        (Decision(False, "error in c", (), "policy.error"), "observed: would deny (error in c)"),
        (Decision(False, "too much", (), "message.limits"), "observed: would deny (too much)"),
    ],
)
def test_what_policy_says_is_told_and_passes(said: Decision, told: str) -> None:
    assert Observing(Engine(said)).decide(call(who()), item()) == Decision(True, told)


def test_a_gate_that_cannot_look_things_up_refuses_as_ever() -> None:
    broken = Decision(False, "The gate cannot", (), "store.unavailable")
    assert Observing(Engine(broken)).decide(call(who()), item()) == broken


def test_everybody_of_a_tenant_is_shown_everything() -> None:
    engine = Observing(Engine(Decision(False, "")))
    assert engine.may(who(), item())
    assert engine.permission_set(who("a")) == engine.permission_set(who("b", "dev"))
    assert engine.permission_set(who()) != engine.permission_set(who(tenant="acme"))


def test_the_engine_gets_every_view_and_tells_what_is_touched() -> None:
    inner = Engine(Decision(False, ""))
    engine = Observing(inner)
    new = view(item())
    engine.swap(new)
    assert inner.swapped == [new]
    assert engine.touches(item()) == {Label.PRIVATE}
