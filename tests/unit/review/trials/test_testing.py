from __future__ import annotations

import pytest

from bawn.review.trials import cases
from bawn.review.trials.testing import Report, run
from tests.unit.review.rulesets import ruleset

RULES = """
@id("read") permit (principal in Role::"developer", action, resource) when { resource has readOnly && resource.readOnly };
@id("write") permit (principal in Role::"developer", action == Action::"call files/write", resource)
  when { context.arguments has path && context.arguments.path like "/tmp/*" };
@id("flows") @ask("operator, self") forbid (principal, action, resource)
  when { context.flow.untrusted && context.flow.private };
@id("night") forbid (principal, action, resource) when { context.hour < 6 };
@id("never") permit (principal == User::"root", action, resource);
@id("dark") @shadow forbid (principal, action, resource);
"""
SERVERS = """
servers:
  files:
    tools: [{name: read, annotations: {readOnlyHint: true}}, {name: write}]
cases:
"""


def report(*written: str) -> Report:
    text = SERVERS + "".join(f"  - {each}\n" for each in written)
    return run(ruleset(RULES), {}, [cases.read(text.encode(), "tests/a.yaml")])


def failures(written: str) -> list[str]:
    (result,) = report(written).results
    return list(result.failures)


@pytest.mark.parametrize(
    "case",
    [
        "{as: {roles: [developer]}, call: {server: files, tool: read}, expect: allow, rule: read}",
        "{as: {roles: [viewer]}, call: {server: files, tool: read}, expect: deny}",
        "{as: {roles: [developer]}, call: {server: files, tool: write}, expect: deny}",
        "{as: {roles: [developer]}, call: {server: files, tool: write, arguments: {path: /tmp/a}}, expect: allow, rule: write}",
        "{as: {roles: [developer]}, call: {server: files, tool: read}, given: {flow: [untrusted, private]}, expect: ask, rule: flows, asks: [self, operator]}",
        "{as: {roles: [developer]}, call: {server: files, tool: read}, given: {flow: [untrusted]}, expect: allow}",
        "{as: {roles: [developer]}, call: {server: files, tool: read}, given: {now: 2026-01-07T02:00:00Z}, expect: deny, rule: night}",
    ],
)
def test_a_case_that_goes_as_expected_passes(case: str) -> None:
    assert failures(case) == []


@pytest.mark.parametrize(
    ("case", "told"),
    [
        ("{call: {server: files, tool: read}, expect: allow}", "expected allow, came deny: nothing permits it"),
        ("{as: {roles: [developer]}, call: {server: files, tool: read}, expect: deny}", "expected deny, came allow: permit read"),
        ("{as: {roles: [developer]}, call: {server: files, tool: read}, expect: allow, rule: write}", "expected rule write, came read"),
        ("{call: {server: files, tool: read}, expect: deny, rule: night}", "expected rule night, came none"),
        ("{call: {server: files, tool: read}, expect: deny, rule: dark}", "expected rule dark, came none"),
        ("{as: {roles: [developer]}, call: {server: files, tool: read}, given: {flow: [untrusted, private]}, expect: ask, asks: [boss]}", "expected to ask boss, came operator, self"),
    ],
)  # fmt: skip
def test_a_case_that_does_not_tells_what_was_expected_and_what_came(case: str, told: str) -> None:
    assert failures(case) == [told]


def test_each_case_has_its_own_time_and_flow() -> None:
    base = "as: {roles: [developer]}, call: {server: files, tool: read}"
    found = report(
        f"{{{base}, given: {{now: 2026-01-07T02:00:00Z, flow: [untrusted, private]}}, expect: deny}}",
        f"{{{base}, expect: allow}}",
    )
    assert found.failed == ()


def test_rules_that_no_case_made_speak_are_told() -> None:
    found = report("{as: {roles: [developer]}, call: {server: files, tool: read}, expect: allow}")
    assert [rule.id for rule in found.unused] == ["write", "flows", "night", "never"]


def test_a_rule_that_fails_denies_and_can_be_expected() -> None:
    rules = ruleset(
        '@id("bad") permit (principal, action, resource) when { context.arguments.x == 1 };'
    )
    text = "cases: [{call: {server: x, tool: t}, expect: deny, rule: bad}]"
    assert run(rules, {}, [cases.read(text.encode(), "a.yaml")]).failed == ()


def test_a_server_is_its_tenants_alone_whatever_policy_says() -> None:
    text = """
servers: {files: {tenant: acme, tools: [{name: read}]}, web: {tools: [{name: read}]}}
cases:
  - {as: {tenant: acme}, call: {server: files, tool: read}, expect: allow}
  - {call: {server: files, tool: read}, expect: deny}
  - {as: {tenant: acme}, call: {server: web, tool: read}, expect: deny}
"""
    rules = ruleset("permit (principal, action, resource);")
    assert run(rules, {}, [cases.read(text.encode(), "a.yaml")]).failed == ()
