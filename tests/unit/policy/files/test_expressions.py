"""The expressions of rules are walked whole, whatever their operators."""

from __future__ import annotations

import json
from typing import Any

import cedarpy
import pytest

from bawn.model import Json
from bawn.policy.cedar.uids import Uid
from bawn.policy.files import expressions


def ast(text: str) -> Json:
    found: Json = json.loads(cedarpy.policies_to_json_str(text))["staticPolicies"]["policy0"]
    return found


def when(condition: str) -> Any:
    return ast(f"permit (principal, action, resource) when {{ {condition} }};")


EVERYWHERE = (
    "{condition}",
    "!({condition})",
    "context.hour == 1 && {condition}",
    "if {condition} then true else false",
    "if true then false else {condition}",
    "[{condition}].contains(true)",
    '{{"Var": {condition}}}.Var',
    "({condition}) == true",
    "(if {condition} then [1] else [2]).isEmpty()",
    'datetime("2026-01-01").offset(duration(if {condition} then "1d" else "2d")) < context.now',
)


@pytest.mark.parametrize("around", EVERYWHERE)
def test_arguments_and_entities_are_found_wherever_they_stand(around: str) -> None:
    found = when(around.format(condition='(context.arguments.x == 1 && principal in Role::"r")'))
    assert any(map(expressions.looks_at_arguments, expressions.conditions(found)))
    assert list(expressions.literals(found)) == [Uid("Role", "r")]


@pytest.mark.parametrize("around", EVERYWHERE)
def test_what_is_left_without_arguments_does_not_look_at_them(around: str) -> None:
    found = expressions.without_arguments(when(around.format(condition="context.arguments.x == 1")))
    assert not any(map(expressions.looks_at_arguments, expressions.conditions(found)))


def test_without_arguments_the_other_terms_stay() -> None:
    found = expressions.without_arguments(
        when("context.arguments.x == 1 && principal.foo || !(context.arguments has y)")
    )
    ((body),) = expressions.conditions(found)
    assert body["||"]["left"]["&&"]["right"] == {".": {"left": {"Var": "principal"}, "attr": "foo"}}


def test_the_entities_of_the_scope_are_found_too() -> None:
    found = ast(
        'permit (principal is User in Group::"g", action in [Action::"a", Action::"b"], '
        'resource == Tool::"t");'
    )
    assert list(expressions.literals(found)) == [
        Uid("Group", "g"), Uid("Action", "a"), Uid("Action", "b"), Uid("Tool", "t"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ("false", False),
        ("!false", True),
        ("context.flow.private && false", False),
        ("context.flow.private || true", True),
        ("true && !false", True),
        ("false || false", False),
        ("context.flow.private && true", None),
        ("context.hour == 1", None),
    ],
)
def test_conditions_that_are_plainly_constant_are_known(condition: str, value: bool | None) -> None:
    ((body),) = expressions.conditions(when(condition))
    assert expressions.constant(body) is value
