from __future__ import annotations

from typing import Any

import pytest

from bawn.policy.cedar.scan import Scan
from tests.unit.policy import house
from tests.unit.policy.house import rules

SCOPE = "permit(principal, action, resource)"


def scanned(text: str) -> Scan:
    return Scan.of_policies(rule.ast for rule in rules(text))


def test_literals_of_scopes_and_conditions_are_found() -> None:
    scan = scanned(
        'permit(principal is User in Group::"a", action in [Action::"b", Action::"c"], '
        'resource == Tool::"d") when { principal in [Role::"e"] || principal is Agent in Role::"f" };'
    )
    assert scan.literals == {
        ("Group", "a"), ("Action", "b"), ("Action", "c"), ("Tool", "d"), ("Role", "e"), ("Role", "f"),
    }  # fmt: skip
    assert not scan.everything


def test_attributes_count_whatever_they_are_taken_of() -> None:
    scan = scanned(f"{SCOPE} when {{ (if principal has a then principal else resource).b.c }};")
    assert scan.attributes == {"a", "b", "c"}


@pytest.mark.parametrize(
    ("condition", "parts"),
    [
        ("context.hour > 1", {"hour"}),
        ("context has flow && context.flow.private", {"flow"}),
        ('context["arguments"] has a.b', {"arguments"}),
        ("resource.hour > 1", set()),
    ],
)
def test_the_parts_of_the_context_are_told_apart(condition: str, parts: set[str]) -> None:
    scan = scanned(f"{SCOPE} when {{ {condition} }};")
    assert scan.context == parts
    assert scan.looks_at_context == bool(parts)
    assert not scan.looks_at("now")


def test_a_context_that_is_taken_whole_is_looked_at_in_all_its_parts() -> None:
    assert scanned(f"{SCOPE} when {{ context == {{}} }};").looks_at("anything")


@pytest.mark.parametrize(
    ("condition", "members", "whole"),
    [
        ('principal.roles.contains("a")', {"a"}, False),
        ('principal.roles.containsAny(["a", "b"])', {"a", "b"}, False),
        ('principal.roles.containsAll(["a"]) && principal.roles == ["c"]', {"a"}, True),
        ("principal.roles.containsAny(resource.labels)", set(), True),
        ("principal.roles.contains(resource.name)", set(), True),
        ('["a"].containsAny(principal.roles)', set(), True),
    ],
)
def test_of_a_callers_roles_only_those_asked_for_matter(
    condition: str, members: set[str], whole: bool
) -> None:
    scan = scanned(f"{SCOPE} when {{ {condition} }};")
    assert scan.members["roles"] == members
    assert ("roles" in scan.attributes) is whole
    assert not scan.grants


def test_roles_may_be_asked_for_by_what_an_item_allows() -> None:
    scan = scanned(f"{SCOPE} when {{ principal.roles.containsAny(resource.allows) }};")
    assert scan.grants
    assert scan.attributes == {"allows"}


@pytest.mark.parametrize("condition", house.ATOMS)
def test_all_of_cedar_is_known(condition: str) -> None:
    assert not scanned(f"{SCOPE} when {{ {condition} }};").everything


@pytest.mark.parametrize("scope", house.SCOPES)
def test_all_scopes_are_known(scope: str) -> None:
    assert not scanned(f"permit({scope});").everything


@pytest.mark.parametrize(
    "node",
    [
        None, 3, [], {}, {"a": 1, "b": 2}, {"Unknown": "x"}, {"Slot": "?principal"}, {"!": {"args": 1}},
        {"==": {"left": {"Var": "principal"}}}, {"Value": {"__extn": {}}}, {"Value": {"__entity": 3}},
        {".": {"left": {"Var": "context"}, "attr": ["a", "b"]}}, {"new": [{"Var": "principal"}]},
        {"Value": {"__entity": {"type": "User"}}}, {"Value": None}, {"is": {"left": {"Var": "principal"}}},
    ],
)  # fmt: skip
def test_of_what_is_not_known_everything_counts(node: Any) -> None:
    scan = Scan.of_expression(node)
    assert scan.everything
    assert scan.looks_at_context
    assert scan.looks_at("flow")


@pytest.mark.parametrize(
    "change",
    [
        {"principal": {"op": "==", "slot": "?principal"}}, {"principal": {"op": "near"}},
        {"resource": {"op": "is", "entity_type": "Tool", "in": {"slot": "?resource"}}},
        {"action": None}, {"more": 1}, {"principal": {"op": "All", "but": {}}},
    ],
)  # fmt: skip
def test_of_a_scope_that_is_not_known_everything_counts(change: Any) -> None:
    ast = rules(f"{SCOPE};")[0].ast
    assert Scan.of_policies([{**ast, **change}]).everything


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("context.arguments has a && context.arguments.a.b == 1", {"a"}),
        ('context has arguments && context.arguments["a b"] == 1', {"a b"}),
        ("context.arguments has a.b", {"a"}),
        ("context.hour < 3", set()),
        ("context.arguments == {}", None),
        ("[context.arguments].contains({a: 1})", None),
        ("(if context.hour < 3 then context.arguments else {a: 1}).a == 1", None),
        ("context == {}", None),
    ],
)
def test_arguments_that_are_named_one_by_one_are_told(
    condition: str, names: set[str] | None
) -> None:
    assert scanned(f"{SCOPE} when {{ {condition} }};").of_arguments == names
