"""The policy sets in examples/ do what their tests, their READMEs and the checker say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import MappingProxyType

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config import Config
from bawn.config.load import parse
from bawn.model import Endpoint, Item, Kind, Label, View
from bawn.policy.engine import CedarEngine
from bawn.policy.files import reading, source
from bawn.policy.roles import BUILT_IN
from bawn.policy.rules import Rule, RuleSet
from bawn.review.checking.check import check
from bawn.review.trials import cases, testing

POLICIES = Path(__file__).parents[2] / "examples" / "policies"
SETS = ("solo", "team", "regulated", "read-only-agents", "break-glass")

_YAML = re.compile(r"^```yaml\n(.*?)^```", re.MULTILINE | re.DOTALL)

every_set = pytest.mark.parametrize("name", SETS)


def readme_lines(name: str) -> str:
    """The lines of bawn.yaml that the set's README gives."""
    (lines,) = _YAML.findall((POLICIES / name / "README.md").read_text("utf-8"))
    return str(lines)


@cache
def configured(name: str) -> Config:
    return parse(readme_lines(name).encode(), POLICIES / name / "bawn.yaml", {}).config


@cache
def rules(name: str) -> RuleSet:
    return reading.ruleset(source.read(POLICIES / name), configured(name).approvals.within)


@cache
def files(name: str) -> tuple[cases.Cases, ...]:
    found = sorted((POLICIES / name / "tests").glob("*.yaml"))
    return tuple(cases.read(path.read_bytes(), path.name) for path in found)


def offered(name: str) -> View:
    """What the servers of the set's cases offer, all of them together."""
    by_server: dict[str, dict[Kind, dict[str, Item]]] = {}
    for file in files(name):
        for item in file.items:
            kinds = by_server.setdefault(item.server, {kind: {} for kind in Kind})
            kinds[item.kind][item.name] = item
    endpoints: Mapping[str | None, Endpoint] = {
        server: Endpoint(server, MappingProxyType(kinds), frozenset(), {}, {}, 0)
        for server, kinds in by_server.items()
    }
    return View("", endpoints)


def met_roles(name: str) -> set[str]:
    """The roles that the gate brings, that bawn.yaml names, and that the callers of the cases have."""
    config = configured(name)
    given = {role for each in config.identity.issuers for role in each.roles.values()}
    called = {r for file in files(name) for case in file.cases for r in case.entry.caller.roles}
    return {*BUILT_IN, *config.roles, *config.identity.local_roles, *given, *called}


def counting(name: str) -> Iterator[tuple[Rule, RuleSet]]:
    """Each rule that counts, with the set as it would be without it."""
    whole = rules(name)
    for rule in whole.rules:
        if not rule.shadow:
            yield rule, replace(whole, rules=tuple(r for r in whole.rules if r is not rule))


def test_every_set_that_is_there_is_tested_and_told_of() -> None:
    there = {path.name for path in POLICIES.iterdir() if path.is_dir()}
    page = (POLICIES.parents[1] / "docs" / "policy.md").read_text("utf-8")

    assert there == set(SETS)
    assert [name for name in SETS if f"(../examples/policies/{name}/README.md)" not in page] == []


@every_set
def test_its_cases_go_as_expected_and_make_every_rule_speak(name: str) -> None:
    config = configured(name)

    report = testing.run(rules(name), config.roles, files(name), within=config.approvals.within)

    assert len(report.results) >= len(rules(name).rules)
    assert [(each.case.place, each.failures) for each in report.failed] == []
    assert [rule.id for rule in report.unused] == []


@every_set
def test_a_case_fails_whichever_rule_is_taken_away(name: str) -> None:
    roles = configured(name).roles

    unmissed = [
        rule.id for rule, rest in counting(name) if not testing.run(rest, roles, files(name)).failed
    ]

    assert unmissed == []


@every_set
def test_taking_a_rule_on_trial_into_force_changes_something(name: str) -> None:
    roles, whole = configured(name).roles, rules(name)
    earnest = replace(whole, rules=tuple(replace(rule, shadow=False) for rule in whole.rules))

    assert any(rule.shadow for rule in whole.rules)
    assert testing.run(earnest, roles, files(name)).failed


@every_set
def test_the_gate_itself_decides_the_cases_so_and_lists_what_may_be_called(name: str) -> None:
    config, now, flow = configured(name), 0.0, frozenset[Label]()
    tenants = {id_: server.tenant for id_, server in config.servers.items()}
    engine = CedarEngine(
        rules(name), config.roles, clock=lambda: now, touched=lambda call: flow,
        within=config.approvals.within, tenant_of=tenants,
    )  # fmt: skip
    engine.swap(offered(name))

    for case in (case for file in files(name) for case in file.cases):
        call, expect = testing.call_of(case.entry), case.entry.expect
        now, flow = case.entry.given.instant, frozenset(case.entry.given.flow)
        if tenants[case.item.server] == call.principal.tenant:  # else it is not for rules to decide
            decided = engine.decide(call, case.item)
            assert (decided.allowed, bool(decided.asks)) == (expect != "deny", expect == "ask"), (
                case.place
            )
            assert engine.may(call.principal, case.item) or not decided.allowed, case.place


@every_set
def test_the_checker_has_nothing_against_it(name: str) -> None:
    approvers = configured(name).approvals.approvers

    found = check(rules(name), offered(name), met_roles(name), approvers)

    assert [(each.place, each.kind, each.message) for each in found if each.level != "note"] == []
    assert {each.kind for each in found} == {"policy/shadow"}


@every_set
def test_every_rule_has_a_name_and_says_what_it_is_for(name: str) -> None:
    lacking = [
        rule.place
        for rule in rules(name).rules
        if rule.id == rule.place or not rule.ast["annotations"].get("description")
    ]

    assert lacking == []


@every_set
def test_its_servers_and_tenants_are_those_of_its_configuration(name: str) -> None:
    servers = configured(name).servers
    said = {
        item.server: (file.tenants or {}).get(item.server, "")
        for file in files(name)
        for item in file.items
    }
    tenants = {server.tenant for server in servers.values()}

    assert said == {server: servers[server].tenant for server in said}
    assert {rule.tenant for rule in rules(name).rules} <= {"", *tenants}
    assert {server for server, _ in rules(name).labels} <= servers.keys()


@every_set
@pytest.mark.parametrize("command", ["check", "test", "fmt --check"])
def test_the_commands_are_content_with_it(name: str, command: str, tmp_path: Path) -> None:
    configuration = tmp_path / "bawn.yaml"
    lines = readme_lines(name).replace("policy: ./policies", f"policy: {POLICIES / name}")
    configuration.write_text(lines, "utf-8")

    done = CliRunner().invoke(app, ["policy", *command.split(), "--config", str(configuration)])

    assert done.exit_code == 0, done.output
