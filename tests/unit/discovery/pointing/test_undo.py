from __future__ import annotations

import json
from pathlib import Path

import pytest

from bawn.config.server import Server
from bawn.discovery.clients import CLIENTS, Client, Roots
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.inventory import aggregate_target, inventory
from bawn.discovery.pointing import rewrite, undo
from bawn.discovery.pointing.journal import Journal
from bawn.discovery.pointing.rewrite import Gate
from bawn.discovery.pointing.undo import Undo, plan_undo
from bawn.discovery.taking.names import slug

BY_ID = {client.id: client for client in CLIENTS}
WRITABLE = [client for client in CLIENTS if client.writable]
ANY = Server(url="https://gate.example.com/mcp")


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "state" / "connections.json")


def _connect(roots: Roots, journal: Journal, client: Client, *names: str) -> None:
    for file in inventory(roots, roots.home.parent / "project", [client]):
        known = names or [slug(entry.name) for entry in file.entries]
        gate = Gate("/opt/bawn", Path("/c/bawn.yaml"), dict.fromkeys(known, ANY))
        plan = rewrite.plan_in_place(file, gate, list(known))
        if plan.changes:
            rewrite.apply(plan, journal)


def _aggregate(roots: Roots, journal: Journal, client: Client, *, create: bool = False) -> Path:
    target = aggregate_target(client, roots, None, create=create)
    assert target is not None
    plan = rewrite.plan_aggregate(target[0], Gate("/opt/bawn", Path("/c.yaml"), {}), target[1])
    rewrite.apply(plan, journal)
    return plan.path


def _disconnect(journal: Journal) -> list[Undo]:
    undos = [plan_undo(path, records) for path, records in journal.read().items()]
    for found in undos:
        undo.apply(found, journal)
    return undos


def _contents(machine: Path) -> dict[Path, tuple[bytes, int]]:
    return {
        path: (path.read_bytes(), path.stat().st_mode)
        for path in machine.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize("client", WRITABLE, ids=lambda client: client.id)
def test_every_client_is_restored_byte_for_byte(
    client: Client, machine: Path, roots: Roots, journal: Journal
) -> None:
    before = _contents(machine)
    _connect(roots, journal, client)
    assert _contents(machine) != before
    undos = _disconnect(journal)
    assert all(found.exact and not found.left for found in undos)
    assert _contents(machine) == before
    assert journal.read() == {}


@pytest.mark.parametrize("client", WRITABLE, ids=lambda client: client.id)
def test_an_added_entry_is_taken_out_byte_for_byte(
    client: Client, machine: Path, roots: Roots, journal: Journal
) -> None:
    before = _contents(machine)
    _aggregate(roots, journal, client)
    assert _contents(machine) != before
    _disconnect(journal)
    assert _contents(machine) == before


def test_several_connections_are_taken_back_in_turn(
    machine: Path, roots: Roots, journal: Journal
) -> None:
    before = _contents(machine)
    _connect(roots, journal, BY_ID["cursor"], "files")
    _connect(roots, journal, BY_ID["cursor"], "files", "issues")
    _aggregate(roots, journal, BY_ID["cursor"])
    assert [len(records) for records in journal.read().values()] == [3]
    (found,) = _disconnect(journal)
    assert (found.exact, found.restored) == (True, ("bawn", "issues", "files"))
    assert _contents(machine) == before


EDITS = {
    "claude-code": (b'"numStartups": 184', b'"numStartups": 185, "new": {"a": []}'),
    "claude-desktop": (b'"Ctrl+Space"', b'"Alt+Space"'),
    "cursor": (b"// Cursor reads comments here", b"// edited by the user"),
    "vscode": (b'"Search key"', b'"Key for search"'),
    "windsurf": (b'"delete_file"', b'"delete_file", "rename_file"'),
    "kiro": (b'"X-Custom-Header"', b'"X-Other-Header"'),
    "codex": (b'model = "gpt-5"', b'model = "gpt-6"\nprofile = "new"'),
    "gemini": (b'"oauth-personal"', b'"api-key"'),
    "opencode": (b"// version 1", b"// edited"),
    "zed": (b'"One Dark"', b'"One Light"'),
    "copilot": (b'"search"', b'"search", "find"'),
}


@pytest.mark.parametrize("client", [BY_ID[id_] for id_ in EDITS], ids=lambda client: client.id)
def test_other_edits_made_since_stay(client: Client, roots: Roots, journal: Journal) -> None:
    file = inventory(roots, clients=[client])[0]
    old, new = EDITS[client.id]
    original = file.path.read_bytes()
    names = [slug(entry.name) for entry in file.entries if entry.command]
    assert old in original
    _connect(roots, journal, client, *names)
    connected = file.path.read_bytes()
    assert old in connected
    file.path.write_bytes(connected.replace(old, new))
    found = next(u for u in _disconnect(journal) if u.path == file.path)
    assert not found.exact
    assert found.left == ()
    assert file.path.read_bytes() == original.replace(old, new)


def test_a_file_that_its_client_wrote_anew_is_restored_in_meaning(
    roots: Roots, journal: Journal
) -> None:
    path = roots.home / ".claude.json"
    original = json.loads(path.read_text())
    _connect(roots, journal, BY_ID["claude-code"], "github", "postgres")
    rewritten = json.loads(path.read_text())
    rewritten["numStartups"] += 1
    path.write_text(json.dumps(rewritten))
    _disconnect(journal)
    assert json.loads(path.read_text()) == {**original, "numStartups": original["numStartups"] + 1}


def test_an_added_entry_is_taken_out_of_a_file_that_changed(roots: Roots, journal: Journal) -> None:
    for client in (BY_ID["kiro"], BY_ID["codex"]):
        path = _aggregate(roots, journal, client)
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        (found,) = _disconnect(journal)
        assert (found.exact, found.restored, found.left) == (False, ("bawn",), ())
        assert b"bawn" not in path.read_bytes()
        assert len(inventory(roots, clients=[client])[0].entries) == 2


def test_a_file_that_did_not_exist_is_removed_again(roots: Roots, journal: Journal) -> None:
    (roots.home / ".cursor" / "mcp.json").unlink()
    path = _aggregate(roots, journal, BY_ID["cursor"], create=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["mcpServers"]["bawn"]["command"] == "/opt/bawn"
    _disconnect(journal)
    assert not path.exists()


def test_a_made_file_that_the_user_filled_stays(roots: Roots, journal: Journal) -> None:
    (roots.home / ".cursor" / "mcp.json").unlink()
    path = _aggregate(roots, journal, BY_ID["cursor"], create=True)
    tree = json.loads(path.read_text())
    tree["mcpServers"]["mine"] = {"command": "mine"}
    path.write_text(json.dumps(tree))
    _disconnect(journal)
    assert json.loads(path.read_text()) == {"mcpServers": {"mine": {"command": "mine"}}}


def test_an_entry_that_was_removed_is_left_alone_and_told(roots: Roots, journal: Journal) -> None:
    path = roots.home / ".kiro" / "settings" / "mcp.json"
    _connect(roots, journal, BY_ID["kiro"])
    tree = json.loads(path.read_text())
    del tree["mcpServers"]["web-search"]
    path.write_text(json.dumps(tree))
    (found,) = _disconnect(journal)
    assert found.left == (("web-search", "removed since"),)
    assert found.restored == ("api-server",)
    after = json.loads(path.read_text())["mcpServers"]
    assert list(after) == ["api-server"]
    assert after["api-server"]["headers"] == {"X-Custom-Header": "value"}
    assert journal.read() == {}


def test_an_entry_that_was_altered_is_left_alone_and_its_original_kept(
    roots: Roots, journal: Journal
) -> None:
    path = roots.home / ".kiro" / "settings" / "mcp.json"
    original = path.read_bytes()
    _connect(roots, journal, BY_ID["kiro"])
    connected = path.read_bytes()
    path.write_bytes(connected.replace(b'"search"', b'"search", "more"'))
    (found,) = _disconnect(journal)
    assert [name for name, _ in found.left] == ["web-search"]
    assert b'"search", "more"' in path.read_bytes()
    assert b'"bawn"' not in path.read_bytes()
    # Once the alteration is gone, it can be taken back after all.
    path.write_bytes(path.read_bytes().replace(b'"search", "more"', b'"search"'))
    (again,) = _disconnect(journal)
    assert again.left == ()
    assert path.read_bytes() == original
    assert journal.read() == {}


def test_a_file_that_is_gone_is_told_and_forgotten(roots: Roots, journal: Journal) -> None:
    _connect(roots, journal, BY_ID["claude-desktop"], "github")
    path = roots.applications / "Claude" / "claude_desktop_config.json"
    path.unlink()
    (found,) = _disconnect(journal)
    assert found.left == (("github", "the file is gone"),)
    assert not path.exists()
    assert journal.read() == {}


def test_a_change_that_was_recorded_and_never_made_is_forgotten(
    roots: Roots, journal: Journal
) -> None:
    path = roots.home / ".kiro" / "settings" / "mcp.json"
    original = path.read_bytes()
    _connect(roots, journal, BY_ID["kiro"])
    path.write_bytes(original)  # as if the machine had stopped between journal and file
    (found,) = _disconnect(journal)
    assert (found.restored, found.left, path.read_bytes()) == ((), (), original)
    assert journal.read() == {}


def test_a_file_that_is_broken_now_is_refused_and_kept(roots: Roots, journal: Journal) -> None:
    path = roots.home / ".kiro" / "settings" / "mcp.json"
    _connect(roots, journal, BY_ID["kiro"])
    path.write_text("{oops")
    with pytest.raises(Unreadable, match="line 1, column 2"):
        _disconnect(journal)
    assert path.read_text() == "{oops"
    assert len(journal.read()) == 1


def test_a_file_that_changes_while_it_is_taken_back_is_refused(
    roots: Roots, journal: Journal
) -> None:
    path = roots.home / ".kiro" / "settings" / "mcp.json"
    _connect(roots, journal, BY_ID["kiro"])
    ((found, records),) = journal.read().items()
    planned = plan_undo(found, records)
    path.write_text("{}")
    with pytest.raises(Unreadable, match="changed in the meantime"):
        undo.apply(planned, journal)
    assert path.read_text() == "{}"
    assert len(journal.read()) == 1


def test_links_stay_links_both_ways(machine: Path, roots: Roots, journal: Journal) -> None:
    path = roots.home / ".codex" / "config.toml"
    target = machine / "dotfiles"
    path.rename(target)
    path.symlink_to(target)
    original = target.read_bytes()
    _connect(roots, journal, BY_ID["codex"], "context7")
    target.write_bytes(target.read_bytes() + b"# mine\n")
    _disconnect(journal)
    assert path.is_symlink()
    assert target.read_bytes() == original + b"# mine\n"
