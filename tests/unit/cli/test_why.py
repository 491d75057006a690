from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.audit.writer import Writer
from bawn.cli.why import why
from bawn.storage import StateDirectory
from tests.audited import ADA, call
from tests.unit.cli.policies import audit, configured, publish
from tests.unit.review.rulesets import item, view

READ, DROP = item("read"), item("drop")

app = typer.Typer()
app.command()(why)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    found = configured(tmp_path)
    state = StateDirectory(tmp_path / "state")
    audit(
        state,
        (call(0x1A), READ),
        (call(0x2B, params={"name": "files__read"}), "nothing permits it"),
        (call(0x3C, params={"name": "files__drop"}), "forbid never"),
    )
    writer = Writer(state)
    writer.refusal(call(0x4D, params={"name": "files__read"}), "limit.rate", "")
    writer.refusal(call(0x5E, params={"name": "files__read"}), "approval.pending", "permit reading")
    writer.close()
    publish(state, view(READ, DROP))
    return found


def run(config: Path, number: int | str, *options: str) -> Result:
    trace = number if isinstance(number, str) else f"{number:032x}"
    return CliRunner().invoke(app, ["--config", str(config), trace, *options])


def test_what_nothing_permits_comes_with_the_permit_that_would(config: Path) -> None:
    result = run(config, 0x2B)
    assert result.exit_code == 0
    for told in (
        "ada@example.com (roles: developer), tools/call files/read\n",
        "refused: policy.denied: Not known here\n",
        "rule: nothing permits it\n",
        'permit (principal == User::"ada@example.com", action == Action::"call files/read", ',
        'resource == Tool::"files/read") when { principal.issuer == "https://idp.example.com" };\n',
    ):
        assert told in result.stdout


def test_what_is_forbidden_tells_the_place_and_the_clause(config: Path) -> None:
    result = run(config, 0x3C)
    assert "forbid never stands at a.cedar:3\n" in result.stdout
    assert (
        'unless { principal == User::"ada@example.com" && resource == Tool::"files/drop"'
        in result.stdout
    )
    assert "this would allow it" not in result.stdout


def test_limits_and_approvals_tell_the_setting_or_the_command(config: Path) -> None:
    assert "raise the quota" in run(config, 0x4D).stdout
    assert "see: bawn approvals list\n" in run(config, 0x5E).stdout


def test_a_call_that_left_tells_its_rule_and_how_it_ended(config: Path) -> None:
    result = run(config, 0x1A)
    assert "allowed: ok: the server answered\n" in result.stdout
    assert "permit reading stands at a.cedar:1\n" in result.stdout


def test_the_beginning_of_an_id_is_enough_when_it_is_the_only_one(config: Path) -> None:
    assert run(config, f"{0x2B:032x}"[:31]).exit_code == 0
    result = run(config, "0000")
    assert (result.exit_code, "5 calls begin" in result.stderr) == (1, True)


def test_an_unknown_id_is_not_found(config: Path) -> None:
    result = run(config, "feed")
    assert (result.exit_code, "no call feed" in result.stderr) == (1, True)
    assert run(config, "").exit_code == 2


def test_as_json_it_is_one_object_for_each_call_of_the_trace(config: Path) -> None:
    (found,) = json.loads(run(config, 0x3C, "--json").stdout)
    assert (found["reason"], found["roles"], found["places"]) == (
        "policy.denied", ["developer"], [{"rule": "never", "place": "a.cedar:3"}],
    )  # fmt: skip


def test_it_needs_no_running_gate(tmp_path: Path) -> None:
    config = configured(tmp_path)
    state = StateDirectory(tmp_path / "state")
    audit(state, (call(7, params={"name": "files__read"}), "nothing permits it"))
    result = run(config, 7)
    assert result.exit_code == 0
    assert "nothing permits it" in result.stdout


@pytest.fixture
def inspected(config: Path, tmp_path: Path) -> Path:
    """The same audit with a call that the inspection refused, and one whose answer it marked."""
    writer = Writer(StateDirectory(tmp_path / "state"))
    made = call(0x6F, params={"name": "files__read"})
    writer.refusal(made, "inspection.argument", "/arguments/path (argument/path-traversal)")
    found = {"rule": "output/override", "severity": "high", "place": "/content/0/text"}
    detail: dict[str, object] = {"way": "outputs", "findings": [{**found, "action": "mark"}]}
    writer.event(ADA, "inspection.found", f"{0x1A:032x}", detail)
    writer.close()
    return config


def test_what_the_inspection_refused_tells_rule_place_and_the_setting_that_lets_it_pass(
    inspected: Path,
) -> None:
    result = run(inspected, 0x6F)

    for told in (
        "refused: inspection.argument: An argument was refused\n",
        "found in arguments: argument/path-traversal at /arguments/path: block\n",
        "Dots that climb out",
        "this in bawn.yaml would let it pass: servers.files.arguments: {read: {path: text}}\n",
        'or: inspection.suppressions: [{rule: "argument/path-traversal", server: files, tool: read,',
    ):
        assert told in result.stdout
    (found,) = json.loads(run(inspected, 0x6F, "--json").stdout)
    assert found["found"][0]["place"] == "/arguments/path"
    assert len(found["exempt"]) == 2


def test_what_was_found_in_an_answer_is_told_and_needs_no_setting(inspected: Path) -> None:
    result = run(inspected, 0x1A)

    assert "found in outputs: output/override (high) at /content/0/text: mark\n" in result.stdout
    assert "would let it pass" not in result.stdout
