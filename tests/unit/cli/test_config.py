"""`bawn config` tells what is in effect, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.config.document import read
from bawn.config.model import Config
from bawn.config.schema import json_schema, markdown


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text('servers: {a: {command: [x], env: {T: "${env:T}"}}}\nlog: {level: error}\n')
    return path


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["config", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def test_the_schema_is_printed_as_json() -> None:
    code, output = run("schema")

    assert (code, json.loads(output)) == (0, json_schema())


def test_the_documentation_is_printed_as_it_is_kept() -> None:
    assert run("docs") == (0, markdown())


def test_the_configuration_in_effect_has_file_environment_and_defaults(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BAWN_LIMITS__BODY", "7")

    code, output = run("show", "--json", "-c", str(file))

    shown = json.loads(output)
    assert code == 0
    assert (shown["log"]["level"], shown["limits"]["body"]) == ("error", 7)
    assert shown["listen"] == Config().listen
    assert shown["servers"]["a"]["env"] == {"T": "${env:T}"}


def test_what_is_shown_to_people_is_a_configuration_too(file: Path) -> None:
    plain, structured = run("show", "-c", str(file))[1], run("show", "--json", "-c", str(file))[1]

    assert read(plain.encode(), "f").tree == json.loads(structured)


def test_a_configuration_that_can_be_used_is_fine(file: Path) -> None:
    assert run("check", "-c", str(file)) == (0, f"{file}: fine; 1 server.\n")
    assert run("check", "--quiet", "-c", str(file)) == (0, "")


def test_a_configuration_that_cannot_be_used_is_told_with_every_problem(file: Path) -> None:
    file.write_text("listen: x\nlog: {level: loud}\n")

    code, output = run("check", "-c", str(file))

    assert code == 2
    assert output.count("bawn: bawn.yaml:") == 2


def test_a_missing_configuration_is_told_with_the_next_step(tmp_path: Path) -> None:
    code, output = run("show", "-c", str(tmp_path / "none.yaml"))

    assert code == 2
    assert "bawn init" in output
