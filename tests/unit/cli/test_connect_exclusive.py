"""`bawn connect --exclusive`: shown, asked, undone byte for byte; what cannot be done is said."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.unit.cli.shadowed import SECRETS, contents, make, run

CONFIG = "listen: 127.0.0.1:18811\nstate: ./.bawn\nservers: {time: {command: [uvx, mcp-server-time==1]}}\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machine = make(tmp_path, monkeypatch)
    (machine / "project" / "bawn.yaml").write_text(CONFIG)
    return machine


def test_clients_are_left_with_bawn_alone_and_get_everything_back(machine: Path) -> None:
    before = contents(machine)
    result = run("connect", "--all", "--exclusive", "--yes", "--dir", ".")
    assert not any(secret in result.output for secret in SECRETS)
    seen = json.loads(run("discover", "--no-processes", "--json").stdout)["servers"]
    on = {each["client"] for row in seen if row["alarms"] for each in row["sightings"]}
    assert on == {"goose", "continue"}  # YAML is only read: that was said
    assert "Goose: its files are YAML" in result.stderr
    assert result.exit_code == 1
    assert {row["class"] for row in seen if not row["alarms"]} >= {"behind"}
    assert run("disconnect", "--all", "--yes").exit_code == 0
    assert contents(machine) == before


def test_a_client_that_has_bawn_keeps_its_entry(machine: Path) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    ours = {"command": "/opt/bawn", "args": ["stdio", "--config", "/x", "--server", "time"]}
    path.write_text(json.dumps({"mcpServers": {"clock": ours, "other": {"command": "o"}}}))
    assert run("connect", "cursor", "--exclusive", "--yes").exit_code == 0
    assert json.loads(path.read_text())["mcpServers"] == {"clock": ours}


def test_an_entry_that_is_only_called_bawn_is_replaced(machine: Path) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.write_text('{"mcpServers": {"bawn": {"command": "evil"}}}')
    assert run("connect", "cursor", "--exclusive", "--yes").exit_code == 0
    servers = json.loads(path.read_text())["mcpServers"]
    assert servers["bawn"]["args"][0] == "stdio"
    assert len(servers) == 1


def test_it_is_shown_and_asked_first(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(machine)
    result = run("connect", "kiro", "--exclusive")
    assert result.exit_code == 2
    assert '+      "disabled": true' in result.stdout
    assert run("connect", "kiro", "--exclusive", "--dry-run").exit_code == 0
    monkeypatch.setattr(sys.modules["bawn.cli.pointing"], "on_terminal", lambda: True)
    assert run("connect", "kiro", "--exclusive", answer="n\n").exit_code == 1
    assert contents(machine) == before
    assert run("connect", "kiro", "--exclusive", answer="y\n").exit_code == 0
    assert contents(machine) != before


def test_twice_is_once(machine: Path) -> None:
    run("connect", "kiro", "--exclusive", "--yes")
    before = contents(machine)
    assert "Nothing to change." in run("connect", "kiro", "--exclusive", "--yes").stdout
    assert contents(machine) == before


@pytest.mark.parametrize("other", [["--aggregate"], ["--server", "time"], ["--managed", "m"]])
def test_it_goes_with_no_other_way_of_connecting(machine: Path, other: list[str]) -> None:
    result = run("connect", "kiro", "--exclusive", *other)
    assert result.exit_code == 2
    assert "at most one of" in result.stderr
