from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bawn.discovery.clients import CLIENTS
from bawn.discovery.documents.document import Slot
from bawn.discovery.entry import Entry, Secret, entry_of

BY_ID = {client.id: client for client in CLIENTS}
SECRET = "ghp_exampleexampleexampleexampleexampl"


def _entry(value: Any, client: str = "cursor") -> Entry:
    slot = Slot(("mcpServers",), "name", value, 0, 0, 7)
    return entry_of(BY_ID[client], Path("/f"), "user", slot)


@pytest.mark.parametrize(
    ("client", "value", "transport"),
    [
        ("cursor", {"command": "x"}, "stdio"),
        ("cursor", {"url": "https://x/mcp"}, "http"),
        ("cursor", {"url": "https://x/sse"}, "sse"),
        ("cursor", {"url": "https://x/sse", "type": "http"}, "http"),
        ("claude-code", {"type": "sse", "url": "https://x/mcp"}, "sse"),
        ("claude-code", {"type": "streamable-http", "url": "https://x"}, "http"),
        ("claude-code", {"type": "ws", "url": "wss://x"}, "unknown"),
        ("windsurf", {"serverUrl": "https://x/mcp"}, "http"),
        ("gemini", {"httpUrl": "https://x/mcp"}, "http"),
        ("gemini", {"url": "https://x/mcp"}, "sse"),
        ("gemini", {"url": "https://x/mcp", "type": "http"}, "http"),
        ("cursor", {"url": "http://[bad"}, "unknown"),
        ("cursor", {}, "unknown"),
        ("cursor", "text", "unknown"),
        ("cursor", {"command": 3}, "unknown"),
    ],
)
def test_the_transport_is_what_the_client_would_use(
    client: str, value: Any, transport: str
) -> None:
    assert _entry(value, client).transport == transport


def test_a_command_is_exact_and_whole() -> None:
    args = [f'word {n} with spaces and "quotes"' for n in range(500)]
    assert _entry({"command": "x", "args": [*args, 5]}).command == ("x", *args, "5")


def test_secrets_are_named_counted_and_never_kept() -> None:
    entry = _entry(
        {
            "command": "npx",
            "args": ["--api-key", SECRET, f"--url=https://ada:{SECRET}@x/", SECRET],
            "env": {"GITHUB_TOKEN": SECRET, "LEVEL": "debug", "N": 5},
            "headers": {"X-API-Key": SECRET},
        }
    )
    assert entry.secrets == (
        Secret("env", "GITHUB_TOKEN", 38),
        Secret("header", "X-API-Key", 38),
        Secret("argument", "--api-key", 38),
        Secret("argument", "--url", 38),
        Secret("argument", "argument 4", 38),
    )
    assert str(entry.secrets[0]) == "GITHUB_TOKEN (inline secret, 38 characters)"
    assert SECRET not in repr(entry)
    assert entry.env == ("GITHUB_TOKEN", "LEVEL", "N")


def test_secrets_in_urls_and_codex_fields_are_found() -> None:
    entry = _entry(
        {
            "url": "https://x/mcp?api_key=abc123",
            "bearer_token": "abc",
            "http_headers": {"A-Token": "abc"},
        },
        "codex",
    )
    assert [(s.place, s.name, s.length) for s in entry.secrets] == [
        ("header", "A-Token", 3),
        ("url", "URL", 6),
        ("field", "bearer_token", 3),
    ]
    assert entry.url == "https://x/mcp?api_key=<secret: 6 characters>"


def test_references_are_no_secrets() -> None:
    value = {"url": "u", "env_http_headers": {"A": "TOKEN"}, "bearer_token_env_var": "TOKEN"}
    assert _entry(value, "codex").secrets == ()
    assert _entry({"command": "x", "env": {"API_KEY": "${input:key}"}}, "vscode").secrets == ()


@pytest.mark.parametrize("value", [{"disabled": True}, {"enabled": False}])
def test_disabled_servers_are_told(value: dict[str, Any]) -> None:
    assert _entry(value).disabled
    assert not _entry({"disabled": False, "enabled": True}).disabled
