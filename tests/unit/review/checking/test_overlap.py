"""Rules that another one makes pointless are proven so, and only those."""

from __future__ import annotations

import pytest

from bawn.policy.files.reading import ruleset
from bawn.policy.rules import Source
from bawn.review.checking.overlap import findings

ALL = "permit (principal, action, resource);"


def kinds(*texts: str, **tenants: str) -> list[tuple[str, str]]:
    files = [(f"{number}.cedar", text) for number, text in enumerate(texts)]
    files += [(f"tenants/{name}/a.cedar", text) for name, text in tenants.items()]
    rules = ruleset(Source("d", tuple(files)), 900).rules
    return [(each.kind.removeprefix("policy/"), each.file) for each in findings(rules)]


def test_the_same_said_twice_is_a_duplicate_however_it_is_written() -> None:
    one = "permit (principal, action, resource) when { context.hour == 1 && context.weekday == 2 };"
    two = "permit(principal,action,resource) when {context.hour==1} when { context.weekday == 2 };"
    assert kinds(one, two) == [("duplicate", "1.cedar")]


def test_the_same_with_another_meaning_is_no_duplicate() -> None:
    forbid = "forbid (principal, action, resource) when { context.hour == 1 };"
    assert kinds(forbid, f'@ask("self") {forbid}', f"@shadow {forbid}", a=forbid, b=forbid) == []


@pytest.mark.parametrize(
    ("wide", "narrow"),
    [
        ("principal, action, resource", 'principal, action, resource == Tool::"a/b"'),
        (
            'principal, action in Action::"use", resource',
            'principal, action == Action::"prompts/get", resource',
        ),
        (
            'principal, action in Action::"tools/call", resource',
            'principal, action == Action::"call a/b", resource',
        ),
        (
            'principal, action in Action::"use", resource',
            'principal, action in [Action::"tools/call", Action::"extension"], resource',
        ),
        (
            'principal, action, resource in Server::"a"',
            'principal, action, resource == Tool::"a/b"',
        ),
        ("principal, action, resource is Tool", 'principal, action, resource == Tool::"a/b"'),
        (
            "principal, action, resource is Tool",
            'principal, action, resource is Tool in Server::"a"',
        ),
        (
            'principal in Role::"r", action, resource',
            'principal in Role::"r", action, resource is Tool',
        ),
    ],
)
def test_what_a_wider_rule_says_is_redundant_or_overridden(wide: str, narrow: str) -> None:
    narrow = f"permit ({narrow}) when {{ context.hour == 1 }};"
    assert kinds(f"permit ({wide});", narrow) == [("redundant", "1.cedar")]
    assert kinds(f"forbid ({wide});", narrow) == [("conflict", "1.cedar")]
    assert kinds(f"permit ({wide});", narrow.replace("permit", "forbid")) == []
    assert kinds(f"permit ({wide}) when {{ context.hour == 2 }};", narrow) == []
    assert kinds(f'@ask("self") forbid ({wide});', narrow) == []
    assert kinds(f"@shadow permit ({wide});", narrow) == []
    assert kinds(narrow, a=f"forbid ({wide});") == []
    assert kinds(f"forbid ({wide});", a=narrow) == [("conflict", "tenants/a/a.cedar")]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            'principal, action == Action::"call a/b", resource',
            'principal, action == Action::"call a/c", resource',
        ),
        (
            'principal, action in Action::"tools/call", resource',
            'principal, action == Action::"tasks/get", resource',
        ),
        (
            'principal, action, resource in Server::"a"',
            'principal, action, resource == Tool::"ab/c"',
        ),
        ("principal, action, resource is Tool", 'principal, action, resource in Server::"a"'),
        ("principal is User, action, resource", "principal is Agent, action, resource"),
        ('principal in Role::"r", action, resource', "principal, action, resource is Tool"),
    ],
)
def test_rules_that_only_meet_are_left_alone(one: str, other: str) -> None:
    assert kinds(f"permit ({one});", f"permit ({other});") == []
