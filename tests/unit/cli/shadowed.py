"""A machine of its own with the client files of the fixtures, and commands on it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from bawn.cli.connect import connect, disconnect
from bawn.cli.discover import discover

FIXTURES = Path(__file__).parents[1] / "discovery" / "fixtures"
SECRETS = ("ghp_", "correct-horse", "0123456789abcdef", "abc123def456", "xoxb-")


def make(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The machine: `home` and `project`, with this process in the project."""
    machine = tmp_path / "machine"
    shutil.copytree(FIXTURES, machine)
    executable = tmp_path / "bin" / "bawn"
    executable.parent.mkdir()
    executable.write_text("#!/bin/sh\n")
    executable.chmod(0o755)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(sys, "argv", [str(executable)])
    monkeypatch.setenv("HOME", str(machine / "home"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "CODEX_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(machine / "project")
    return machine


def run(*arguments: str, answer: str | None = None) -> Result:
    """A command, as on a command line."""
    app = typer.Typer()
    for verb in (discover, connect, disconnect):
        app.command()(verb)
    return CliRunner().invoke(app, list(arguments), input=answer)


def contents(machine: Path) -> dict[Path, bytes]:
    """Every client file, byte for byte."""
    return {
        path: path.read_bytes()
        for path in machine.rglob("*")
        if path.is_file() and path.name != "bawn.yaml" and ".bawn" not in path.parts
    }
