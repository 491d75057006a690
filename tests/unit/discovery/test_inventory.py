from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.entry import Entry
from bawn.discovery.inventory import aggregate_target, inventory

EVERYTHING = "@modelcontextprotocol/server-everything"
BY_ID = {client.id: client for client in CLIENTS}


def _named(entries: list[Entry], client: str) -> dict[str, Entry]:
    return {entry.name: entry for entry in entries if entry.client == client}


def test_every_client_in_its_documented_form_is_read(machine: Path, roots: Roots) -> None:
    found = inventory(roots, machine / "project")
    assert [file.error for file in found if file.error] == []
    entries = [entry for file in found for entry in file.entries]
    names = {client.id: list(_named(entries, client.id)) for client in CLIENTS}
    assert names == {
        "claude-code": ["github", "Linear", "postgres", "shared-server", "api"],
        "claude-desktop": ["filesystem", "github"],
        "cursor": ["issues", "files", "one", "two"],
        "vscode": ["search", "docs", "free", "memory", "github", "legacy"],
        "windsurf": ["figma", "slack", "surf"],
        "kiro": ["web-search", "api-server"],
        "codex": ["context7", "team.figma", "inline", "dotted"],
        "gemini": ["pythonTools", "remote", "events", "local"],
        "antigravity": ["developer-knowledge", "sqlite"],
        "copilot": ["playwright", "tickets", "lint"],
        "amazon-q": ["markdown", "find-a-domain", "workspace"],
        "opencode": ["everything", "jira", "second"],
        "goose": ["wiki", "remote"],
        "lm-studio": ["hf-mcp-server"],
        "zed": ["local-mcp-server", "remote-mcp-server", "older"],
        "junie": ["database", "docs"],
        "cline": ["git", "events"],
        "roo": ["time", "project-tools"],
        "continue": ["SQLite", "Search", "Browser search", "copied"],
    }
    postgres = _named(entries, "claude-code")["postgres"]
    assert (postgres.scope, postgres.project) == ("local", "/home/ada/src/shop")
    assert postgres.command == ("uvx", "postgres-mcp==0.3.0", "--access-mode=restricted")
    context7 = _named(entries, "codex")["context7"]
    assert context7.command == ("npx", "-y", "@upstash/context7-mcp@1.0.20")
    assert (context7.line, context7.env) == (5, ("CONTEXT7_API_KEY",))
    assert _named(entries, "windsurf")["figma"].url == "https://mcp.figma.com/mcp"
    assert _named(entries, "windsurf")["slack"].disabled
    assert _named(entries, "codex")["team.figma"].disabled


def test_the_secrets_of_every_client_are_found(machine: Path, roots: Roots) -> None:
    entries = [entry for file in inventory(roots, machine / "project") for entry in file.entries]
    assert {(e.client, e.name, s.name) for e in entries for s in e.secrets} == {
        ("claude-code", "github", "GITHUB_PERSONAL_ACCESS_TOKEN"),
        ("claude-code", "postgres", "DATABASE_URI"),
        ("claude-desktop", "github", "GITHUB_PERSONAL_ACCESS_TOKEN"),
        ("cursor", "issues", "Authorization"),
        ("vscode", "legacy", "--api-key"),
        ("windsurf", "slack", "SLACK_BOT_TOKEN"),
        ("kiro", "api-server", "URL"),
        ("codex", "context7", "CONTEXT7_API_KEY"),
        ("codex", "inline", "GIT_TOKEN"),
        ("antigravity", "developer-knowledge", "X-Goog-Api-Key"),
        ("copilot", "tickets", "Authorization"),
        ("amazon-q", "markdown", "API_KEY"),
        ("opencode", "everything", "SERVICE_TOKEN"),
        ("goose", "wiki", "WIKI_TOKEN"),
        ("lm-studio", "hf-mcp-server", "Authorization"),
        ("zed", "remote-mcp-server", "Authorization"),
        ("zed", "older", "OLD_TOKEN"),
        ("junie", "database", "--password"),
        ("cline", "events", "X-Api-Key"),
        ("roo", "project-tools", "ROO_SECRET"),
        ("continue", "SQLite", "SQLITE_PASSWORD"),
    }


def test_launches_are_understood_in_every_form(machine: Path, roots: Roots) -> None:
    entries = [entry for file in inventory(roots, machine / "project") for entry in file.entries]
    found = {(e.client, e.name): (e.transport, e.command, e.url, e.disabled) for e in entries}
    wanted = {
        ("opencode", "everything"): ("stdio", ("npx", "-y", EVERYTHING), "", False),
        ("opencode", "jira"): ("http", (), "https://jira.example.com/mcp", True),
        ("opencode", "second"): ("stdio", ("bun", "x", "second-mcp"), "", True),
        ("goose", "wiki"): ("stdio", ("uvx", "mcp-server-wiki", "--lang", "ga"), "", False),
        ("goose", "remote"): ("http", (), "https://goose.example.com/mcp", True),
        ("zed", "older"): ("stdio", ("node", "/opt/older.js"), "", False),
        ("cline", "events"): ("sse", (), "https://cline.example.com/events", False),
        ("roo", "time"): ("http", (), "https://roo.example.com/mcp", False),
        ("continue", "Browser search"): ("stdio", ("npx", "@playwright/mcp@latest"), "", False),
        ("antigravity", "sqlite"): (
            "stdio",
            ("uvx", "mcp-server-sqlite==2025.4.25", "--db-path", "/tmp/a.db"),
            "",
            True,
        ),
    }
    assert {key: found[key] for key in wanted} == wanted
    assert "fixture" not in "".join(str(entry) for entry in entries)
    lines = {(e.client, e.name): e.line for e in entries}
    assert (lines["goose", "wiki"], lines["continue", "Search"]) == (9, 13)


def test_yaml_is_read_and_never_written(roots: Roots) -> None:
    target = aggregate_target(BY_ID["goose"], roots, None, create=False)
    assert target is not None
    file, place = target
    assert file.document is not None
    with pytest.raises(Unreadable, match="only read"):
        file.document.insertion(place.keys, "bawn", {})


def test_without_a_project_only_the_users_files_are_read(roots: Roots) -> None:
    scopes = {entry.scope for file in inventory(roots) for entry in file.entries}
    assert scopes == {"user", "local"}


def test_nothing_is_written(machine: Path, roots: Roots) -> None:
    before = {p: p.stat().st_mtime_ns for p in machine.rglob("*")}
    inventory(roots, machine / "project")
    assert {p: p.stat().st_mtime_ns for p in machine.rglob("*")} == before


def test_a_home_that_is_a_project_is_read_once(roots: Roots) -> None:
    paths = [os.path.realpath(file.path) for file in inventory(roots, roots.home)]
    assert len(paths) == len(set(paths))


def test_managed_files_are_the_platforms_own(machine: Path, roots: Roots) -> None:
    path = machine / "system" / "etc" / "claude-code" / "managed-mcp.json"
    path.parent.mkdir(parents=True)
    path.write_text('{"mcpServers": {"corp": {"command": "corp"}}}')
    found = [entry for file in inventory(roots) for entry in file.entries]
    assert [entry.name for entry in found if entry.scope == "managed"] == ["corp"]


def test_a_broken_file_is_told_and_the_others_are_read(machine: Path, roots: Roots) -> None:
    (machine / "home" / ".cursor" / "mcp.json").write_text('{\n  "mcpServers": oops\n}')
    found = {file.client.id: file for file in inventory(roots)}
    assert found["cursor"].error == "line 2, column 17: expected a value, found 'o'"
    assert found["cursor"].entries == ()
    assert found["kiro"].entries


def test_no_file_is_begun_after_the_time_is_over(
    roots: Roots, monkeypatch: pytest.MonkeyPatch
) -> None:
    ticks = iter(range(0, 1000, 11))
    monkeypatch.setattr(time, "monotonic", lambda: next(ticks))
    assert {file.error for file in inventory(roots)} == {"not read: 10 seconds were over"}


def test_links_out_of_a_project_are_marked(machine: Path, roots: Roots) -> None:
    project = machine / "project"
    (project / ".mcp.json").unlink()
    (project / ".mcp.json").symlink_to(machine / "home" / ".kiro" / "settings" / "mcp.json")
    strays = [file.path for file in inventory(roots, project) if file.strays]
    assert strays == [project / ".mcp.json"]


def test_the_entry_for_all_servers_goes_to_the_first_file(machine: Path, roots: Roots) -> None:
    for client in CLIENTS:
        target = aggregate_target(client, roots, None, create=False)
        assert target is not None
        assert target[1].scope == "user"
    target = aggregate_target(BY_ID["cursor"], roots, machine / "project", create=False)
    assert target is not None
    assert target[0].path == machine / "project" / ".cursor" / "mcp.json"


def test_a_missing_file_is_made_up_only_where_the_client_is(machine: Path, roots: Roots) -> None:
    path = machine / "home" / ".cursor" / "mcp.json"
    path.unlink()
    assert aggregate_target(BY_ID["cursor"], roots, None, create=False) is None
    target = aggregate_target(BY_ID["cursor"], roots, None, create=True)
    assert target is not None
    assert target[0].snapshot is None
    assert not path.exists()
    path.parent.rmdir()
    assert aggregate_target(BY_ID["cursor"], roots, None, create=True) is None
