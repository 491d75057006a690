from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.policy_cases import cases
from tests.unit.cli.policies import CASES, RULES, configured

app = typer.Typer()
app.command()(cases)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, [str(each) for each in arguments])


def test_cases_that_pass_are_counted_and_rules_that_stay_silent_named(tmp_path: Path) -> None:
    result = run("--config", configured(tmp_path))
    assert result.exit_code == 0
    assert result.stdout == "note: a.cedar:3: no case makes never speak\n1 passed, 0 failed\n"


def test_a_directory_can_be_tested_without_a_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(tmp_path)
    (tmp_path / "bawn.yaml").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert run(tmp_path / "policy").exit_code == 0


def test_a_case_that_fails_tells_place_expectation_and_explanation(tmp_path: Path) -> None:
    config = configured(tmp_path, cases=CASES.replace("[developer]", "[viewer]"))
    result = run("--config", config)
    assert result.exit_code == 1
    for told in (
        "FAILED tests/a.yaml:4: somebody (viewer): tools/call files/read\n",
        "expected allow, came deny: nothing permits it\n",
        "a.cedar:1: permit reading does not match\n",
        '- principal in Role::"developer"\n',
        'give the caller role "developer"',
        "0 passed, 1 failed\n",
    ):
        assert told in result.stdout


def test_as_json_every_case_has_its_verdict(tmp_path: Path) -> None:
    config = configured(tmp_path, cases=CASES.replace("expect: allow", "expect: deny"))
    result = run("--config", config, "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    (case,) = found["cases"]
    assert (case["place"], case["expected"], case["came"], case["rule"]) == (
        "tests/a.yaml:4", "deny", "allow", "permit reading",
    )  # fmt: skip
    assert case["explanation"]["rules"][0]["matched"]
    assert found["unused"] == [{"rule": "never", "place": "a.cedar:3"}]


def test_problems_of_all_files_are_told_together(tmp_path: Path) -> None:
    config = configured(tmp_path, cases="cases: 1")
    (tmp_path / "policy" / "tests" / "b.yaml").write_text("case: 1")
    result = run("--config", config)
    assert result.exit_code == 2
    assert "tests/a.yaml:1: " in result.stderr
    assert "tests/b.yaml:1: " in result.stderr


def test_without_cases_it_says_so(tmp_path: Path) -> None:
    result = run("--config", configured(tmp_path, cases=None))
    assert result.exit_code == 2
    assert "no test cases" in result.stderr


def test_rules_that_cannot_be_read_are_wrong_use(tmp_path: Path) -> None:
    result = run("--config", configured(tmp_path, rules=RULES + "permit ("))
    assert result.exit_code == 2
    assert "a.cedar:5" in result.stderr
    assert "Traceback" not in result.output
