from __future__ import annotations

import json
from pathlib import Path

import typer
from typer.testing import CliRunner, Result

from bawn.cli.policy_explain import explain
from bawn.storage import StateDirectory
from tests.unit.cli.policies import RULES, configured, publish
from tests.unit.review.rulesets import item, view

app = typer.Typer()
app.command()(explain)


def run(config: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["--config", str(config), "--server", "files", *options])


def test_an_allowed_call_exits_with_zero_and_names_its_rule(tmp_path: Path) -> None:
    result = run(configured(tmp_path), "--tool", "read", "--role", "developer")
    assert result.exit_code == 0
    assert result.stdout.startswith("allow: permit reading\n  a.cedar:1: permit reading matches\n")


def test_a_denied_call_exits_with_one_and_prints_the_narrowest_permit(tmp_path: Path) -> None:
    result = run(configured(tmp_path), "--tool", "read", "--as", "ada")
    assert result.exit_code == 1
    assert (
        'give the caller role "developer": then permit reading at a.cedar:1 permits it'
        in result.stdout
    )
    assert (
        'permit (principal == User::"ada", action == Action::"call files/read", ' in result.stdout
    )


def test_as_json_a_forbid_comes_with_the_clause_that_spares_the_caller(tmp_path: Path) -> None:
    result = run(configured(tmp_path), "--tool", "drop", "--as", "ada", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert found["rule"] == "forbid never"
    assert found["unless"] == {
        "never": 'unless { principal == User::"ada" && resource == Tool::"files/drop" }'
    }


def test_arguments_and_flow_count(tmp_path: Path) -> None:
    rules = RULES + (
        '@id("path") @ask("boss") forbid (principal, action, resource)\n'
        '  when { context.arguments has path && context.arguments.path == "/" && context.flow.private };\n'
    )
    config = configured(tmp_path, rules)
    base = ("--tool", "read", "--role", "developer", "--arguments", '{"path": "/"}')
    assert run(config, *base).exit_code == 0
    result = run(config, *base, "--flow", "private")
    assert result.exit_code == 1
    assert result.stdout.startswith("ask: permit reading\n")


def test_the_running_gate_says_what_a_tool_is(tmp_path: Path) -> None:
    rules = '@id("safe") permit (principal, action in Action::"tools/call", resource) when { resource.readOnly };'
    config = configured(tmp_path, rules)
    assert run(config, "--tool", "read").exit_code == 1
    publish(
        StateDirectory(tmp_path / "state"), view(item("read", annotations={"readOnlyHint": True}))
    )
    assert run(config, "--tool", "read").exit_code == 0


def test_wrong_use_is_said(tmp_path: Path) -> None:
    config = configured(tmp_path)
    for options, told in (
        ((), "expected exactly one of tool"),
        (("--tool", "read", "--arguments", "{"), "not JSON"),
        (("--tool", "read", "--arguments", "[]"), "expected a JSON object"),
        (("--tool", "read", "--flow", "bad"), "expected one of untrusted"),
        (("--tool", "read", "--policy", "nowhere"), "nowhere"),
    ):
        result = run(config, *options)
        assert (result.exit_code, told in result.stderr) == (2, True), result.output


def test_of_another_tenants_server_policy_is_not_asked(tmp_path: Path) -> None:
    config = configured(tmp_path)
    config.write_text(
        config.read_text() + "servers: {files: {url: 'http://127.0.0.1:1/', tenant: acme}}\n"
    )
    result = run(config, "--tool", "read", "--role", "developer")
    assert (result.exit_code, "belongs to acme" in result.stderr) == (1, True)
    assert run(config, "--tool", "read", "--role", "developer", "--tenant", "acme").exit_code == 0
