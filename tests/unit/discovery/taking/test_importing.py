from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bawn.config.load import check
from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.inventory import inventory, read_file
from bawn.discovery.taking.importing import Imported, Skipped, imported

BY_ID = {client.id: client for client in CLIENTS}
SECRET = "ghp_exampleexampleexampleexampleexampl"


def _refer(name: str) -> str:
    return f"${{file:secrets/{name}}}"


def _from(
    tmp_path: Path, *files: dict[str, Any]
) -> tuple[tuple[Imported, ...], tuple[Skipped, ...]]:
    found = []
    for number, servers in enumerate(files):
        path = tmp_path / f"{number}.json"
        path.write_text(json.dumps({"mcpServers": servers}))
        client = BY_ID["cursor" if number else "claude-code"]
        file = read_file(client, path, BY_ID["cursor"].locations[0].places)
        assert file is not None
        found.append(file)
    return imported(found, _refer)


def test_every_client_is_imported_into_a_configuration_that_holds(
    machine: Path, roots: Roots
) -> None:
    servers, skipped = imported(inventory(roots, machine / "project"), _refer)
    check({"servers": {server.id: server.settings for server in servers}})
    assert [server.id for server in servers] == [
        "github", "linear", "postgres", "shared-server", "filesystem", "issues", "files", "one",
        "two", "docs", "free", "memory", "github-2", "surf", "web-search", "context7", "inline",
        "dotted", "pythontools", "remote", "events", "local", "playwright", "tickets", "lint",
        "markdown", "find-a-domain", "workspace", "everything", "wiki", "hf-mcp-server",
        "local-mcp-server", "remote-mcp-server", "older", "docs-2", "git", "time", "project-tools",
        "sqlite", "search", "browser-search", "copied",
    ]  # fmt: skip
    assert sorted(entry.name for entry in skipped) == [
        "api", "api-server", "database", "developer-knowledge", "events", "figma", "jira", "legacy",
        "remote", "search", "second", "slack", "sqlite", "team.figma",
    ]  # fmt: skip
    text = repr(servers) + json.dumps([server.settings for server in servers])
    for secret in (SECRET, "correct-horse", "0123456789abcdef"):
        assert secret not in text


def test_secrets_become_references_and_are_handed_over_by_name(tmp_path: Path) -> None:
    env = {
        "API_KEY": SECRET,
        "URL": f"https://ada:{SECRET}@x",
        "LEVEL": "debug",
        "OTHER": "${OTHER}",
    }
    ((server,), _) = _from(tmp_path, {"My Server": {"command": "x", "env": env}})
    assert server.settings["env"] == {
        "API_KEY": "${file:secrets/my-server-api-key}",
        "URL": "${file:secrets/my-server-url}",
        "LEVEL": "debug",
        "OTHER": "${env:OTHER}",
    }
    assert server.secrets == {"my-server-api-key": SECRET, "my-server-url": env["URL"]}


def test_what_only_looks_like_a_secret_is_a_reference_too(tmp_path: Path) -> None:
    ((server,), _) = _from(
        tmp_path, {"a": {"command": "x", "env": {"ID": "9f8a7c6e5d4b3a291807f6e5d4c3"}}}
    )
    assert server.settings["env"] == {"ID": "${file:secrets/a-id}"}


def test_a_bearer_token_becomes_auth(tmp_path: Path) -> None:
    ((server,), _) = _from(
        tmp_path,
        {
            "a": {
                "type": "http",
                "url": "https://x/mcp",
                "headers": {"Authorization": f"Bearer {SECRET}"},
            }
        },
    )
    assert server.settings == {
        "url": "https://x/mcp",
        "auth": {"type": "bearer", "token": "${file:secrets/a-token}"},
    }
    assert server.secrets == {"a-token": SECRET}


def test_the_same_server_of_two_clients_is_one(tmp_path: Path) -> None:
    ((server,), skipped) = _from(
        tmp_path,
        {"a": {"command": "npx", "args": ["-y", "p@1.0.0"], "env": {}}},
        {"A": {"command": "npx", "args": ["p@1.0.0"]}},
    )
    assert server.origins == ("Claude Code (user)", "Cursor (user)")
    assert skipped == ()


def test_other_accounts_and_other_commands_are_servers_of_their_own(tmp_path: Path) -> None:
    (servers, _) = _from(
        tmp_path,
        {"a": {"command": "x", "env": {"TOKEN": "one"}}},
        {"a": {"command": "x", "env": {"TOKEN": "two"}}, "A": {"command": "y"}},
    )
    assert [server.id for server in servers] == ["a", "a-2", "a-3"]
    assert [list(server.secrets.values()) for server in servers] == [["one"], ["two"], []]


def test_npx_installs_nothing_unasked_and_floating_versions_are_told(tmp_path: Path) -> None:
    ((server,), _) = _from(tmp_path, {"a": {"command": "npx", "args": ["-y", "pkg"]}})
    assert server.settings["command"] == ["npx", "pkg"]
    assert "no exact version" in server.notes[0]


def test_a_container_gets_its_secrets_from_the_environment(tmp_path: Path) -> None:
    args = ["run", "-i", "-e", f"TOKEN={SECRET}", "image"]
    ((server,), _) = _from(tmp_path, {"a": {"command": "docker", "args": args}})
    assert server.settings["command"] == ["docker", "run", "-i", "-e", "TOKEN", "image"]
    assert server.settings["env"] == {"TOKEN": "${file:secrets/a-token}"}


def test_entries_of_ours_are_not_imported(tmp_path: Path) -> None:
    assert _from(tmp_path, {"a": {"command": "/x/bawn", "args": ["stdio", "--server", "a"]}}) == (
        (),
        (),
    )


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({"command": "x", "disabled": True}, "disabled"),
        ({"type": "ws", "url": "wss://x"}, "known transport"),
        ({}, "known transport"),
        ("text", "expected an object"),
        ({"command": "x", "args": ["--token", SECRET]}, "a secret is among its arguments"),
        ({"command": "x", "args": [SECRET]}, "a secret is among its arguments"),
        ({"url": f"https://x/mcp?api_key={SECRET}"}, "a secret is in its URL"),
        ({"url": "https://x/mcp", "headers": {"X-API-Key": "abc"}}, "header X-API-Key cannot be carried"),
        ({"command": "x", "env": {"K": "${input:k}"}}, "the client asks its user for `k`"),
        ({"command": "${workspaceFolder}/x"}, "known to the client only"),
        ({"command": "$PROGRAM"}, "only the client knows"),
        ({"command": "x", "env": {"K": "a\u0000b"}}, "characters that no program can be given"),
        ({"command": "x", "args": ["\ud800"]}, "characters that no program can be given"),
        ({"command": "x", "args": ["a" * 20_000]}, "more than 16384 characters"),
        ({"command": "x", "env": {"not a name": "v"}}, "name of an environment variable"),
        ({"url": "ftp://x"}, "http://"),
    ],
)  # fmt: skip
def test_what_cannot_be_carried_safely_is_skipped_with_its_reason(
    tmp_path: Path, value: Any, why: str
) -> None:
    servers, (skipped,) = _from(tmp_path, {"a": value})
    assert servers == ()
    assert (skipped.name, skipped.origin) == ("a", "Claude Code (user)")
    assert why in skipped.why
    assert SECRET not in repr(skipped)
