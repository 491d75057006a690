"""Agents of the command line and the desktop.

Sources: developers.openai.com/codex (configuration, managed configuration), geminicli.com/docs (enterprise
settings), antigravity.google/docs/mcp, docs.github.com/copilot (Copilot CLI), docs.aws.amazon.com/amazonq (MCP
in the CLI and the IDE), opencode.ai/docs/mcp-servers and v2/docs, goose's guide on configuration files,
lmstudio.ai/docs/app/mcp. opencode, Goose: `~/.config` on macOS, too.
"""

from __future__ import annotations

from bawn.discovery.known.client import (
    SERVERS,
    Client,
    Location,
    Place,
    Root,
    Scope,
    files,
    managed,
)

_TOML = ("mcp_servers",)
_OPENCODE = ("opencode.json", "opencode.jsonc")


def _opencode(root: Root, folder: str) -> tuple[Location, ...]:
    """Version 1 has servers at `mcp`, version 2 at `mcp.servers`."""
    scope: Scope = "project" if root == "project" else "user"
    places = (Place(scope, ("mcp",)), Place(scope, ("mcp", "servers")))
    return tuple(Location(root, f"{folder}{name}", places) for name in _OPENCODE)


CODEX = Client(
    "codex",
    "Codex",
    (
        *files("user", _TOML, "codex", "config.toml", "managed_config.toml"),
        *files("project", _TOML, "project", ".codex/config.toml"),
        *files("managed", _TOML, "system", "etc/codex/config.toml"),
        *files("managed", _TOML, "system", "etc/codex/managed_config.toml"),
    ),
    keeps=(
        "enabled",
        "required",
        "enabled_tools",
        "disabled_tools",
        "default_tools_approval_mode",
        "tools",
        "startup_timeout_sec",
        "startup_timeout_ms",
        "tool_timeout_sec",
    ),
    processes=("codex",),
)

GEMINI = Client(
    "gemini",
    "Gemini CLI",
    (
        *files("user", SERVERS, "home", ".gemini/settings.json"),
        *files("project", SERVERS, "project", ".gemini/settings.json"),
        *managed(
            SERVERS,
            "etc/gemini-cli/settings.json",
            "Library/Application Support/GeminiCli/settings.json",
        ),
        *managed(
            SERVERS,
            "etc/gemini-cli/system-defaults.json",
            "Library/Application Support/GeminiCli/system-defaults.json",
        ),
    ),
    url="httpUrl",
    bare_url="sse",
    keeps=("timeout", "trust", "description", "includeTools", "excludeTools"),
    processes=("gemini",),
)

AGENTS: tuple[Client, ...] = (
    Client(
        "antigravity",
        "Antigravity",
        files("user", SERVERS, "home", ".gemini/antigravity/mcp_config.json"),
        url="serverUrl",
        keeps=("disabled", "disabledTools"),
        processes=("antigravity", "Antigravity", "agy"),
    ),
    Client(
        "copilot",
        "GitHub Copilot CLI",
        (
            *files("user", SERVERS, "home", ".copilot/mcp-config.json"),
            *files("project", SERVERS, "project", ".github/mcp.json"),
        ),
        stdio={"type": "local", "tools": ["*"]},
        http={"type": "http", "tools": ["*"]},
        keeps=("tools",),
        processes=("copilot",),
    ),
    Client(
        "amazon-q",
        "Amazon Q Developer",
        (
            *files(
                "user",
                SERVERS,
                "home",
                ".aws/amazonq/mcp.json",
                ".aws/amazonq/*.json",
                ".aws/amazonq/agents/*.json",
                ".aws/amazonq/cli-agents/*.json",
            ),
            *files("project", SERVERS, "project", ".amazonq/mcp.json", ".amazonq/*.json"),
            *files("project", SERVERS, "project", ".amazonq/cli-agents/*.json"),
        ),
        http={"type": "http"},
        keeps=("disabled", "timeout", "autoApprove", "disabledTools"),
        processes=("q", "qchat", "q_cli"),
    ),
    Client(
        "opencode",
        "opencode",
        (
            *_opencode("config", "opencode/"),
            *_opencode("project", ""),
            *_opencode("project", ".opencode/"),
        ),
        stdio={"type": "local"},
        http={"type": "remote"},
        one_list=True,
        keeps=("enabled", "disabled", "timeout"),
        processes=("opencode",),
    ),
    Client(
        "goose",
        "Goose",
        files("user", ("extensions",), "config", "goose/config.yaml"),
        stdio={"type": "stdio"},
        http={"type": "streamable_http"},
        command="cmd",
        url="uri",
        inside=("builtin", "platform", "frontend", "inline_python"),
        processes=("goose", "goosed"),
    ),
    Client(
        "lm-studio",
        "LM Studio",
        files("user", SERVERS, "home", ".lmstudio/mcp.json", ".cache/lm-studio/mcp.json"),
        processes=("lm-studio", "LM Studio"),
    ),
)
