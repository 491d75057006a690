"""What a rule can be about is narrowed by what is plain to see, and by nothing else."""

from __future__ import annotations

import pytest

from bawn.model import Kind
from bawn.policy.files.reading import ruleset
from bawn.policy.rules import Source
from bawn.review.checking import reach
from tests.unit.review.rulesets import item, view

READ, LIST, SEND = item("read"), item("ls"), item("send", server="mail")
HELLO, FILE = item("hello", Kind.PROMPT), item("file:///a", Kind.RESOURCE)
VIEW = view(READ, LIST, SEND, HELLO, FILE)
FILES = {"read", "ls", "hello", "file:///a"}


def about(scope: str, condition: str = "true") -> set[str]:
    text = f"permit ({scope}) when {{ {condition} }};"
    (rule,) = ruleset(Source("d", (("a.cedar", text),)), 900).rules
    return {each.name for each in reach.about(rule, reach.offered(VIEW))}


EVERYTHING = FILES | {"send"}


@pytest.mark.parametrize(
    ("scope", "names"),
    [
        ("principal, action, resource", EVERYTHING),
        ('principal, action in Action::"use", resource', EVERYTHING),
        ('principal, action in Action::"tools/call", resource', {"read", "ls", "send"}),
        ('principal, action == Action::"call files/read", resource', {"read"}),
        ('principal, action == Action::"tasks/get", resource', {"read", "ls", "send"}),
        ('principal, action == Action::"completion/complete", resource', {"hello", "file:///a"}),
        ('principal, action == Action::"resources/subscribe", resource', {"file:///a"}),
        ('principal, action, resource in Server::"files"', FILES),
        ('principal, action, resource == Prompt::"files/hello"', {"hello"}),
        ("principal, action, resource is Resource", {"file:///a"}),
        ('principal, action, resource is Tool in Server::"files"', {"read", "ls"}),
        ('principal, action, resource in Tenant::"acme"', EVERYTHING),
    ],
)
def test_the_scope_narrows(scope: str, names: set[str]) -> None:
    assert about(scope) == names


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ('resource.server == "mail"', {"send"}),
        ('resource.server == "mail" || resource.name == "ls"', {"send", "ls"}),
        ('resource is Tool && context.hour > 5 && resource in Server::"files"', {"read", "ls"}),
        ('resource in [Tool::"mail/send", Tool::"files/read"]', {"send", "read"}),
        ('action in [Action::"call files/ls"]', {"ls"}),
        ('resource is Prompt in Server::"mail"', set()),
        ('resource in Tenant::"acme"', EVERYTHING),
        ('!(resource.server == "mail")', EVERYTHING),
        ('["mail"].contains(resource.server)', EVERYTHING),
        ("resource.server == principal.subject", EVERYTHING),
    ],
)
def test_plain_conditions_narrow_and_others_do_not(condition: str, names: set[str]) -> None:
    assert about("principal, action, resource", condition) == names


def test_what_callers_can_name_without_a_list_counts() -> None:
    text = (
        'permit (principal, action, resource == Resource::"files/any:///x");\n'
        'permit (principal, action, resource == Method::"gone/y");'
    )
    rules = ruleset(Source("d", (("a.cedar", text),)), 900).rules
    made = {(each.kind, each.server, each.name) for each in reach.nameable(rules, VIEW)}
    assert made == {
        (Kind.RESOURCE, "files", ""),
        (Kind.RESOURCE, "mail", ""),
        (Kind.METHOD, "files", ""),
        (Kind.METHOD, "mail", ""),
        (Kind.RESOURCE, "files", "any:///x"),
    }


def test_an_item_of_several_endpoints_is_offered_once() -> None:
    assert len(reach.offered(VIEW)) == 5
    assert reach.servers(VIEW) == {"files", "mail"}
