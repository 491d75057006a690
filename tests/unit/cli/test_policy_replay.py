from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.policy_replay import replay
from bawn.storage import StateDirectory
from tests.audited import call
from tests.unit.cli.policies import audit, configured, publish
from tests.unit.review.rulesets import item, view

READ, WRITE = item("read"), item("write")

app = typer.Typer()
app.command()(replay)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    found = configured(tmp_path)
    state = StateDirectory(tmp_path / "state")
    audit(
        state,
        (call(1), READ),
        (call(2), WRITE),
        (call(3, params={"name": "files__read"}), "nothing permits it"),
    )
    publish(state, view(READ, WRITE))
    return found


def run(config: Path, *options: str) -> Result:
    return CliRunner().invoke(
        app, ["--config", str(config), str(config.parent / "policy"), *options]
    )


def test_what_changes_is_grouped_by_tool_and_principal(config: Path) -> None:
    result = run(config)
    assert result.exit_code == 0
    denied, row, allowed, _, rest = result.stdout.splitlines()
    assert (denied, allowed) == ("newly denied: 1", "newly allowed: 1")
    assert row.split() == [
        "1",
        "files/write",
        "ada@example.com",
        "nothing",
        "permits",
        "it",
        f"{2:032x}",
    ]
    assert rest == "3 calls, 1 unchanged"


def test_something_newly_denied_can_fail_a_build(config: Path) -> None:
    assert run(config, "--fail-on-denied").exit_code == 1
    (config.parent / "policy" / "b.cedar").write_text("permit (principal, action, resource);")
    assert run(config, "--fail-on-denied").exit_code == 0


def test_as_json_every_row_has_its_fields(config: Path) -> None:
    found = json.loads(run(config, "--json").stdout)
    assert (found["calls"], found["unchanged"]) == (3, 1)
    assert found["rows"][0]["change"] == "newly denied"


def test_only_the_time_that_is_asked_for_counts(config: Path) -> None:
    assert run(config, "--since", "2999-01-01").stdout == "0 calls, 0 unchanged\n"
    result = run(config, "--since", "soon")
    assert result.exit_code == 2
    assert "expected a time" in result.stderr


def test_without_an_audit_or_a_gate_it_says_what_to_do(tmp_path: Path) -> None:
    config = configured(tmp_path)
    result = run(config)
    assert (result.exit_code, "bawn up" in result.stderr) == (1, True)
    audit(StateDirectory(tmp_path / "state"), (call(1), READ))
    result = run(config)
    assert (result.exit_code, "bawn up" in result.stderr) == (1, True)
