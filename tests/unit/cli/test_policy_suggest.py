from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.policy_cases import cases
from bawn.cli.policy_suggest import suggest
from bawn.storage import StateDirectory
from tests.audited import call
from tests.unit.cli.policies import audit, configured, publish
from tests.unit.review.rulesets import item, view

READ, WRITE = item("read"), item("write")

app = typer.Typer()
app.command("suggest")(suggest)
app.command("test")(cases)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    found = configured(tmp_path)
    state = StateDirectory(tmp_path / "state")
    audit(state, (call(1), READ))
    publish(state, view(READ, WRITE))
    return found


def run(config: Path, *options: str, verb: str = "suggest") -> Result:
    return CliRunner().invoke(app, [verb, "--config", str(config), *options])


def test_it_is_a_diff_against_the_policy_in_force(config: Path) -> None:
    result = run(config)
    assert result.exit_code == 0
    assert result.stdout.startswith("--- /dev/null\n+++ b/suggested.cedar\n@@")
    (config.parent / "policy" / "suggested.cedar").write_text("// mine\n")
    assert "--- a/suggested.cedar\n+++ b/suggested.cedar\n" in run(config).stdout


def test_what_is_written_passes_its_own_tests(config: Path) -> None:
    out = config.parent / "new"
    assert run(config, "--out", str(out)).exit_code == 0
    result = run(config, str(out), verb="test")
    assert (result.exit_code, result.stdout) == (0, "3 passed, 0 failed\n")


def test_nothing_is_overwritten_unless_forced(config: Path) -> None:
    out = config.parent / "new"
    run(config, "--out", str(out))
    (out / "suggested.cedar").write_text("// mine\n")
    result = run(config, "--out", str(out))
    assert (result.exit_code, "--force" in result.stderr) == (2, True)
    assert (out / "suggested.cedar").read_text() == "// mine\n"
    assert run(config, "--out", str(out), "--force").exit_code == 0
    assert (out / "suggested.cedar").read_text() != "// mine\n"


def test_as_json_it_is_the_files_by_path(config: Path) -> None:
    found = json.loads(run(config, "--json").stdout)
    assert set(found) == {"suggested.cedar", "tests/suggested-files.yaml"}


def test_when_nothing_was_seen_it_says_so(config: Path) -> None:
    result = run(config, "--since", "2999-01-01")
    assert (result.exit_code, "no call" in result.stderr) == (1, True)
