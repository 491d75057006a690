from __future__ import annotations

import pytest

from bawn.policy.cedar.classes import Classes
from bawn.policy.cedar.entities import World, action_facts
from bawn.policy.rules import RuleSet
from tests.unit.policy import house
from tests.unit.policy.house import item, rules, who

WORLD = World(RuleSet("v", (), house.ENTITIES), {}, house.TENANT_OF)


def classes(*texts: str) -> Classes:
    return Classes((rule.ast for rule in rules(*texts)), WORLD.grants)


def test_callers_that_no_policy_tells_apart_are_one_class() -> None:
    made = classes('permit(principal in Role::"dev", action, resource);')
    dev = made.principal(WORLD.principal(who("ada", "dev")))
    assert made.principal(WORLD.principal(who("eve", "dev", "x", tenant="t"))) == dev
    assert made.principal(WORLD.principal(who("ada"))) != dev
    assert made.principal(WORLD.principal(who("bot", "dev", agent="bot"))) != dev


def test_of_roles_that_policies_ask_for_others_do_not_count() -> None:
    made = classes(
        "permit(principal, action, resource) when { principal.roles.containsAny(resource.allows) };"
    )
    one = made.principal(WORLD.principal(who("ada", "viewer", "x")))
    assert made.principal(WORLD.principal(who("eve", "viewer", "y"))) == one
    assert made.principal(WORLD.principal(who("eve", "developer"))) != one


def test_items_are_told_apart_by_action_where_it_is_named() -> None:
    one, two = WORLD.item(item("a")), WORLD.item(item("b"))
    call_a, call_b = action_facts("call files/a"), action_facts("call files/b")
    plain = classes('permit(principal, action in Action::"tools/call", resource);')
    assert plain.item(one, call_a) == plain.item(two, call_b)
    assert plain.item(one, call_a) != plain.item(one, action_facts("tasks/get"))
    named = classes('permit(principal, action == Action::"call files/a", resource);')
    assert named.item(one, call_a) != named.item(two, call_b)


def test_where_a_policy_is_not_known_everything_is_told_apart() -> None:
    rule = rules("permit(principal, action, resource);")[0]
    rule.ast["conditions"] = [{"kind": "when", "body": {"fancy": []}}]
    made = Classes([rule.ast], WORLD.grants)
    keys = {made.principal(WORLD.principal(each)) for each in house.PRINCIPALS}
    assert len(keys) == len(house.PRINCIPALS)
    action = action_facts("call files/a")
    assert len({made.item(WORLD.item(each), action) for each in house.ITEMS}) == len(house.ITEMS)


@pytest.mark.parametrize("condition", house.ATOMS)
def test_a_class_is_named_the_same_in_every_process(condition: str) -> None:
    made = classes(f"permit(principal, action, resource) when {{ {condition} }};")
    for each in house.PRINCIPALS:
        key = repr(made.principal(WORLD.principal(each)))
        assert "frozenset" not in key
        assert " object at " not in key
