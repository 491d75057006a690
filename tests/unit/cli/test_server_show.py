"""`bawn server show` tells what is on record of a server, and makes nothing to find out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bawn.cli import app
from bawn.launching.package import Package, Resolution
from bawn.pins import tree
from bawn.pins.record import Change, Pin, Record
from bawn.storage import StateDirectory
from bawn.storage.files import ServerFiles

FILE = "servers:\n  files: {command: [npx, files@1.2.3], status: disabled}\n"
PIN = Pin("tool", "read", "ab" * 32, {"name": "read"}, 500.0)
CHANGE = Change("tool", "write", "cd" * 32, {"name": "write"}, 600.0)
PACKAGE = Package("npm", "files", "1.2.3")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "bawn.yaml"
    path.write_text(FILE)
    return path


def run(file: Path, *arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["server", "show", "files", "--config", str(file), *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result.exit_code, result.output


def record(file: Path) -> ServerFiles[Record]:
    state = StateDirectory(file.parent / ".bawn")
    pins = ServerFiles(state.pins, Record)
    pins.update("files", lambda _: Record("files", 50.0, 3, (PIN,), (CHANGE,)))
    resolution = Resolution(PACKAGE, PACKAGE, (), "ef" * 32, resolved=60.0)
    ServerFiles(state.packages, Resolution).update("files", lambda _: resolution)
    return pins


def test_without_records_it_says_so_and_makes_no_state(file: Path) -> None:
    code, output = run(file)
    assert code == 0
    assert "pins: nothing on record" in output
    assert "It is disabled: neither started nor served." in output
    assert not (file.parent / ".bawn").exists()
    found = json.loads(run(file, "--json")[1])
    assert (found["pins"], found["installed"]) == (None, None)
    assert found["registry"]["package"] == "npm:files@1.2.3"


def test_what_is_on_record_is_told(file: Path) -> None:
    record(file)
    found = json.loads(run(file, "--json")[1])
    assert found["pins"] == {
        "approved": 1,
        "waiting": 1,
        "quarantined": 0,
        "root": tree.root([PIN]),
        "first_seen": "1970-01-01T00:00:50+00:00",
        "revision": 3,
    }
    assert found["installed"]["package"] == "npm:files@1.2.3"
    assert f"  root: {tree.root([PIN])}" in run(file)[1].replace('"', "")


def test_a_record_that_cannot_be_read_is_named(file: Path) -> None:
    record(file).path("files").write_text("torn")
    code, output = run(file)
    assert code == 0
    assert "files.json" in output
    assert "problem" in json.loads(run(file, "--json")[1])["pins"]
