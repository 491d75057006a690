from __future__ import annotations

from pathlib import Path

import pytest

from bawn.discovery.clients import CLIENTS, Client, Roots

BY_ID = {client.id: client for client in CLIENTS}


def test_the_clients_are_known() -> None:
    assert list(BY_ID) == [
        "claude-code",
        "claude-desktop",
        "cursor",
        "vscode",
        "windsurf",
        "kiro",
        "codex",
        "gemini",
        "antigravity",
        "copilot",
        "amazon-q",
        "opencode",
        "goose",
        "lm-studio",
        "zed",
        "junie",
        "cline",
        "roo",
        "continue",
    ]


@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.id)
def test_every_row_is_complete(client: Client) -> None:
    assert client.title
    assert any(place.scope == "user" for found in client.locations for place in found.places)
    for location in client.locations:
        assert location.path.endswith((".json", ".jsonc", ".toml", ".yaml", ".yml"))
        assert not Path(location.path).is_absolute()
        assert location.path.count("*") <= 1


@pytest.mark.parametrize(
    ("id_", "entry"),
    [
        ("claude-code", {"type": "stdio", "command": "/b", "args": ["stdio"]}),
        ("vscode", {"type": "stdio", "command": "/b", "args": ["stdio"]}),
        ("codex", {"command": "/b", "args": ["stdio"]}),
        ("gemini", {"command": "/b", "args": ["stdio"]}),
        ("opencode", {"type": "local", "command": ["/b", "stdio"]}),
        ("goose", {"type": "stdio", "cmd": "/b", "args": ["stdio"]}),
        ("copilot", {"type": "local", "tools": ["*"], "command": "/b", "args": ["stdio"]}),
        ("zed", {"command": "/b", "args": ["stdio"]}),
    ],
)
def test_entries_that_start_a_program_have_the_clients_own_fields(
    id_: str, entry: dict[str, object]
) -> None:
    assert BY_ID[id_].stdio_entry("/b", ["stdio"]) == entry


@pytest.mark.parametrize(
    ("id_", "entry"),
    [
        ("claude-code", {"type": "http", "url": "u"}),
        ("cursor", {"url": "u"}),
        ("vscode", {"type": "http", "url": "u"}),
        ("windsurf", {"serverUrl": "u"}),
        ("kiro", {"url": "u"}),
        ("codex", {"url": "u"}),
        ("gemini", {"httpUrl": "u"}),
        ("antigravity", {"serverUrl": "u"}),
        ("opencode", {"type": "remote", "url": "u"}),
    ],
)
def test_entries_with_a_url_have_the_clients_own_fields(id_: str, entry: dict[str, str]) -> None:
    assert BY_ID[id_].http_entry("u") == entry


def test_claude_desktop_takes_no_url() -> None:
    with pytest.raises(ValueError, match="cannot be given a URL"):
        BY_ID["claude-desktop"].http_entry("u")


def test_roots_follow_the_platform_and_the_environment() -> None:
    linux = Roots.of({"HOME": "/home/ada"}, "linux")
    assert linux.applications == Path("/home/ada/.config")
    assert (linux.claude, linux.codex) == (Path("/home/ada"), Path("/home/ada/.codex"))
    macos = Roots.of({"HOME": "/Users/ada"}, "darwin")
    assert macos.applications == Path("/Users/ada/Library/Application Support")
    moved = Roots.of(
        {"HOME": "/h", "XDG_CONFIG_HOME": "/c", "CLAUDE_CONFIG_DIR": "/cc", "CODEX_HOME": "/cx"},
        "linux",
    )
    assert (moved.applications, moved.claude, moved.codex) == (Path("/c"), Path("/cc"), Path("/cx"))
