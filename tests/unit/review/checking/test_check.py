"""Rules that can do nothing, or something else than they say, are found before they are in force."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bawn.config.policy import Approver
from bawn.findings.finding import Finding
from bawn.model import Kind, View
from bawn.policy.files.reading import ruleset
from bawn.policy.rules import Source
from bawn.review.checking.check import check
from tests.unit.review.rulesets import item, view

SCHEMA = {"type": "object", "properties": {"path": {"type": "string"}}, "required": ["path"]}
VIEW = view(
    item("read", inputSchema=SCHEMA),
    item("ls"),
    item("hello", Kind.PROMPT),
    item("send", server="mail"),
)
ROLES = {"developer"}


def found(
    text: str, offered: View | None = VIEW, approvers: Sequence[Approver] = (), **files: str
) -> list[Finding]:
    named = {name.replace("_", "."): content for name, content in files.items()}
    rules = ruleset(Source("d", (("a.cedar", text), *named.items())), 900)
    return check(rules, offered, ROLES, approvers)


def kinds(*given: object, **more: object) -> list[tuple[str, str]]:
    return [(each.level, each.kind) for each in found(*given, **more)]  # type: ignore[arg-type]


def approver(name: str, *roles: str) -> Approver:
    return Approver(name=name, roles=roles, desktop=True)


def test_rules_that_are_fine_have_no_findings() -> None:
    assert not found(
        'permit (principal in Role::"developer", action == Action::"call files/read", resource)\n'
        'when { context.arguments.path like "/docs/*" };\n'
        'permit (principal, action == Action::"prompts/get", resource == Prompt::"files/hello");\n'
        'forbid (principal, action in Action::"use", resource in Server::"mail")\n'
        "when { context.hour < 6 };\n"
        'permit (principal, action, resource == Resource::"files/any:///uri");'
    )


def test_without_a_view_a_note_says_what_was_not_checked() -> None:
    assert kinds('permit (principal, action == Action::"call x/y", resource);', None) == [
        ("note", "policy/unchecked")
    ]


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        (
            'principal, action == Action::"call files/red", resource',
            'no tool "red" (did you mean read?)',
        ),
        ('principal, action, resource == Tool::"files/lss"', 'no tool "lss" (did you mean ls?)'),
        ('principal, action, resource == Prompt::"files/helo"', 'no prompt "helo"'),
        ('principal, action, resource in Server::"file"', '"file" is known (did you mean files?)'),
        ('principal, action, resource == Resource::"gone/x"', 'no server "gone" is known'),
    ],
)
def test_names_that_nobody_offers_are_told_with_the_nearest(scope: str, told: str) -> None:
    (finding,) = found(f'// a\n@id("x") permit ({scope});')
    assert (finding.level, finding.kind, finding.rule) == ("warning", "policy/unknown", "x")
    assert finding.place == "a.cedar:2"
    assert told in finding.message


def test_patterns_of_labels_that_match_nothing_are_told() -> None:
    labels = (
        "servers: {files: {tools: {'re*': {cost: 2}, wr*: {cost: 2}}}, fils: {tools: {'*': {}}}}"
    )
    told = [
        each.message for each in found("permit (principal, action, resource);", labels_yaml=labels)
    ]
    assert told == [
        'files offers nothing that "wr*" matches',
        'no server "fils" is known (did you mean files?)',
    ]


@pytest.mark.parametrize(
    "rule",
    [
        'permit (principal, action == Action::"call files/read", resource == Tool::"mail/send");',
        'permit (principal, action == Action::"call files/read", resource) when { resource.name == "ls" };',
        "permit (principal, action, resource is Template);",
        "permit (principal, action, resource) when { context.flow.private && false };",
        "permit (principal, action, resource) unless { context.flow.private || true };",
    ],
)
def test_rules_that_can_never_match_are_told(rule: str) -> None:
    assert kinds(rule) == [("warning", "policy/unreachable")]


def test_types_are_checked_against_the_tools_that_a_rule_is_about() -> None:
    (finding,) = found(
        'permit (principal, action in Action::"tools/call", resource in Server::"files")\n'
        'when { context.arguments.path like "/docs/*" };'
    )
    assert (finding.level, finding.kind) == ("error", "policy/type")
    assert 'Action::"call files/ls"' in finding.message


def test_roles_that_nobody_is_known_to_have_are_noted() -> None:
    text = (
        'permit (principal in Role::"developr", action, resource)\n'
        'when { principal.roles.contains("lead") || principal.roles.containsAny(["developer", "x"]) };'
    )
    assert [each.message for each in found(text)] == [
        'nobody is known to have the role "developr" (did you mean developer?)',
        'nobody is known to have the role "lead"',
        'nobody is known to have the role "x"',
    ]
    declared = '[{"uid": {"type": "Role", "id": "lead"}}]'
    assert len(found(text, entities_json=declared)) == 2


def test_an_ask_that_nobody_is_known_to_satisfy_is_told() -> None:
    ask = '@ask("{}") @approvals("{}") forbid (principal, action, resource);'
    other = approver("ann", "other")
    assert kinds(ask.format("lead", 1), VIEW, [other]) == [("warning", "policy/ask")]
    assert kinds(ask.format("lead", 1)) == [("note", "policy/ask")]
    assert kinds(ask.format("lead, self", 1), VIEW, [other]) == []
    assert kinds(ask.format("developer", 1), VIEW, [other]) == []
    two = [approver("ann", "lead"), approver("bob", "lead", "other")]
    assert kinds(ask.format("lead", 2), VIEW, two) == []
    assert kinds(ask.format("lead", 3), VIEW, two) == [("note", "policy/ask")]


def test_rules_in_shadow_are_listed() -> None:
    assert kinds("@shadow permit (principal, action, resource);") == [("note", "policy/shadow")]


def test_findings_are_in_the_order_of_the_files() -> None:
    text = "\n".join(
        f"@shadow permit (principal, action, resource) when {{ context.hour == {n} }};"
        for n in range(12)
    )
    assert [each.line for each in found(text)] == list(range(1, 13))
