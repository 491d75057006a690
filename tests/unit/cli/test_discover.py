"""`bawn discover`: everything that can be seen is told, nothing is sent, nothing is harmed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.discovery.shadow import processes, sockets
from bawn.discovery.shadow.processes import Process, Running
from bawn.discovery.shadow.sockets import Connection, Endpoint, Sockets
from tests.unit.cli.shadowed import SECRETS, contents, make, run

CONFIG = """\
listen: 127.0.0.1:18811
state: ./.bawn
servers:
  github:
    command: [npx, "@modelcontextprotocol/server-github@2025.4.8"]
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(processes, "running", lambda: Running({}))
    monkeypatch.setattr(sockets, "sockets", lambda seen: Sockets((), (), ()))
    return make(tmp_path, monkeypatch)


def configured(machine: Path, text: str = CONFIG) -> None:
    (machine / "project" / "bawn.yaml").write_text(text)


def test_without_a_configuration_everything_is_unknown_and_that_is_said(machine: Path) -> None:
    before = contents(machine)
    result = run("discover")
    assert result.exit_code == 1
    assert "  Linear [warning]\n      https://mcp.linear.app/mcp\n" in result.stdout
    assert "There is no bawn.yaml: nothing is registered" in result.stdout
    assert contents(machine) == before
    assert result.stderr == ""


def test_what_is_registered_and_called_from_a_client_passes_the_gate(machine: Path) -> None:
    configured(machine)
    result = run("discover", "--json")
    assert result.exit_code == 1
    tree = json.loads(result.stdout)
    assert tree["registered"]
    by_class = {row["class"]: row for row in tree["servers"]}
    assert by_class["bypass"]["server"] == "github"
    assert len(by_class["bypass"]["sightings"]) == 2
    assert by_class["bypass"]["level"] == "error"  # a token stands in the entries
    assert by_class["look-alike"]["name"] == "github"


@pytest.mark.parametrize("arguments", [[], ["--json"], ["--sarif", "out.sarif"]])
def test_no_secret_is_told(machine: Path, arguments: list[str]) -> None:
    result = run("discover", *arguments)
    written = machine / "project" / "out.sarif"
    text = result.output + (written.read_text() if written.exists() else "")
    for secret in SECRETS:
        assert secret not in text


def test_with_nothing_but_the_gate_the_exit_code_is_zero(machine: Path) -> None:
    configured(machine)
    home = machine / "home"
    for path in contents(machine):
        path.unlink()
    entry = {"command": "/usr/bin/bawn", "args": ["stdio", "--config", "x"]}
    (home / ".cursor" / "mcp.json").write_text(json.dumps({"mcpServers": {"bawn": entry}}))
    result = run("discover")
    assert result.exit_code == 0
    assert "1 behind; 0 not seen." in result.stdout


def test_a_process_started_by_a_client_is_told_with_its_client(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(machine)
    client = Process(10, 1, "ada", ("/usr/bin/cursor",))
    server = Process(11, 10, "ada", ("node", "/n/.bin/mcp-server-github"))
    gate = Process(20, 1, "ada", ("/usr/bin/bawn", "up"))
    ours = Process(21, 20, "ada", ("node", "/n/.bin/mcp-server-github"))
    seen = Running({each.pid: each for each in (client, server, gate, ours)})
    monkeypatch.setattr(processes, "running", lambda: seen)
    tree = json.loads(run("discover", "--json").stdout)
    found = {
        row["class"]: [each for each in row["sightings"] if each["source"] == "process"]
        for row in tree["servers"] if row.get("server") == "github"
    }  # fmt: skip
    assert [(each["pid"], each["client"]) for each in found["bypass"]] == [(11, "cursor")]
    assert [each["pid"] for each in found["known"]] == [21]


def test_a_client_that_is_connected_past_the_gate_is_told(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configured(machine, "servers: {notes: {url: 'http://127.0.0.1:9000/mcp'}}\n")
    client = Process(10, 1, "ada", ("/usr/bin/cursor",))
    here, there = Endpoint("127.0.0.1", 51_000), Endpoint("127.0.0.1", 9000)
    socket = Connection(here, there, sockets.ESTABLISHED, 1, 10)
    monkeypatch.setattr(processes, "running", lambda: Running({10: client}))
    monkeypatch.setattr(sockets, "sockets", lambda seen: Sockets((), (socket,), ()))
    result = run("discover")
    assert "bypass: past the gate\n  notes [warning]" in result.stdout
    assert "cursor is connected to 127.0.0.1:9000, past the gate" in result.stdout


def test_a_source_that_fails_hides_no_other(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Running:
        raise RuntimeError("no /proc today")

    monkeypatch.setattr(processes, "running", broken)
    result = run("discover")
    assert "Linear" in result.stdout
    assert "process processes: it failed (RuntimeError: no /proc today)" in result.stdout
    assert "1 not seen." in result.stdout


def test_ports_that_were_not_asked_are_told_as_not_seen(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listening = Connection(Endpoint("0.0.0.0", 3000), Endpoint("0.0.0.0", 0), sockets.LISTEN, 1)
    monkeypatch.setattr(sockets, "sockets", lambda seen: Sockets((listening,), (), ()))
    result = run("discover")
    assert "probe this machine: ports that listen were not asked what they are" in result.stdout
    assert "asks servers" not in result.stderr


def test_probing_says_first_what_it_sends(machine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("discover", "--ports", "--no-processes")
    assert "it sends `server/discover`, then `initialize`" in result.stderr


def test_sarif_and_metrics_are_written_whole(machine: Path) -> None:
    project = machine / "project"
    result = run("discover", "--sarif", "out.sarif", "--metrics", "out.prom")
    assert result.exit_code == 1
    sarif = json.loads((project / "out.sarif").read_text())
    kinds = {each["ruleId"] for each in sarif["runs"][0]["results"]}
    assert "discovery/unknown" in kinds
    metrics = (project / "out.prom").read_text()
    assert 'bawn_discovery_servers{class="unknown",source="client"}' in metrics
    assert "bawn_discovery_last_run_timestamp_seconds " in metrics
    assert (project / "out.prom").stat().st_mode & 0o777 == 0o644


def test_a_report_that_cannot_be_written_is_said(machine: Path) -> None:
    result = run("discover", "--metrics", "nowhere/out.prom")
    assert result.exit_code == 2
    assert "cannot be written (No such file or directory)" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--network"], "no networks are configured"),
        (["--image", "nope.tar"], "nope.tar: no such file"),
        (["--dir", "nope"], "nope: no such file"),
        (["--config", "nope.yaml"], "no configuration"),
        (["--adopt", "x", "--watch"], "--watch goes without --adopt"),
        (["--adopt", "x"], "there is no bawn.yaml to move servers to"),
    ],
)
def test_wrong_use_is_explained(machine: Path, arguments: list[str], said: str) -> None:
    result = run("discover", *arguments)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_broken_configuration_is_said_and_not_taken_for_none(machine: Path) -> None:
    configured(machine, "servers: {x: {}}\n")
    result = run("discover")
    assert result.exit_code == 2
    assert "exactly one of `command`" in result.stderr


# ── what would harm ─────────────────────────────────────────────────────────────────────────────


def test_escapes_in_names_and_commands_do_not_reach_the_terminal(machine: Path) -> None:
    hostile = {
        "mcpServers": {
            "a\x1b[2J\x1b]0;owned\x07": {
                "command": "x\x1b[31m\r\n",
                "args": ["\u202egnihton", "\x9b2J"],
            },
            "b\nbehind: behind the gate": {"url": "http://h\x1b[0m/"},
        }
    }
    (machine / "home" / ".cursor" / "mcp.json").write_text(json.dumps(hostile))
    for arguments in ([], ["--json"]):
        result = run("discover", *arguments)
        assert result.exit_code == 1
        for forbidden in ("\x1b", "\x07", "\r", "\x9b", "\u202e"):
            assert forbidden not in result.output
        assert "\nbehind: behind the gate" not in result.stdout


def test_a_link_out_of_the_project_is_not_followed_and_told(machine: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"mcpServers": {"stolen": {"command": "stolen-mcp"}}}')
    path = machine / "project" / ".mcp.json"
    path.unlink()
    path.symlink_to(outside)
    result = run("discover")
    assert "stolen" not in result.stdout
    assert ".mcp.json: a link that leads out of the project" in result.stdout


def test_the_same_survey_twice_says_the_same(machine: Path) -> None:
    assert run("discover", "--json").stdout == run("discover", "--json").stdout
