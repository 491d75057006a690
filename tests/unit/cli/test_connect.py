"""`bawn connect` and `disconnect`: shown before written, asked before done, undone byte for byte."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.connect import connect, disconnect
from bawn.cli.pointing import program

FIXTURES = Path(__file__).parents[1] / "discovery" / "fixtures"
CONFIG = """\
servers:
  files: {url: "https://example.com/mcp"}
  github: {url: "https://example.com/mcp"}
  web-search: {url: "https://example.com/mcp"}
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machine = tmp_path / "machine"
    shutil.copytree(FIXTURES, machine)
    executable = tmp_path / "bin" / "bawn"
    executable.parent.mkdir()
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    (tmp_path / "bawn.yaml").write_text(CONFIG)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(sys, "argv", [str(executable)])
    monkeypatch.setenv("HOME", str(machine / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    return machine


def run(*arguments: str, answer: str | None = None) -> Result:
    app = typer.Typer()
    app.command()(connect)
    app.command()(disconnect)
    return CliRunner().invoke(app, list(arguments), input=answer)


def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["bawn.cli.pointing"], "on_terminal", lambda: True)


def contents(machine: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in machine.rglob("*") if path.is_file()}


def test_the_difference_is_shown_written_and_taken_back(machine: Path, tmp_path: Path) -> None:
    before = contents(machine)
    result = run("connect", "--all", "--yes")
    assert result.exit_code == 0
    assert '-\t\t\t"command": "npx",\n' in result.stdout
    assert f'+\t\t\t"command": "{tmp_path / "bin" / "bawn"}",\n' in result.stdout
    assert "ghp_" not in result.output
    kiro = json.loads((machine / "home" / ".kiro" / "settings" / "mcp.json").read_text())
    assert kiro["mcpServers"]["web-search"]["args"] == [
        "stdio", "--config", str(tmp_path / "bawn.yaml"), "--server", "web-search",
    ]  # fmt: skip
    result = run("disconnect", "--all", "--yes")
    assert result.exit_code == 0
    assert "byte for byte" in result.stdout
    assert contents(machine) == before


def test_what_is_not_served_is_left_with_a_hint(machine: Path) -> None:
    result = run("connect", "kiro", "--dry-run")
    assert "left as it is: api-server (not in bawn's configuration)" in result.stdout
    assert "`bawn init` imports such servers" in result.stdout


def test_a_dry_run_writes_nothing(machine: Path) -> None:
    before = contents(machine)
    result = run("connect", "--all", "--dry-run")
    assert result.exit_code == 0
    assert "@@" in result.stdout
    assert contents(machine) == before


def test_without_a_terminal_nothing_happens_unasked(machine: Path) -> None:
    before = contents(machine)
    result = run("connect", "--all")
    assert result.exit_code == 2
    assert "say `--yes`" in result.stderr
    assert contents(machine) == before
    run("connect", "cursor", "--yes")
    connected = contents(machine)
    assert run("disconnect", "cursor").exit_code == 2
    assert contents(machine) == connected


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("n\n", 1), ("\n", 1)])
def test_on_a_terminal_the_user_is_asked(
    machine: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    on_a_terminal(monkeypatch)
    before = contents(machine)
    assert run("connect", "kiro", answer=answer).exit_code == code
    assert (contents(machine) != before) == (code == 0)


def test_only_the_servers_asked_for_are_connected(machine: Path) -> None:
    result = run("connect", "--all", "--server", "files", "--yes")
    assert result.exit_code == 0
    cursor = (machine / "home" / ".cursor" / "mcp.json").read_text()
    assert '"--server", "files"' in cursor
    assert "left as it is: github (not asked for)" in result.stdout
    assert "bawn" not in (machine / "home" / ".claude.json").read_text()


def test_projects_are_touched_only_when_named(machine: Path) -> None:
    project = machine / "project"
    before = contents(project)
    run("connect", "--all", "--yes", "--dir", str(machine / "home"))
    assert contents(project) == before
    run("connect", "vscode", "--yes", "--dir", str(project))
    assert '"--server", "github"' in (project / ".vscode" / "mcp.json").read_text()


def test_one_entry_for_all_servers(machine: Path) -> None:
    before = contents(machine)
    result = run("connect", "--all", "--aggregate", "--yes")
    assert result.exit_code == 0
    gemini = json.loads((machine / "home" / ".gemini" / "settings.json").read_text())
    assert gemini["mcpServers"]["bawn"]["args"][0] == "stdio"
    assert "--server" not in gemini["mcpServers"]["bawn"]["args"]
    assert "httpUrl" in gemini["mcpServers"]["remote"]
    run("disconnect", "--all", "--yes")
    assert contents(machine) == before


def test_a_client_without_a_file_gets_one_when_it_is_named(machine: Path) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.unlink()
    assert "Cursor: no file" in run("connect", "--all", "--aggregate", "--yes").stdout
    assert not path.exists()
    assert run("connect", "cursor", "--aggregate", "--yes").exit_code == 0
    assert "bawn" in json.loads(path.read_text())["mcpServers"]
    run("disconnect", "cursor", "--yes")
    assert not path.exists()


def test_a_broken_file_is_refused_with_its_place_and_the_others_are_done(machine: Path) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.write_text('{"mcpServers": {,}}')
    result = run("connect", "--all", "--yes")
    assert result.exit_code == 1
    assert "mcp.json: line 1, column 17: expected a key" in result.stderr
    assert path.read_text() == '{"mcpServers": {,}}'
    assert "bawn" in (machine / "home" / ".claude.json").read_text()


def test_nothing_to_do_is_said(machine: Path) -> None:
    assert "Nothing to take back." in run("disconnect", "--all").stdout
    run("connect", "kiro", "--yes")
    result = run("connect", "kiro")
    assert result.exit_code == 0
    assert "connected already" in result.stdout
    assert "Nothing to change." in result.stdout


def test_disconnect_takes_back_the_clients_named(machine: Path) -> None:
    before = contents(machine)
    run("connect", "kiro", "cursor", "--yes")
    run("disconnect", "kiro", "--yes")
    kiro = machine / "home" / ".kiro" / "settings" / "mcp.json"
    cursor = machine / "home" / ".cursor" / "mcp.json"
    assert kiro.read_bytes() == before[kiro]
    assert cursor.read_bytes() != before[cursor]


def test_an_entry_that_cannot_be_taken_back_is_told(machine: Path) -> None:
    run("connect", "kiro", "--yes")
    path = machine / "home" / ".kiro" / "settings" / "mcp.json"
    tree = json.loads(path.read_text())
    tree["mcpServers"]["web-search"]["args"].append("--mine")
    path.write_text(json.dumps(tree))
    result = run("disconnect", "kiro", "--yes")
    assert result.exit_code == 1
    assert "left as it is: web-search (altered since" in result.stdout
    assert "--mine" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["connect"], "expected the names of clients, or --all"),
        (["connect", "cursor", "--all"], "expected the names of clients, or --all"),
        (["connect", "emacs"], "no client `emacs`"),
        (["connect", "cursor", "--server", "nope"], "no server `nope`"),
        (["connect", "cursor", "--config", "nope.yaml"], "no configuration"),
        (["disconnect"], "expected the names of clients, or --all"),
    ],
)
def test_wrong_use_is_explained(machine: Path, arguments: list[str], said: str) -> None:
    result = run(*arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_the_program_is_named_by_a_path_that_works_from_anywhere(
    machine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["bin/bawn"])
    assert program() == str(tmp_path / "bin" / "bawn")
    (tmp_path / "bawn").symlink_to(tmp_path / "bin" / "bawn")
    monkeypatch.setattr(sys, "argv", ["bawn"])
    assert program() != str(tmp_path / "bawn")
    monkeypatch.setattr(sys, "argv", ["/x/__main__.py"])
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert program() == str(tmp_path / "bin" / "bawn")
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(sys, "executable", str(tmp_path / "nowhere" / "python"))
    with pytest.raises(typer.Exit):
        program()
