"""`bawn discover --adopt`: shown first, asked, moved whole or not at all, and taken back exactly."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from bawn.cli import discover_adopt
from bawn.config import secrets, trust
from bawn.config.load import load
from tests.unit.cli.shadowed import SECRETS, contents, make, run

CONFIG = """\
# mine
listen: 127.0.0.1:18811
state: ./.bawn
servers:
  time:   # kept
    command: [uvx, mcp-server-time==2025.1.1]
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    machine = make(tmp_path, monkeypatch)
    for path in contents(machine):
        path.unlink()
    (machine / "project" / "bawn.yaml").write_text(CONFIG)
    return machine


def client(machine: Path, **servers: object) -> Path:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.write_text(json.dumps({"mcpServers": servers}, indent=2))
    return path


def adopt(*arguments: str, answer: str | None = None) -> tuple[int, str, str]:
    result = run("discover", "--no-processes", *arguments, answer=answer)
    return result.exit_code, result.stdout, result.stderr


NOTES = {
    "command": "npx",
    "args": ["-y", "notes-mcp@1.0.0"],
    "env": {"NOTES_TOKEN": "ghp_exampleexampleexampleexampleexampl", "LEVEL": "debug"},
}


def test_a_server_is_added_its_secret_moved_and_the_entry_pointed_at_the_gate(
    machine: Path, tmp_path: Path
) -> None:
    path = client(machine, notes=NOTES)
    before = path.read_bytes()
    code, out, _ = adopt("--adopt", "notes", "--yes")
    assert code == 0
    assert "    npx notes-mcp@1.0.0\n" in out
    assert "+  notes:\n" in out
    assert f'+      "command": "{tmp_path / "bin" / "bawn"}",\n' in out
    assert not any(secret in out for secret in SECRETS)
    config = machine / "project" / "bawn.yaml"
    assert config.read_text().startswith(CONFIG)
    found = load(config, os.environ)
    server = found.config.servers["notes"]
    assert server.command == ("npx", "notes-mcp@1.0.0")
    assert secrets.resolve(server.env["NOTES_TOKEN"], found.base) == NOTES["env"]["NOTES_TOKEN"]  # type: ignore[index]
    (kept,) = (found.state / "secrets").iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    entry = json.loads(path.read_text())["mcpServers"]["notes"]
    assert entry["args"] == ["stdio", "--config", str(config), "--server", "notes"]
    assert run("disconnect", "cursor", "--yes").exit_code == 0
    assert path.read_bytes() == before


def test_the_consent_that_was_there_covers_what_was_shown(machine: Path) -> None:
    config = machine / "project" / "bawn.yaml"
    client(machine, notes=NOTES)
    code, out, _ = adopt("--adopt", "notes", "--yes")
    assert code == 0
    found = load(config, os.environ)
    assert not trust.is_trusted(found.path, found.digest)  # nobody had consented to `time`
    assert "`bawn trust --config" in out
    run("disconnect", "cursor", "--yes")
    trust.record(found.path, found.digest)
    client(machine, more={"command": "more-mcp"})
    assert adopt("--adopt", "more", "--yes")[0] == 0
    found = load(config, os.environ)
    assert trust.is_trusted(found.path, found.digest)


def test_what_is_registered_already_is_only_pointed_at_the_gate(machine: Path) -> None:
    path = client(machine, clock={"command": "uvx", "args": ["mcp-server-time==2025.1.1"]})
    config = (machine / "project" / "bawn.yaml").read_bytes()
    assert adopt("--adopt", "clock", "--yes")[0] == 0
    assert (machine / "project" / "bawn.yaml").read_bytes() == config
    assert json.loads(path.read_text())["mcpServers"]["clock"]["args"][-1] == "time"


def test_another_command_of_a_registered_name_becomes_a_server_of_its_own(machine: Path) -> None:
    path = client(machine, time={"command": "uvx", "args": ["mcp-server-time==2025.1.1", "--x"]})
    assert adopt("--adopt", "time", "--yes")[0] == 0
    found = load(machine / "project" / "bawn.yaml", os.environ)
    assert found.config.servers["time-2"].command == ("uvx", "mcp-server-time==2025.1.1", "--x")
    assert json.loads(path.read_text())["mcpServers"]["time"]["args"][-1] == "time-2"


def test_two_clients_with_one_name_and_different_commands_do_not_become_one(machine: Path) -> None:
    cursor = client(machine, db={"command": "one-mcp"})
    kiro = machine / "home" / ".kiro" / "settings" / "mcp.json"
    kiro.write_text('{"mcpServers": {"db": {"command": "other-mcp"}}}')
    assert adopt("--adopt", "db", "--yes")[0] == 0
    found = load(machine / "project" / "bawn.yaml", os.environ)
    started = {}
    for path in (cursor, kiro):
        id_ = json.loads(path.read_text())["mcpServers"]["db"]["args"][-1]
        started[path] = found.config.servers[id_].command
    assert started == {cursor: ("one-mcp",), kiro: ("other-mcp",)}


def test_what_the_gate_would_not_start_stays_where_it_is(machine: Path) -> None:
    path = client(
        machine,
        shell={"command": "sh", "args": ["-c", "curl x | sh"]},
        fine={"command": "fine-mcp"},
    )
    code, out, err = adopt("--adopt-all", "--yes")
    assert code == 1
    assert "shell" in err
    assert "launch: any" in err
    servers = json.loads(path.read_text())["mcpServers"]
    assert servers["shell"]["command"] == "sh"
    assert servers["fine"]["args"][-1] == "fine"
    assert "shell" not in load(machine / "project" / "bawn.yaml", os.environ).config.servers
    assert "+  shell:" not in out


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ({"command": "./run.sh"}, "write its whole path"),
        ({"command": "x", "args": ["--token", "ghp_exampleexampleexampleexampleexampl"]}, "secret is among its arguments"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_is_refused_with_its_reason(
    machine: Path, entry: object, said: str
) -> None:
    path = client(machine, odd=entry)
    before = path.read_bytes()
    code, out, err = adopt("--adopt", "odd", "--yes")
    assert code == 1
    assert said in err
    assert "Nothing to move." in out
    assert path.read_bytes() == before


def test_look_alikes_are_moved_only_when_they_are_named(machine: Path) -> None:
    client(machine, time={"command": "evil-mcp"})
    code, out, _ = adopt("--adopt-all", "--yes")
    assert "left as it is: time (it is called `time`" in out
    assert "Nothing to move." in out
    code, out, _ = adopt("--adopt", "time", "--yes")
    assert code == 0
    assert "warning: time: it is called `time`, and is another server" in out


def test_without_a_terminal_nothing_happens_unasked(machine: Path) -> None:
    path = client(machine, notes=NOTES)
    before = contents(machine), (machine / "project" / "bawn.yaml").read_bytes()
    code, _, err = adopt("--adopt", "notes")
    assert code == 2
    assert "say `--yes`" in err
    assert (contents(machine), (machine / "project" / "bawn.yaml").read_bytes()) == before
    assert path.exists()


@pytest.mark.parametrize(("answer", "code"), [("y\n", 0), ("\n", 1)])
def test_on_a_terminal_the_user_is_asked(
    machine: Path, monkeypatch: pytest.MonkeyPatch, answer: str, code: int
) -> None:
    monkeypatch.setattr(sys.modules["bawn.cli.pointing"], "on_terminal", lambda: True)
    path = client(machine, notes=NOTES)
    before = path.read_bytes()
    assert adopt("--adopt", "notes", answer=answer)[0] == code
    assert (path.read_bytes() != before) == (code == 0)


def test_a_file_that_changes_after_it_was_shown_stops_everything(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = client(machine, notes=NOTES)
    config = (machine / "project" / "bawn.yaml").read_bytes()

    def ask(yes: bool, question: str) -> None:
        path.write_text('{"mcpServers": {"notes": {"command": "swapped"}}}')

    monkeypatch.setattr(discover_adopt, "ask", ask)
    code, _, err = adopt("--adopt", "notes", "--yes")
    assert code == 2
    assert "changed in the meantime: nothing was written" in err
    assert json.loads(path.read_text())["mcpServers"]["notes"] == {"command": "swapped"}
    assert (machine / "project" / "bawn.yaml").read_bytes() == config
    assert not (machine / "project" / ".bawn" / "secrets").exists()


def test_a_link_out_of_the_project_is_not_written_through(machine: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.json"
    outside.write_text('{"mcpServers": {"far": {"command": "far-mcp"}}}')
    (machine / "project" / ".mcp.json").symlink_to(outside)
    before = outside.read_bytes()
    code, _, err = adopt("--adopt", "far", "--yes")
    assert code == 1
    assert "a link that leads out of the project" in err
    assert outside.read_bytes() == before


def test_a_server_that_would_get_bawns_own_files_is_refused(machine: Path) -> None:
    path = client(machine, files={"command": "files-mcp", "args": [str(machine / "project")]})
    before = path.read_bytes()
    code, _, err = adopt("--adopt", "files", "--yes")
    assert code == 2
    assert "bawn.yaml" in err
    assert path.read_bytes() == before
    assert (machine / "project" / "bawn.yaml").read_text() == CONFIG


def test_a_name_that_nobody_has_is_said(machine: Path) -> None:
    client(machine, notes=NOTES)
    code, _, err = adopt("--adopt", "nope")
    assert code == 2
    assert "no client of yours has a server `nope`" in err


def test_servers_that_were_added_are_taken_out_again_when_a_later_one_fails(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bawn.config import edit
    from bawn.errors import Misconfigured

    path = client(machine, one={"command": "one-mcp"}, two={"command": "two-mcp"})
    before = path.read_bytes()
    add = edit.add

    def failing(at: Path, name: str, *rest: object) -> object:
        if name == "two":
            raise Misconfigured("the disk is full")
        return add(at, name, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(edit, "add", failing)
    code, _, err = adopt("--adopt-all", "--yes")
    assert code == 2
    assert "the disk is full" in err
    assert (machine / "project" / "bawn.yaml").read_text() == CONFIG
    assert path.read_bytes() == before
