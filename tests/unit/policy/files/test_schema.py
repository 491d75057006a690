"""The schema describes exactly what entities and contexts have."""

from __future__ import annotations

import cedarpy

from bawn.model import Kind, Label
from bawn.policy import actions
from bawn.policy.cedar.context import PARTS, Moment, Shape, context
from bawn.policy.cedar.entities import TYPES, World
from bawn.policy.files import schema
from bawn.policy.rules import RuleSet
from tests.unit.policy.house import NOON, call, item, who


def fields(record: object) -> set[str]:
    assert isinstance(record, dict)
    return set(record["attributes"])


def test_cedar_accepts_it_whatever_tools_are_called() -> None:
    calls = {'call a/"\\\n\u202e': schema.record({'"': schema.TEXT, "__entity": schema.LONG})}
    assert cedarpy.validate_policies("", schema.of(calls)).errors == []


def test_every_action_and_type_that_the_engine_uses_is_there() -> None:
    made = schema.of({"call files/read": schema.NOTHING})[""]
    main = {actions.main(item(kind=kind)) for kind in Kind}
    assert main | actions.ACCOMPANYING | {actions.USE, actions.CALL} == set(made["actions"])
    assert {*TYPES.values(), "User", "Agent", "Group", "Role", "Server", "Tenant"} <= set(
        made["entityTypes"]
    )


def test_entities_have_the_attributes_that_the_schema_says() -> None:
    types = schema.of({})[""]["entityTypes"]
    world = World(RuleSet("v", ()), {}, {})
    for kind in Kind:
        facts = world.item(item(kind=kind))
        assert fields(types[facts.uid.type]["shape"]) == set(facts.attributes)
    for caller in (who("a", "r"), who("bot", agent="bot")):
        facts = world.principal(caller)
        assert fields(types[facts.uid.type]["shape"]) == set(facts.attributes)


def test_the_context_has_the_parts_that_the_schema_says() -> None:
    action = schema.of({"call a/b": schema.NOTHING})[""]["actions"]["call a/b"]
    said = action["appliesTo"]["context"]["attributes"]
    made = context(Moment(call(who()), NOON, frozenset(), Shape()))
    assert set(said) == PARTS == set(made)
    assert fields(said["flow"]) == set(made["flow"]) == {label.value for label in Label}
    assert fields(said["client"]) == set(made["client"])
