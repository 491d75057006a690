"""Attacks by way of client files: whoever can write one may not hang, fool or misuse whoever reads it."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.connect import connect
from bawn.cli.scan import scan

ESCAPES = "\x1b[2J\x1b]0;owned\x07\x9b31m\u202egnp.exe\u2066\u200b\x08\r\x7f"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    (home / ".cursor").mkdir(parents=True)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "bawn.yaml").write_text('servers: {a: {url: "https://example.com/mcp"}}\n')
    monkeypatch.chdir(tmp_path)
    return home


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(scan)
    app.command()(connect)
    return CliRunner().invoke(app, list(arguments))


def put(home: Path, text: str | bytes) -> Path:
    path = home / ".cursor" / "mcp.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("verb", [["scan"], ["scan", "--json"], ["connect", "--all", "--dry-run"]])
def test_terminal_escapes_in_a_file_never_reach_the_terminal(home: Path, verb: list[str]) -> None:
    entry = {"command": f"x{ESCAPES}", "args": [ESCAPES], "env": {f"TOKEN{ESCAPES}": "abc"}}
    servers = {
        f"n{ESCAPES}": entry,
        "a": {"url": f"https://x/{ESCAPES}", "headers": {ESCAPES: ESCAPES}},
    }
    put(home, json.dumps({"mcpServers": servers}, ensure_ascii=False, indent=1))
    output = run(*verb).output
    assert output
    assert [c for c in output if not (c.isprintable() or c in "\n\t")] == []


def test_a_wide_name_or_command_cannot_hide_what_follows(home: Path) -> None:
    put(home, json.dumps({"mcpServers": {"a": {"command": "safe" + " " * 5000 + "; evil"}}}))
    assert "; evil" in run("scan").stdout


def test_a_pipe_or_device_in_a_files_place_does_not_hang_the_scan(home: Path) -> None:
    path = home / ".cursor" / "mcp.json"
    os.mkfifo(path)
    result = run("scan")
    assert "not usable" in result.stdout
    path.unlink()
    path.symlink_to("/dev/zero")
    assert "not usable" in run("scan").stdout


def test_an_unreadable_file_is_told(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(home, "{}")
    opened = os.open

    def refusing(file: str | Path, *arguments: int) -> int:
        if file == path:  # a mode of 0 would not stop a test that runs as root
            raise PermissionError(13, "Permission denied")
        return opened(file, *arguments)

    monkeypatch.setattr(os, "open", refusing)
    result = run("scan")
    assert result.exit_code == 0
    assert "not usable: cannot be read (Permission denied)" in result.stdout


def test_five_megabytes_are_scanned_within_the_ten_seconds(home: Path) -> None:
    filler = {"display": "x" * 60, "pasted": {"a": [1, 2, None, True]}}
    history = {"projects": {f"/p{n}": {"history": [filler] * 100} for n in range(210)}}
    path = home / ".claude.json"
    path.write_text(json.dumps({**history, "mcpServers": {"a": {"command": "x"}}}, indent=2))
    assert path.stat().st_size > 5_000_000
    started = time.process_time()
    result = run("scan")
    assert time.process_time() - started < 10
    assert "1 server in 1 client" in result.stdout


@pytest.mark.parametrize(
    "text",
    [
        '{"mcpServers": ' + "[" * 1_000_000,
        '{"mcpServers": ' + '{"a":' * 200_000,
        "[" + "1," * 800_000,
        '{"a": "' + "\\u" * 500_000,
        "/*" * 500_000,
    ],
    ids=["arrays", "objects", "values", "escapes", "comments"],
)
def test_bombs_are_refused_within_the_ten_seconds(home: Path, text: str) -> None:
    path = put(home, text)
    started = time.process_time()
    result = run("scan")
    assert time.process_time() - started < 10
    assert "not usable: line 1" in result.stdout
    assert run("connect", "cursor", "--yes").exit_code == 1
    assert path.read_text() == text


def test_a_toml_bomb_is_refused_within_the_ten_seconds(home: Path) -> None:
    (home / ".codex").mkdir()
    path = home / ".codex" / "config.toml"
    for text in (
        ".".join(["a"] * 400_000) + " = 1",
        "a = " + "[" * 900_000,
        "a = '''" + "'" * 900_000,
    ):
        path.write_text(text)
        started = time.process_time()
        result = run("scan")
        assert time.process_time() - started < 10
        assert "not usable" in result.stdout


def test_a_key_that_stands_twice_is_shown_and_never_edited(home: Path) -> None:
    text = '{"mcpServers": {"a": {"command": "safe", "command": "evil"}}}'
    path = put(home, text)
    assert "a key of it stands twice" in run("scan").stdout
    result = run("connect", "cursor", "--yes")
    assert "left as it is: a (a key of it stands twice" in result.stdout
    assert path.read_text() == text


def test_a_projects_link_cannot_make_connect_write_elsewhere(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.json"
    elsewhere.write_text('{"mcpServers": {"a": {"command": "x"}}}')
    project = tmp_path / "project"
    project.mkdir()
    (project / ".mcp.json").symlink_to(elsewhere)
    result = run("connect", "--all", "--yes", "--dir", str(project))
    assert result.exit_code == 1
    assert "leads out of the project" in result.stderr
    assert elsewhere.read_text() == '{"mcpServers": {"a": {"command": "x"}}}'


def test_a_users_link_is_followed_and_stays_a_link(home: Path, tmp_path: Path) -> None:
    dotfiles = tmp_path / "dotfiles.json"
    dotfiles.write_text('{"mcpServers": {"a": {"command": "x"}}}')
    dotfiles.chmod(0o600)
    path = home / ".cursor" / "mcp.json"
    path.symlink_to(dotfiles)
    result = run("connect", "cursor", "--yes")
    assert result.exit_code == 0
    assert f"(a link to {dotfiles})" in result.stdout
    assert path.is_symlink()
    assert "--server" in dotfiles.read_text()
    assert dotfiles.stat().st_mode & 0o777 == 0o600


def test_the_scan_starts_nothing(home: Path, tmp_path: Path) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    put(home, json.dumps({"mcpServers": {"a": {"command": str(program)}}}))
    assert str(program) in run("scan").stdout
    assert not (tmp_path / "started").exists()
    assert not (tmp_path / "state").exists()


def test_secrets_never_show_in_what_connect_prints(home: Path) -> None:
    secret = "ghp_exampleexampleexampleexampleexampl"
    text = f"""{{
      // "API_KEY": "hunter-one",
      "apiKey": "hunter-two",
      "mcpServers": {{
        "b": {{"command": "y", "args": ["--password", "hunter-three", "{secret}"]}},
        "a": {{"command": "x", "env": {{"T\\u004fKEN": "hunter-four", "X": "{secret}"}},
               "url": "https://u:hunter-five@x/?key=hunter-six"}}
      }}
    }}"""
    put(home, text)
    output = run("connect", "cursor", "--yes").output
    assert "@@" in output
    assert "hunter" not in output
    assert secret not in output


def test_a_full_disk_leaves_every_file_whole(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = put(home, '{"mcpServers": {"a": {"command": "x"}}}')

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = run("connect", "cursor", "--yes")
    assert result.exit_code == 2
    assert path.read_text() == '{"mcpServers": {"a": {"command": "x"}}}'
    assert sorted(p.name for p in path.parent.iterdir()) == ["mcp.json"]
