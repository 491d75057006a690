"""`bawn connect --managed`: the administrator's files are written where they are wanted, and nowhere else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.cli.shadowed import contents, make, run


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machine = make(tmp_path, monkeypatch)
    (machine / "project" / "bawn.yaml").write_text("servers: {time: {command: [uvx, t==1]}}\n")
    return machine


def test_files_are_shown_and_written_and_clients_without_any_are_named(
    machine: Path, tmp_path: Path
) -> None:
    before = contents(machine)
    result = run("connect", "--all", "--managed", str(tmp_path / "roll"), "--yes")
    assert result.exit_code == 0
    assert "→ /etc/claude-code/managed-mcp.json" in result.stdout
    assert "Cursor: no file: its allowlist" in result.stdout
    assert "Zed: no file: nothing of the kind is documented." in result.stdout
    assert "VS Code: no file: its policy ChatMCP" in result.stdout
    written = {
        str(path.relative_to(tmp_path / "roll")) for path in (tmp_path / "roll").rglob("*.*")
    }
    assert written == {
        "claude-code/managed-mcp.json", "claude-code/managed-settings.json",
        "gemini-cli/settings.json", "codex/requirements.toml", "codex/managed_config.toml",
        "github-copilot/managed-settings.json",
    }  # fmt: skip
    path = tmp_path / "roll" / "claude-code" / "managed-mcp.json"
    assert list(json.loads(path.read_text())["mcpServers"]) == ["bawn"]
    assert path.stat().st_mode & 0o777 == 0o644
    assert contents(machine) == before


def test_nothing_is_written_unasked(machine: Path, tmp_path: Path) -> None:
    for arguments, code in ((["--dry-run"], 0), ([], 2)):
        result = run("connect", "--all", "--managed", str(tmp_path / "roll"), *arguments)
        assert result.exit_code == code
        assert not (tmp_path / "roll").exists()


def test_a_client_without_such_files_gets_none(machine: Path, tmp_path: Path) -> None:
    result = run("connect", "cursor", "--managed", str(tmp_path / "roll"), "--yes")
    assert result.exit_code == 0
    assert "Nothing to write." in result.stdout


def test_a_place_that_cannot_be_written_is_said(machine: Path, tmp_path: Path) -> None:
    (tmp_path / "roll").write_text("a file")
    result = run("connect", "gemini", "--managed", str(tmp_path / "roll"), "--yes")
    assert result.exit_code == 2
    assert "cannot be written" in result.stderr
