"""`bawn policy check|fmt|show` say what is wrong, and change nothing but the form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bawn.cli import app
from bawn.policy.files.source import builtin
from bawn.storage import StateDirectory
from tests.unit.cli.policies import configured, publish
from tests.unit.review.rulesets import item, view

GOOD = '@id("read")\npermit (principal in Role::"developer", action == Action::"call files/read", resource);\n'
FORMED = """\
@id("read")
permit (
  principal in Role::"developer",
  action == Action::"call files/read",
  resource
);
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))


def run(*arguments: str | Path) -> Result:
    result = CliRunner().invoke(app, ["policy", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def gate(tmp_path: Path, rules: str = GOOD) -> Path:
    """A configuration whose gate has published one tool."""
    config = configured(tmp_path, rules)
    publish(StateDirectory(tmp_path / "state"), view(item("read")))
    return config


def test_rules_that_fit_the_running_gate_are_fine(tmp_path: Path) -> None:
    result = run("check", "--config", gate(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "0 errors, 0 warnings, 0 notes\n")


def test_names_are_checked_against_the_running_gate(tmp_path: Path) -> None:
    result = run("check", "--config", gate(tmp_path, GOOD.replace("files/read", "files/red")))
    assert result.exit_code == 1
    assert (
        'a.cedar:1: warning: files offers no tool "red" (did you mean read?) [read]\n'
        in result.stdout
    )
    assert result.stdout.endswith("0 errors, 1 warning, 0 notes\n")


def test_without_a_gate_a_note_says_so_and_makes_no_state(tmp_path: Path) -> None:
    result = run("check", "--config", configured(tmp_path, GOOD))
    assert result.exit_code == 0
    assert "names and arguments of tools were not checked" in result.stdout
    assert not (tmp_path / "state").exists()


def test_a_directory_can_be_checked_without_a_configuration(tmp_path: Path) -> None:
    configured(tmp_path, GOOD).unlink()
    assert run("check", "policy").exit_code == 0
    assert run("check").exit_code == 2


def test_rules_that_cannot_be_in_force_are_told_as_findings_with_code_2(tmp_path: Path) -> None:
    config = configured(tmp_path, f"permit (;\n{GOOD}@x {GOOD}")
    result = run("check", "--config", config, "--json", "--sarif", tmp_path / "out.sarif")
    assert result.exit_code == 2
    found = json.loads(result.stdout)
    assert [(each["level"], each["kind"], each["line"]) for each in found] == [
        ("error", "policy/invalid", 1),
        ("error", "policy/invalid", 4),
    ]
    (sarif_run,) = json.loads((tmp_path / "out.sarif").read_text())["runs"]
    location = sarif_run["results"][0]["locations"][0]["physicalLocation"]
    assert location == {
        "artifactLocation": {"uri": "policy/a.cedar"},
        "region": {"startLine": 1},
    }


def test_a_directory_that_is_not_there_is_told(tmp_path: Path) -> None:
    result = run("check", "nowhere")
    assert result.exit_code == 2
    assert "nowhere: cannot be read" in result.stdout


def test_sarif_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    result = run("check", "--config", gate(tmp_path), "--sarif", "no/out.sarif")
    assert result.exit_code == 2
    assert "no/out.sarif: cannot be written" in result.stderr


def test_formatting_changes_what_needs_it_and_keeps_the_mode(tmp_path: Path) -> None:
    config = configured(tmp_path, GOOD)
    file = tmp_path / "policy" / "a.cedar"
    file.chmod(0o640)

    assert run("fmt", "--check", "--config", config).exit_code == 1
    assert file.read_text() == GOOD
    assert run("fmt", "--config", config).stdout == "a.cedar: formatted\n"
    assert file.read_text() == FORMED
    assert file.stat().st_mode & 0o777 == 0o640

    before = file.stat()
    result = run("fmt", "--config", config)
    assert (result.exit_code, result.stdout) == (0, "")
    assert file.stat().st_ino == before.st_ino
    assert run("fmt", "--check", "policy").exit_code == 0


def test_nothing_is_formatted_when_a_file_cannot_be_read(tmp_path: Path) -> None:
    config = configured(tmp_path, GOOD)
    (tmp_path / "policy" / "b.cedar").write_text("permit (")
    result = run("fmt", "--config", config)
    assert result.exit_code == 2
    assert "b.cedar:1: Cedar cannot read" in result.stderr
    assert (tmp_path / "policy" / "a.cedar").read_text() == GOOD


def test_a_linked_file_is_formatted_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "p" / ".real").mkdir(parents=True)
    (tmp_path / "p" / ".real" / "a.cedar").write_text(GOOD)
    (tmp_path / "p" / "a.cedar").symlink_to(".real/a.cedar")
    assert run("fmt", "p").exit_code == 0
    assert (tmp_path / "p" / "a.cedar").is_symlink()
    assert (tmp_path / "p" / ".real" / "a.cedar").read_text() == FORMED


def test_without_a_directory_there_is_nothing_to_format(tmp_path: Path) -> None:
    (tmp_path / "bawn.yaml").write_text("")
    result = run("fmt")
    assert result.exit_code == 2
    assert "names no `policy` directory" in result.stderr


def test_the_rules_in_force_are_shown_with_what_they_ask(tmp_path: Path) -> None:
    text = f'{GOOD}@ask("lead, self") @approvals("2") @within("5m")\nforbid (principal, action, resource);\n'
    config = configured(tmp_path, text)
    lines = run("show", "--config", config).stdout.splitlines()
    assert [line.split(maxsplit=2)[:2] for line in lines] == [
        ["RULE", "EFFECT"],
        ["read", "permit"],
        ["a.cedar:3", "forbid"],
    ]
    assert "2 of self, lead within 300s" in lines[2]
    found = json.loads(run("show", "--config", config, "--json").stdout)
    assert found["rules"][1]["ask"] == {
        "roles": ["lead"], "self": True, "approvals": 2, "within": 300.0,
    }  # fmt: skip
    assert len(found["version"]) == 64


def test_rules_that_bawn_brings_are_shown_as_such(tmp_path: Path) -> None:
    (tmp_path / "bawn.yaml").write_text("")
    assert "built in: roles.cedar:" in run("show").stdout


def test_the_built_in_rules_are_printed_to_copy_from(tmp_path: Path) -> None:
    texts = dict(builtin("safe").files)["safe.cedar"], dict(builtin("roles").files)["roles.cedar"]
    assert all(text in run("show", "--builtin").stdout for text in texts)
    assert json.loads(run("show", "--builtin", "--json").stdout)["safe.cedar"] == texts[0]
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "a.cedar").write_text(run("show", "--builtin").stdout)
    assert run("show", "p").exit_code == 0
