"""A client that has bawn and nothing else; and everything back, byte for byte or entry by entry."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.documents.difference import between
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.inventory import aggregate_target, inventory, open_document, read_file
from bawn.discovery.pointing.exclusive import SWITCHES, has_ours, plan_exclusive
from bawn.discovery.pointing.journal import Journal
from bawn.discovery.pointing.rewrite import Gate, Plan, apply
from bawn.discovery.pointing.undo import apply as take_back
from bawn.discovery.pointing.undo import plan_undo

GATE = Gate("/usr/bin/bawn", Path("/etc/bawn.yaml"), {})
BY_ID = {client.id: client for client in CLIENTS}
WRITABLE = [client.id for client in CLIENTS if client.writable]


def plans(client: str, roots: Roots, project: Path | None = None) -> list[Plan]:
    files = inventory(roots, project, [BY_ID[client]])
    target = aggregate_target(BY_ID[client], roots, None, create=True)
    assert target is not None
    rest = [file for file in files if file.path != target[0].path]
    return [plan_exclusive(target[0], GATE, target[1]), *(plan_exclusive(f, GATE) for f in rest)]


def on(roots: Roots, client: str, project: Path | None = None) -> list[str]:
    files = inventory(roots, project, [BY_ID[client]])
    return [entry.name for file in files for entry in file.entries if not entry.disabled]


@pytest.mark.parametrize("client", WRITABLE)
def test_bawn_alone_is_left_switched_on_and_the_undo_is_exact(
    client: str, machine: Path, roots: Roots, tmp_path: Path
) -> None:
    project = machine / "project"
    before = {path: path.read_bytes() for path in machine.rglob("*") if path.is_file()}
    journal = Journal(tmp_path / "state" / "connections.json")
    for plan in plans(client, roots, project):
        if plan.changes:
            apply(plan, journal)
    assert on(roots, client, project) == ["bawn"]
    assert has_ours(inventory(roots, None, [BY_ID[client]]))
    for path, records in journal.read().items():
        take_back(plan_undo(path, records), journal)
    assert {path: path.read_bytes() for path in machine.rglob("*") if path.is_file()} == before
    assert journal.read() == {}


@pytest.mark.parametrize("client", sorted(SWITCHES))
def test_where_a_client_has_a_switch_entries_stay_in_the_file(client: str, roots: Roots) -> None:
    for plan in plans(client, roots):
        for change in plan.changes:
            if change.name != "bawn":
                assert change.entry is not None
                assert change.entry.items() >= SWITCHES[client].items()
                assert change.slot is not None
                kept = {key: change.entry[key] for key in change.slot.value}
                assert {**kept, **SWITCHES[client]} == change.entry


def test_what_was_taken_out_comes_back_into_a_file_that_changed_since(
    machine: Path, roots: Roots, tmp_path: Path
) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.write_text(
        '{"mcpServers": {"a": {"command": "a", "env": {"X": "1"}}, "b": {"url": "https://b"}}}'
    )
    journal = Journal(tmp_path / "connections.json")
    (plan,) = plans("cursor", roots)
    apply(plan, journal)
    tree = json.loads(path.read_text())
    assert list(tree["mcpServers"]) == ["bawn"]
    tree["theme"] = "dark"
    path.write_text(json.dumps(tree))
    undo = plan_undo(path, journal.read()[path])
    assert not undo.exact
    assert set(undo.restored) == {"a", "b", "bawn"}
    take_back(undo, journal)
    assert json.loads(path.read_text()) == {
        "mcpServers": {"a": {"command": "a", "env": {"X": "1"}}, "b": {"url": "https://b"}},
        "theme": "dark",
    }


def test_what_is_there_again_is_left_as_it_is(machine: Path, roots: Roots, tmp_path: Path) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.write_text('{"mcpServers": {"a": {"command": "a"}}}')
    journal = Journal(tmp_path / "connections.json")
    (plan,) = plans("cursor", roots)
    apply(plan, journal)
    path.write_text('{"mcpServers": {"a": {"command": "mine"}}}')
    undo = plan_undo(path, journal.read()[path])
    assert [name for name, _ in undo.left] == ["a", "bawn"]
    take_back(undo, journal)
    assert json.loads(path.read_text()) == {"mcpServers": {"a": {"command": "mine"}}}


def test_codex_is_switched_off_in_toml(roots: Roots) -> None:
    (plan, *_) = plans("codex", roots)
    tree = tomllib.loads(plan.after)["mcp_servers"]
    assert tree["bawn"]["command"] == "/usr/bin/bawn"
    assert {entry.get("enabled", True) for name, entry in tree.items() if name != "bawn"} == {False}


def test_no_secret_is_shown_of_entries_that_stay(roots: Roots) -> None:
    for client in WRITABLE:
        for plan in plans(client, roots):
            after = open_document(plan.path, plan.after)
            shown = "\n".join(between(plan.document, after))
            for secret in ("ghp_", "correct-horse", "0123456789abcdef", "abc123def456", "xoxb-"):
                assert secret not in shown


def test_the_administrators_entries_stay(machine: Path, roots: Roots) -> None:
    path = machine / "system" / "etc" / "claude-code" / "managed-mcp.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"mcpServers": {"corp": {"command": "corp"}}}')
    location = next(
        each for each in BY_ID["claude-code"].locations if each.path.endswith("managed-mcp.json")
    )
    file = read_file(BY_ID["claude-code"], path, location.places)
    assert file is not None
    plan = plan_exclusive(file, GATE)
    assert plan.changes == ()
    assert plan.left[0].why == "managed by the administrator"


def test_yaml_is_refused(roots: Roots) -> None:
    (file, *_) = inventory(roots, None, [BY_ID["goose"]])
    with pytest.raises(Unreadable, match="only read"):
        plan_exclusive(file, GATE)
