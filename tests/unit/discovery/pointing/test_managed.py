"""The administrator's files: as their makers document them, and nothing of bawn's secrets in them."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from bawn.config.load import parse
from bawn.config.model import Config
from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.inventory import understood
from bawn.discovery.pointing.managed import WITHOUT, files, needs_open_registry
from bawn.discovery.pointing.rewrite import Gate, is_ours

LOCAL = "servers: {files: {command: [files-mcp]}}\n"
PUBLIC = f"public_url: https://gate.example.com\n{LOCAL}"


def config(text: str) -> Config:
    return parse(text.encode(), Path("/etc/bawn/bawn.yaml"), {}).config


def made(text: str) -> dict[str, str]:
    found = config(text)
    gate = Gate("/usr/bin/bawn", Path("/etc/bawn/bawn.yaml"), found.servers)
    return {file.path: file.content for file in files(gate, found)}


STDIO = ["/usr/bin/bawn", "stdio", "--config", "/etc/bawn/bawn.yaml"]


def test_claude_code_loads_bawn_alone() -> None:
    found = made(LOCAL)
    servers = json.loads(found["claude-code/managed-mcp.json"])["mcpServers"]
    assert list(servers) == ["bawn"]
    assert [servers["bawn"]["command"], *servers["bawn"]["args"]] == STDIO
    settings = json.loads(found["claude-code/managed-settings.json"])
    assert settings == {
        "allowedMcpServers": [
            {"serverCommand": STDIO}, {"serverCommand": [*STDIO, "--server", "files"]},
        ],
        "allowManagedMcpServersOnly": True,
    }  # fmt: skip


def test_a_gate_with_a_public_url_is_named_by_it() -> None:
    found = made(PUBLIC)
    servers = json.loads(found["claude-code/managed-mcp.json"])["mcpServers"]
    assert servers["bawn"] == {"type": "http", "url": "https://gate.example.com/mcp"}
    allowed = json.loads(found["github-copilot/managed-settings.json"])["allowedMcpServers"]
    assert allowed[0] == {"serverUrl": "https://gate.example.com/*"}
    gemini = json.loads(found["gemini-cli/settings.json"])
    assert gemini["mcp"] == {"allowed": ["bawn"]}
    assert gemini["mcpServers"]["bawn"] == {"httpUrl": "https://gate.example.com/mcp"}
    requirements = tomllib.loads(found["codex/requirements.toml"])
    identity = requirements["mcp_servers"]["bawn"]["identity"]
    assert identity == {"url": "https://gate.example.com/mcp"}


def test_codex_gets_the_entry_and_the_rule_that_lets_it_alone_in() -> None:
    found = made(LOCAL)
    requirements = tomllib.loads(found["codex/requirements.toml"])
    assert requirements == {"mcp_servers": {"bawn": {"identity": {"command": "/usr/bin/bawn"}}}}
    entry = tomllib.loads(found["codex/managed_config.toml"])["mcp_servers"]["bawn"]
    assert entry == {"command": "/usr/bin/bawn", "args": STDIO[1:]}


def test_vscode_is_held_to_the_registry_only_where_it_can_read_it() -> None:
    assert "vscode/policy.json" not in made(PUBLIC)
    assert "registry.open" in needs_open_registry(config(PUBLIC))
    found = made(f"{PUBLIC}registry: {{open: true}}\n")
    assert json.loads(found["vscode/policy.json"]) == {
        "ChatMCP": "registry", "McpGalleryServiceUrl": "https://gate.example.com",
    }  # fmt: skip


@pytest.mark.parametrize("text", [LOCAL, PUBLIC])
def test_the_files_are_read_back_where_they_belong(text: str) -> None:
    """Discovery itself finds in each file that defines servers the one entry of bawn."""
    found = config(text)
    gate = Gate("/usr/bin/bawn", Path("/etc/bawn/bawn.yaml"), found.servers)
    roots = Roots.of({"HOME": "/home/ada"}, "linux")
    seen = set()
    for file in files(gate, found):
        for client in CLIENTS:
            for location in client.locations:
                if str(roots.system / location.path) == file.linux:
                    read = understood(
                        client, Path(file.linux), location.places, file.content.encode()
                    )
                    assert read.error == ""
                    for slot, entry in read.found:
                        assert is_ours(client, slot.value) or entry.url.endswith("/mcp")
                        seen.add(client.id)
    assert seen >= {"claude-code", "gemini", "codex"}


def test_every_client_without_a_file_that_is_named_is_known() -> None:
    assert WITHOUT.keys() <= {client.id for client in CLIENTS}
