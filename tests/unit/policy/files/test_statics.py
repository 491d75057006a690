"""What can be wrong with a rule whichever servers there are, is told when it is read."""

from __future__ import annotations

import pytest

from bawn.errors import Misconfigured
from bawn.policy.files.reading import ruleset
from bawn.policy.rules import Source


def problems(text: str) -> tuple[str, ...]:
    try:
        ruleset(Source("", (("a.cedar", text),)), 900)
    except Misconfigured as problem:
        return problem.problems
    return ()


def when(condition: str, scope: str = "principal, action, resource") -> tuple[str, ...]:
    return problems(f"permit ({scope}) when {{ {condition} }};")


@pytest.mark.parametrize(
    "condition",
    [
        "principal.roles.containsAny(resource.allows)",
        'principal.issuer == "x" && principal.agent == "" && principal.scopes.contains("s")',
        'principal in Role::"lead" || principal in Group::"ops" || principal in Tenant::"acme"',
        "resource is Tool && (resource.readOnly || resource.annotated)",
        'resource in Server::"files" && resource.labels.contains("sends")',
        'resource == Tool::"files/read" && context.arguments.path like "/docs/*"',
        'context.arguments has n && context.arguments.n > 5 && context.arguments.n != "x"',
        'context.client.name == "x" && context.endpoint == "" && context.risk.contains("x")',
        'context.now > datetime("2026-01-01") && context.hour < 5 && context.weekday != 7',
        "context.flow.untrusted && context.flow.private && !context.flow.sends",
        'action in [Action::"tools/call", Action::"extension"]',
        'if context.arguments has a then context.arguments.a == 1 else resource.name == "x"',
    ],
)
def test_what_policies_may_look_at_is_accepted(condition: str) -> None:
    assert when(condition) == ()


@pytest.mark.parametrize(
    ("condition", "told"),
    [
        (
            "resource.readOnly",
            "`readOnly` is no attribute of Method or Prompt or Resource or Template",
        ),
        ("principal.role == 1", "`role` is no attribute of Agent or User"),
        (
            "context.methd == 1",
            'attribute `methd` in context not found for Action::"call SERVER/NAME"',
        ),
        ('context.hour == "5"', "the types Long and String are not compatible"),
        ("context.arguments has x && principal.foo", "`foo` is no attribute"),
        ("!(context.arguments.x == 1 || context.flow.foo)", "`flow.foo` in context not found"),
        ('resource.labels.contains("send")', '"send": unknown label (did you mean sends?)'),
        ('resource.labels.containsAny(["sends", "x"])', '"x": unknown label'),
        ('principal in Rolle::"x"', 'Rolle::"x": unknown type (did you mean Role?)'),
        ("principal is Person", "unrecognized entity type `Person`"),
        ('resource == Tool::"read"', 'Tool::"read": expected SERVER/NAME'),
        ('resource in Server::"Files"', 'Server::"Files": expected the id of a server'),
        ('action == Action::"tools/call"', 'write `action in Action::"tools/call"`'),
        ('Action::"use" == action', 'write `action in Action::"use"`'),
        ('action == Action::"call read"', 'expected Action::"call SERVER/TOOL"'),
        ('action == Action::"tools/list"', "lists follow from what may be used"),
        ('User::"ann".roles.contains("x")', 'User::"ann": nothing is known of an entity'),
        ('User::"ann" in Group::"x"', 'User::"ann": nothing is known of an entity'),
        ('User::"ann" has roles', 'User::"ann": nothing is known of an entity'),
        ('(if context.hour > 5 then User::"a" else principal).subject == ""', "nothing is known"),
    ],
)
def test_what_fails_or_never_matches_is_refused_with_its_place(condition: str, told: str) -> None:
    (problem, *_) = when(condition)
    assert problem.startswith("a.cedar:1: ")
    assert told in problem


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ('principal, action == Action::"tools/call", resource', "is a group of actions"),
        ('principal, action == Action::"tools/cal", resource', "did you mean tools/call?"),
        ('principal == Group::"g", action, resource', "never matches: no action goes with"),
        ('principal, action == Action::"prompts/get", resource is Tool', "never matches"),
        ('principal, action, resource == Tool::"x"', "expected SERVER/NAME"),
    ],
)
def test_scopes_that_never_match_are_refused(scope: str, told: str) -> None:
    (problem, *_) = problems(f"permit ({scope});")
    assert told in problem


def test_the_action_of_any_tool_can_be_named() -> None:
    assert problems('permit (principal, action == Action::"call a/b/c d", resource);') == ()
    assert (
        problems('permit (principal, action in [Action::"call a/b"], resource == Tool::"a/b");')
        == ()
    )


def test_a_problem_is_told_of_the_rule_that_has_it() -> None:
    good = "permit (principal, action, resource) when { context.hour == 1 };"
    bad = 'permit (principal, action, resource) when { context.hour == "1" };'
    named = 'permit (principal, action == Action::"use", resource);'
    (one, two) = problems("\n".join((good, named, good, bad, good)))
    assert one.startswith("a.cedar:2: ")
    assert two.startswith("a.cedar:4: ")
