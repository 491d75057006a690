from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from bawn.config.server import Server
from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.inventory import ClientFile, aggregate_target, inventory
from bawn.discovery.pointing.journal import Journal
from bawn.discovery.pointing.rewrite import (
    Gate,
    Plan,
    apply,
    is_ours,
    plan_aggregate,
    plan_in_place,
)

BY_ID = {client.id: client for client in CLIENTS}
ANY = Server(url="https://gate.example.com/mcp")


def _gate(*servers: str) -> Gate:
    return Gate("/opt/bin/bawn", Path("/etc/bawn/bawn.yaml"), dict.fromkeys(servers, ANY))


def _file(roots: Roots, client: str) -> ClientFile:
    return inventory(roots, clients=[BY_ID[client]])[0]


def _plan(roots: Roots, client: str, *servers: str) -> Plan:
    return plan_in_place(_file(roots, client), _gate(*servers), servers)


def _args(server: str) -> list[str]:
    return ["stdio", "--config", "/etc/bawn/bawn.yaml", "--server", server]


def test_an_entry_keeps_its_key_and_starts_the_gate(roots: Roots) -> None:
    plan = _plan(roots, "claude-code", "linear", "postgres")
    after = json.loads(plan.after)
    assert after["mcpServers"]["Linear"] == {
        "type": "stdio",
        "command": "/opt/bin/bawn",
        "args": _args("linear"),
    }
    assert after["projects"]["/home/ada/src/shop"]["mcpServers"]["postgres"]["args"] == _args(
        "postgres"
    )
    assert [(left.name, left.unknown) for left in plan.left] == [("github", True)]


def test_what_the_user_decided_about_a_server_stays(roots: Roots) -> None:
    kiro = json.loads(_plan(roots, "kiro", "web-search").after)["mcpServers"]["web-search"]
    assert kiro == {
        "command": "/opt/bin/bawn",
        "args": _args("web-search"),
        "disabled": False,
        "autoApprove": ["search"],
        "disabledTools": ["local_search"],
    }
    codex = tomllib.loads(_plan(roots, "codex", "context7", "team-figma").after)["mcp_servers"]
    assert codex["context7"]["startup_timeout_sec"] == 20
    assert codex["team.figma"] == {
        "command": "/opt/bin/bawn",
        "args": _args("team-figma"),
        "enabled": False,
    }
    gemini = json.loads(_plan(roots, "gemini", "pythontools").after)["mcpServers"]["pythonTools"]
    assert (gemini["timeout"], gemini["trust"]) == (15000, False)
    assert not gemini.keys() & {"env", "cwd"}


def test_no_secret_stays_in_an_entry_that_is_connected(roots: Roots) -> None:
    plan = _plan(roots, "claude-code", "github", "postgres")
    assert "ghp_" not in plan.after
    assert "correct-horse" not in plan.after


def test_servers_not_asked_for_are_left(roots: Roots) -> None:
    plan = plan_in_place(_file(roots, "claude-code"), _gate("github", "linear"), ["linear"])
    assert [change.name for change in plan.changes] == ["Linear"]
    assert (plan.left[0].name, plan.left[0].why) == ("github", "not asked for")


def test_connecting_again_changes_nothing(roots: Roots, tmp_path: Path) -> None:
    apply(_plan(roots, "cursor", "files"), Journal(tmp_path / "j" / "connections.json"))
    plan = _plan(roots, "cursor", "files")
    assert plan.changes == ()
    assert ("files", "connected already") in [(left.name, left.why) for left in plan.left]


def test_an_entry_of_ours_follows_a_moved_configuration(roots: Roots, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j" / "connections.json")
    apply(_plan(roots, "cursor", "files"), journal)
    moved = Gate("/new/bawn", Path("/new/bawn.yaml"), {"files": ANY})
    (change,) = plan_in_place(_file(roots, "cursor"), moved, ["files"]).changes
    assert change.entry is not None
    assert change.entry["args"] == ["stdio", "--config", "/new/bawn.yaml", "--server", "files"]


def test_managed_entries_are_left_to_the_administrator(machine: Path, roots: Roots) -> None:
    path = machine / "system" / "etc" / "claude-code" / "managed-mcp.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"mcpServers": {"corp": {"command": "corp"}}}')
    file = next(f for f in inventory(roots) if f.path == path)
    plan = plan_in_place(file, _gate("corp"), ["corp"])
    assert plan.changes == ()
    assert plan.left[0].why == "managed by the administrator"


@pytest.mark.parametrize("client", [c.id for c in CLIENTS if c.writable])
def test_one_entry_for_all_servers_can_be_added_to_every_client(client: str, roots: Roots) -> None:
    target = aggregate_target(BY_ID[client], roots, None, create=False)
    assert target is not None
    before = target[0].document
    plan = plan_aggregate(target[0], _gate("a"), target[1])
    parsed = tomllib.loads(plan.after) if client == "codex" else None
    servers = (
        parsed["mcp_servers"]
        if parsed
        else _servers(plan.after.removeprefix("\ufeff"), target[1].keys)
    )
    command = servers["bawn"]["command"] if client == "opencode" else servers["bawn"]["args"]
    assert isinstance(command, list)
    assert command[-3:] == ["stdio", "--config", "/etc/bawn/bawn.yaml"]
    assert before is not None
    assert len(servers) == len(before.slots(target[1].keys)) + 1


def _servers(text: str, keys: tuple[str, ...]) -> dict[str, dict[str, object]]:
    from bawn.discovery.documents.json_document import JsonDocument

    found = JsonDocument(text).data
    for key in keys:
        found = found[key]
    assert isinstance(found, dict)
    return found


def test_the_entry_for_all_servers_is_renewed_in_place(roots: Roots, tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j" / "connections.json")
    for program, changes in (("/one/bawn", 1), ("/two/bawn", 1), ("/two/bawn", 0)):
        target = aggregate_target(BY_ID["kiro"], roots, None, create=False)
        assert target is not None
        plan = plan_aggregate(target[0], Gate(program, Path("/c.yaml"), {}), target[1])
        assert len(plan.changes) == changes
        if changes:
            apply(plan, journal)
    kiro = json.loads((roots.home / ".kiro" / "settings" / "mcp.json").read_text())
    assert kiro["mcpServers"]["bawn"]["command"] == "/two/bawn"


def test_a_file_that_changed_after_the_diff_is_refused_and_nothing_recorded(
    roots: Roots, tmp_path: Path
) -> None:
    journal = Journal(tmp_path / "j" / "connections.json")
    plan = _plan(roots, "cursor", "files")
    plan.path.write_bytes(b"{}")
    with pytest.raises(Unreadable, match="changed in the meantime"):
        apply(plan, journal)
    assert plan.path.read_bytes() == b"{}"
    assert journal.read() == {}


def test_a_file_that_appeared_after_the_diff_is_refused(roots: Roots, tmp_path: Path) -> None:
    path = roots.home / ".cursor" / "mcp.json"
    path.unlink()
    target = aggregate_target(BY_ID["cursor"], roots, None, create=True)
    assert target is not None
    plan = plan_aggregate(target[0], _gate(), target[1])
    path.write_bytes(b"{}")
    with pytest.raises(Unreadable, match="appeared in the meantime"):
        apply(plan, Journal(tmp_path / "j" / "connections.json"))
    assert path.read_bytes() == b"{}"


def test_a_broken_file_and_a_straying_link_are_refused(machine: Path, roots: Roots) -> None:
    (machine / "home" / ".cursor" / "mcp.json").write_text("{oops")
    with pytest.raises(Unreadable, match="line 1, column 2"):
        _plan(roots, "cursor", "files")
    project = machine / "project"
    (project / ".mcp.json").unlink()
    (project / ".mcp.json").symlink_to(machine / "home" / ".gemini" / "settings.json")
    stray = next(f for f in inventory(roots, project) if f.path == project / ".mcp.json")
    with pytest.raises(Unreadable, match="leads out of the project"):
        plan_in_place(stray, _gate("github"), ["github"])


def test_an_entry_in_doubt_is_left_with_its_reason(roots: Roots) -> None:
    path = roots.home / ".cursor" / "mcp.json"
    path.write_text('{"mcpServers": {"a": {"command": "x"}, "a": {"command": "y"}}}')
    plan = _plan(roots, "cursor", "a")
    assert plan.changes == ()
    assert "twice" in plan.left[0].why


def test_our_own_entries_are_known(roots: Roots) -> None:
    cursor = BY_ID["cursor"]
    assert is_ours(cursor, _gate().entry(cursor, "x"))
    assert not is_ours(cursor, {"command": "bawn"})
    assert not is_ours(cursor, {"command": "npx", "args": ["stdio"]})


def test_a_toml_file_with_no_room_for_a_table_is_refused(machine: Path, roots: Roots) -> None:
    path = machine / "home" / ".codex" / "config.toml"
    path.write_text('mcp_servers = { a = { command = "x" } }\n')
    target = aggregate_target(BY_ID["codex"], roots, None, create=False)
    assert target is not None
    with pytest.raises(Unreadable):
        plan_aggregate(target[0], _gate(), target[1])
