"""The administrator's files of clients that have them: bawn is there, and nothing else is let in.

Only what the clients' makers document is written. Sources:

- Claude Code: code.claude.com/docs, "Control MCP server access for your organization" (managed-mcp.json;
  managed-settings.json with allowedMcpServers, allowManagedMcpServersOnly).
- Gemini CLI: geminicli.com/docs/cli/enterprise (system settings.json: mcp.allowed with mcpServers).
- Codex: developers.openai.com/codex/enterprise/managed-configuration (requirements.toml: mcp_servers.ID.identity
  by command or url; managed_config.toml).
- GitHub Copilot in its CLI, VS Code and JetBrains: docs.github.com, "Enterprise managed settings" and
  "Configuring an MCP server allowlist" (managed-settings.json with allowedMcpServers).
- VS Code: code.visualstudio.com/docs/enterprise/policies (Linux: /etc/vscode/policy.json; ChatMCP sets
  chat.mcp.access, McpGalleryServiceUrl the registry). The values are those of VS Code's own schema of
  chat.mcp.access (none, registry, all).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from bawn.config.model import Config
from bawn.discovery.clients import CLIENTS, Client
from bawn.discovery.documents.toml_document import TomlDocument
from bawn.discovery.pointing.rewrite import AGGREGATE, Gate

_BY_ID: Final = {client.id: client for client in CLIENTS}


class Managed(NamedTuple):
    """One file: below which name it is written, what is in it, and where it belongs on each platform."""

    client: str
    path: str
    content: str
    linux: str
    macos: str
    note: str = ""


WITHOUT: Final[Mapping[str, str]] = {
    "claude-desktop": "its organisation's settings are made at claude.ai; no file is documented",
    "cursor": "its allowlist of servers is a setting of the team's dashboard; MDM has no policy for it",
    "windsurf": "its allowlist of servers is a setting of the team's administration; no file is documented",
    "kiro": "its registry of servers is a setting of the profile in AWS' console; no file",
    "amazon-q": "its registry of servers is a setting of the profile in AWS' console; no file",
    "opencode": "its managed configuration adds servers, and keeps none out",
}
"""Why a client has no file here. Of those that neither list has, nothing is documented."""


def files(gate: Gate, config: Config) -> tuple[Managed, ...]:
    """The files for a gate: by its URL where it has a public one, else by its program on each machine."""
    claude, gemini, codex = (_BY_ID[name] for name in ("claude-code", "gemini", "codex"))
    allowed = _allowed(gate, config)
    found = [
        Managed(
            "claude-code", "claude-code/managed-mcp.json",
            _json({"mcpServers": {AGGREGATE: _entry(claude, gate, config)}}),
            "/etc/claude-code/managed-mcp.json",
            "/Library/Application Support/ClaudeCode/managed-mcp.json",
            "only the servers in it are loaded",
        ),
        Managed(
            "claude-code", "claude-code/managed-settings.json",
            _json({"allowedMcpServers": allowed, "allowManagedMcpServersOnly": True}),
            "/etc/claude-code/managed-settings.json",
            "/Library/Application Support/ClaudeCode/managed-settings.json",
            "add these keys to the one that you may have",
        ),
        Managed(
            "gemini", "gemini-cli/settings.json",
            _json({
                "mcp": {"allowed": [AGGREGATE]},
                "mcpServers": {AGGREGATE: _entry(gemini, gate, config)},
            }),
            "/etc/gemini-cli/settings.json",
            "/Library/Application Support/GeminiCli/settings.json",
            "add these keys to the one that you may have",
        ),
        Managed(
            "codex", "codex/requirements.toml", _requirements(gate, config),
            "/etc/codex/requirements.toml", "/etc/codex/requirements.toml",
            "only what it names is switched on, by name and command or URL",
        ),
        Managed(
            "codex", "codex/managed_config.toml",
            _toml((*_SERVERS, AGGREGATE), _entry(codex, gate, config)),
            "/etc/codex/managed_config.toml", "/etc/codex/managed_config.toml",
        ),
        Managed(
            "copilot", "github-copilot/managed-settings.json",
            _json({"allowedMcpServers": allowed}),
            "/etc/github-copilot/managed-settings.json",
            "/Library/Application Support/GitHubCopilot/managed-settings.json",
            "VS Code and JetBrains read it for Copilot, too; Copilot CLI wants it owned by root, mode 0644",
        ),
    ]  # fmt: skip
    return (*found, *_vscode(config))


_SERVERS: Final = ("mcp_servers",)


def _vscode(config: Config) -> tuple[Managed, ...]:
    """VS Code can be held to a registry, which it reads without credentials."""
    if not config.registry.open:
        return ()
    policy = {"ChatMCP": "registry", "McpGalleryServiceUrl": config.base_url}
    return (
        Managed(
            "vscode", "vscode/policy.json", _json(policy), "/etc/vscode/policy.json",
            "a configuration profile with these two keys",
            "only servers installed from bawn's registry run, which are those behind the gate",
        ),
    )  # fmt: skip


def needs_open_registry(config: Config) -> str:
    """Why there is no file for VS Code, where there is none."""
    if config.registry.open:
        return ""
    return "its policy ChatMCP holds it to a registry: set `registry.open` to have bawn's own used"


def _by_url(config: Config) -> bool:
    return config.public_url is not None or not config.loopback_only


def _entry(client: Client, gate: Gate, config: Config) -> dict[str, Any]:
    if _by_url(config):
        return client.http_entry(f"{config.base_url}/mcp")
    return gate.entry(client, None)


def _allowed(gate: Gate, config: Config) -> list[dict[str, Any]]:
    """Every way in which a client is pointed at this gate."""
    commands = [gate.command(server) for server in (None, *gate.servers)]
    urls = [{"serverUrl": f"{config.base_url}/*"}] if _by_url(config) else []
    return [*urls, *({"serverCommand": command} for command in commands)]


def _requirements(gate: Gate, config: Config) -> str:
    identity = {"url": f"{config.base_url}/mcp"} if _by_url(config) else {"command": gate.program}
    return _toml((*_SERVERS, AGGREGATE, "identity"), identity)


def _toml(keys: tuple[str, ...], table: Mapping[str, Any]) -> str:
    return TomlDocument("").insertion(keys[:-1], keys[-1], table).text


def _json(tree: Mapping[str, Any]) -> str:
    return json.dumps(tree, indent=2, ensure_ascii=False) + "\n"
