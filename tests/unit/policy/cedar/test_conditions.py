from __future__ import annotations

import json

import cedarpy
import pytest

from bawn.model import Json
from bawn.policy.cedar.conditions import (
    by_context,
    despite_context,
    whatever_the_arguments,
    written,
)
from tests.unit.policy.house import rules

SCOPE = "permit(principal, action, resource) "


def conditions(ast: Json) -> str:
    """The conditions as Cedar writes them, in one line and without brackets."""
    policies = {"staticPolicies": {"p": ast}, "templates": {}, "templateLinks": []}
    text = cedarpy.policies_from_json_str(json.dumps(policies))
    bare = text.partition(")")[2].rstrip("; \n").replace("(", "").replace(")", "")
    return " ".join(bare.split())


@pytest.mark.parametrize(
    ("given", "before", "after"),
    [
        ("", "", None),
        ("when { resource.a }", "when { resource.a }", None),
        ("when { context.a }", "", "when { context.a }"),
        (
            "when { resource.a && context.b && resource.c }",
            "when { resource.a }", "when { context.b } when { resource.c }",
        ),
        (
            "when { resource.a } when { context.b } unless { resource.c }",
            "when { resource.a }", "when { context.b } unless { resource.c }",
        ),
        ("unless { resource.a || context.b }", "unless { resource.a }", "unless { context.b }"),
        ("when { !(resource.a || context.b) }", "unless { resource.a }", "unless { context.b }"),
        ("unless { !(resource.a && context.b) }", "when { resource.a }", "when { context.b }"),
        ("when { resource.a || context.b }", "", "when { resource.a || context.b }"),
        ("unless { resource.a && context.b }", "", "unless { resource.a && context.b }"),
        ("when { [context].isEmpty() }", "", "when { [context].isEmpty }"),
    ],
)  # fmt: skip
def test_a_rule_is_parted_where_it_looks_at_the_context(
    given: str, before: str, after: str | None
) -> None:
    rule = rules(f'permit(principal in Role::"dev", action, resource) {given};')[0]
    first, second = by_context(rule)
    assert conditions(first.ast) == before
    assert first.ast["principal"] == rule.ast["principal"]
    assert (second and conditions(second.ast)) == after
    assert second is None or second.ast["principal"] == {"op": "All"}


@pytest.mark.parametrize("unknown", [{"fancy": []}, {"Var": "moon"}, {"Value": {"odd": 1}}, 3])
def test_what_is_not_known_here_may_look_at_anything(unknown: object) -> None:
    rule = rules(SCOPE + "when { resource.a };")[0]
    rule.ast["conditions"].append({"kind": "when", "body": unknown})
    first, second = by_context(rule)
    assert conditions(first.ast) == "when { resource.a }"
    assert second is not None
    assert second.ast["conditions"] == [{"kind": "when", "body": unknown}]


def test_without_arguments_permits_count_as_far_as_they_go_and_forbids_do_not() -> None:
    given = rules(
        "permit(principal, action, resource) when { context.hour > 1 && context.arguments has a };",
        "forbid(principal, action, resource) when { context.hour > 1 && context.arguments has a };",
        "forbid(principal, action, resource) when { context.hour > 1 };",
    )
    kept = whatever_the_arguments(given)
    assert [(rule.id, conditions(rule.ast)) for rule in kept] == [
        ("r0", "when { context.hour > 1 }"),
        ("r2", "when { context.hour > 1 }"),
    ]


@pytest.mark.parametrize("operator", ["&&", "||"])
def test_a_long_chain_is_written_shallow_and_in_order(operator: str) -> None:
    parts = [f"context.n == {n}" for n in range(150)]
    ast = rules(SCOPE + "when {" + f" {operator} ".join(parts) + "};")[0].ast
    ast["annotations"] = {"id": "x"}
    made = written(ast)
    text = conditions(made)
    assert [int(n.split(" ")[0]) for n in text.split("== ")[1:]] == list(range(150))
    assert _deep(made) < 60
    assert made["annotations"] == {}


def _deep(node: object) -> int:
    below = node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()
    return 1 + max(map(_deep, below), default=0)


def test_a_field_may_be_called_as_an_operator_is() -> None:
    given = SCOPE + 'when { {"&&": true, "!": 1} == {"&&": true, "!": 1} && {"||": 2} has a };'
    assert conditions(written(rules(given)[0].ast)) == conditions(rules(given)[0].ast)


@pytest.mark.parametrize(
    ("given", "further"),
    [
        ("when { context.flow.private && resource.c }", "when { resource.c }"),
        ("when { !context.flow.private && resource.c }", "when { resource.c }"),
        (
            "when { (context.flow.private || context.flow.sends) && resource.c }",
            "when { resource.c }",
        ),
        ('when { resource.a && context.method == "x" && resource.c }',
         "when { resource.a } when { resource.c }"),
        ("unless { context.flow.private || resource.c }", "unless { resource.c }"),
        ("when { context.flow.private && resource.c && context.arguments.x && resource.d }",
         "when { resource.c }"),
        ("when { resource.a && context.flow.private }", None),
        ("when { context.arguments.x && resource.c }", None),
        ("when { context.arguments has x && resource.c }", None),
        ("when { context.flow.other && resource.c }", None),
        ("when { context.hour > 3 && resource.c }", None),
        ("when { context.flow == resource && resource.c }", None),
        ("when { context.client.name == \"x\" && resource.c }", None),
        ("when { resource.a }", None),
    ],
)  # fmt: skip
def test_a_later_term_settles_a_rule_where_those_before_it_cannot_fail(
    given: str, further: str | None
) -> None:
    found = despite_context(rules(SCOPE + given + ";")[0])
    assert (found and conditions(found.ast)) == further
