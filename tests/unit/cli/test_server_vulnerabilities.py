"""`bawn server vulnerabilities` tells what is known, and never lets silence pass for clean."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bawn.cli import app
from tests import vulnerable
from tests.unit.vulnerabilities.trees import distribution, environment

CONFIG = """\
servers:
  git: {command: [v/bin/python, -m, srv]}
"""


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "none"))
    Path("bawn.yaml").write_text(CONFIG)
    vulnerable.directory(tmp_path / "dump")


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, ["server", "vulnerabilities", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def installed(version: str) -> None:
    site = environment(Path("v"))
    distribution(site, "srv", "1.0", ("jinja2",))
    distribution(site, "jinja2", version)


def test_what_is_known_is_told_and_fails() -> None:
    installed("3.1.2")
    result = run("--database", "dump")
    assert result.exit_code == 1
    assert "git: failed: 1 known (1 medium); 2 of 2 components measured" in result.stdout
    assert "medium 5.4 GHSA-h5c8-rqwp-cp95 (CVE-2024-22195, PYSEC-2024-1)" in result.stdout
    assert "jinja2 3.1.2: fixed in 3.1.3 [direct]" in result.stdout
    assert "UNMEASURED" not in result.stdout


def test_what_is_wholly_measured_and_clean_passes() -> None:
    installed("3.1.3")
    result = run("git", "--database", "dump", "--strict")
    assert result.exit_code == 0
    assert "git: verified: none known to" in result.stdout


def test_the_configured_database_is_asked(tmp_path: Path) -> None:
    installed("3.1.2")
    (tmp_path / "bawn.yaml").write_text(f"{CONFIG}vulnerabilities: {{database: dump}}\n")
    assert run().exit_code == 1


@pytest.mark.parametrize("arguments", [(), ("--database", "empty")], ids=["none", "empty"])
def test_unmeasured_has_words_of_its_own_and_fails_when_strict(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    installed("3.1.2")
    (tmp_path / "empty").mkdir()
    result = run(*arguments)
    assert result.exit_code == 0
    assert "git: unmeasured: 0 of 2 components measured" in result.stdout
    assert "UNMEASURED, wholly or in part: git." in result.stdout
    assert run(*arguments, "--strict").exit_code == 1


def test_json_and_sarif_tell_the_same(tmp_path: Path) -> None:
    installed("3.1.2")
    result = run("--database", "dump", "--json", "--sarif", "out.sarif")
    (told,) = json.loads(result.stdout)
    assert (told["verdict"], told["measured"], told["components"]) == ("failed", 2, 2)
    (found,) = told["vulnerabilities"]
    assert (found["id"], found["fixed"], found["score"]) == ("GHSA-h5c8-rqwp-cp95", "3.1.3", 5.4)
    (told_too,) = json.loads((tmp_path / "out.sarif").read_text())["runs"][0]["results"]
    assert told_too["ruleId"] == "vulnerability/medium"
    place = told_too["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert place == "bawn.yaml"


@pytest.mark.parametrize("arguments", [("--database", "nowhere"), ("nobody",)])
def test_wrong_use_is_told(arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith("bawn: ")


def test_foreign_text_cannot_move_the_terminal() -> None:
    installed("3.1.2")
    odd = {**vulnerable.JINJA, "summary": "a\x1b[2Jb"}
    vulnerable.directory(Path("odd"), [odd])
    result = run("--database", "odd")
    assert result.exit_code == 1
    assert "\x1b" not in result.stdout
