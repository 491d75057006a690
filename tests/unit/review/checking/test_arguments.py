"""What rules ask of arguments is held against what the tools declare."""

from __future__ import annotations

import pytest

from bawn.model import Item, Kind
from bawn.policy.files.reading import ruleset
from bawn.policy.rules import Source
from bawn.review.checking import reach
from bawn.review.checking.arguments import findings
from tests.unit.review.rulesets import item, view

READ = item(
    "read",
    inputSchema={
        "type": "object",
        "properties": {
            "path": {"type": "string"},
            "n": {"type": "integer"},
            "ratio": {"type": "number"},
            "deep": {"type": "object", "properties": {"x": {"type": "boolean"}}, "required": ["x"]},
            "list": {"type": "array", "items": {"type": "string"}},
            "mixed": {"type": ["string", "null"]},
            "any": {},
            "mode": {"enum": ["a", "b"]},
        },
        "required": ["path", "deep", "any", "mixed", "mode", "list"],
    },
)
PUSH = item(
    "push",
    server="git",
    inputSchema={"type": "object", "properties": {"branch": {"type": "string"}}},
)
HELLO = item("hello", Kind.PROMPT, arguments=[{"name": "who", "required": True}, {"name": "how"}])


def told(
    condition: str,
    action: str = '== Action::"call files/read"',
    *items: Item,
    where: str = "resource",
) -> list[tuple[str, str]]:
    text = f"permit (principal, action {action}, {where}) when {{ {condition} }};"
    rules = ruleset(Source("d", (("a.cedar", text),)), 900).rules
    offered = items or (READ, PUSH, HELLO)
    everything = [*offered, *reach.nameable(rules, view(*offered))]
    found = findings([(rule, reach.about(rule, everything)) for rule in rules])
    return [(each.level, each.message) for each in found]


@pytest.mark.parametrize(
    "condition",
    [
        'context.arguments.path like "/*" && context.arguments.mode == "a"',
        "context.arguments has n && context.arguments.n > 5",
        'context.arguments has ratio && context.arguments.ratio.lessThan(decimal("1.5"))',
        'context.arguments.deep.x && context.arguments.list.contains("y")',
        "context.arguments has mixed && context.arguments has any",
    ],
)
def test_questions_that_fit_the_schema_are_fine(condition: str) -> None:
    assert told(condition) == []


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("context.arguments.path == 5", "the types Long and String are not compatible"),
        ("context.arguments.n > 5", "optional attribute `arguments.n`"),
        ('context.arguments has n && context.arguments.n == "5"', "the types Long and String"),
        ("context.arguments has ratio && context.arguments.ratio > 1", "but saw decimal"),
        ('context.arguments.list like "a*"', "expected String but saw Set<String>"),
        ("context.arguments.deep.y", "`arguments.deep.y` in context not found"),
        ('context.arguments.branch == "x"', "`arguments.branch` in context not found"),
    ],
)
def test_questions_that_fail_are_errors(condition: str, expected: str) -> None:
    ((level, message),) = told(condition)
    assert level == "error"
    assert expected in message


@pytest.mark.parametrize("name", ["mixed", "any"])
def test_arguments_without_one_type_are_never_silently_accepted(name: str) -> None:
    for condition in (
        '== "x"',
        "== 5",
        'like "x*"',
        "> 5",
        '.contains("x")',
        '== ["x"]',
        ".x == 1",
    ):
        assert {level for level, _ in told(f"context.arguments.{name} {condition}")} <= {
            "warning",
            "error",
        }
        assert told(f"context.arguments.{name} {condition}")


@pytest.mark.parametrize("path", ["pth", "deep.y", "any.x", "branch"])
def test_asking_for_what_is_never_there_is_told(path: str) -> None:
    *around, last = path.split(".")
    left = ".".join(("context.arguments", *around))
    assert told(f"{left} has {last}") == [
        ("warning", f"nothing that it is about declares the argument `{path}`")
    ]


def test_only_the_tools_that_a_rule_is_about_count() -> None:
    asks = 'context.arguments.path like "/*"'
    for action, where, more in (
        ('in Action::"tools/call"', 'resource in Server::"files"', ""),
        ('in Action::"tools/call"', 'resource == Tool::"files/read"', ""),
        ('in [Action::"call files/read"]', "resource is Tool", ""),
        ('in Action::"tools/call"', "resource", ' && resource.server == "files"'),
    ):
        condition = f"true{more} && {asks}"
        assert told(condition, action, where=where) == []
    assert told(asks, 'in Action::"tools/call"') != []


def test_methods_that_accompany_a_use_have_no_arguments() -> None:
    ((_, message),) = told(
        'context.arguments.path like "/*"',
        'in Action::"use"',
        where='resource == Tool::"files/read"',
    )
    assert 'Action::"tasks/get"' in message


def test_a_tool_that_is_only_named_does_not_count() -> None:
    condition = 'action != Action::"call git/push" && context.arguments has path'
    assert told(condition, 'in Action::"tools/call"') == []


def test_arguments_of_prompts_are_strings_that_may_be_missing() -> None:
    prompt = '== Action::"prompts/get"'
    assert told('context.arguments has who && context.arguments.who == "x"', prompt) == []
    ((level, message),) = told("context.arguments has who && context.arguments.who == 1", prompt)
    assert (level, "Long and String" in message) == ("error", True)
    assert told("context.arguments has whom", prompt)[0][0] == "warning"


def test_a_thousand_tools_are_checked_in_moments() -> None:
    tools = [item(f"t{n}", inputSchema=READ.definition["inputSchema"]) for n in range(1000)]
    condition = 'context.arguments.path like "/*" && context.arguments.n == 1'
    assert len(told(condition, 'in Action::"tools/call"', *tools)) == 1
