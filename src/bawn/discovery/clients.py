"""The clients we know: where their files are, what they call things. Adding one is adding a row.

Sources: each client's own documentation of its MCP configuration, as published in 2026. On Linux the
folder of applications is XDG_CONFIG_HOME, on macOS `~/Library/Application Support`.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias

from bawn.discovery.document import KeyPath

Scope: TypeAlias = Literal["user", "local", "project", "managed"]
"""`local` is one project's part of a user's file; `managed` files belong to the administrator."""

Root: TypeAlias = Literal["home", "applications", "claude", "codex", "system", "project"]


@dataclass(frozen=True, slots=True)
class Roots:
    """The directories that the paths of the table start from."""

    home: Path
    applications: Path
    claude: Path
    codex: Path
    system: Path
    platform: str

    @classmethod
    def of(
        cls, environ: Mapping[str, str], platform: str = sys.platform, system: str = "/"
    ) -> Roots:
        """The roots of the user whose environment this is."""
        home = Path(environ.get("HOME") or Path.home())
        config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
        library = home / "Library" / "Application Support"
        return cls(
            home=home,
            applications=library if platform == "darwin" else config,
            claude=Path(environ.get("CLAUDE_CONFIG_DIR") or home),
            codex=Path(environ.get("CODEX_HOME") or home / ".codex"),
            system=Path(system),
            platform=platform,
        )


class Place(NamedTuple):
    """Where in a file servers stand."""

    scope: Scope
    keys: KeyPath


@dataclass(frozen=True, slots=True)
class Location:
    """A file below a root; one component of its path may be `*`."""

    root: Root
    path: str
    places: tuple[Place, ...]
    platform: str = ""  # only there; empty for everywhere


@dataclass(frozen=True, slots=True)
class Client:
    """One client. The first location of a scope is the one that new entries are written to.

    `keeps` are the fields that say how the user wants a server treated, not how it is reached: they
    outlive `connect`. `http` is None where a file cannot name a remote server.
    """

    id: str
    title: str
    locations: tuple[Location, ...]
    stdio: Mapping[str, str] = field(default_factory=dict)
    http: Mapping[str, str] | None = field(default_factory=dict)
    url: str = "url"
    bare_url: Literal["http", "sse"] = "http"  # what a `url` without a type means
    keeps: tuple[str, ...] = ()

    def stdio_entry(self, command: str, args: Sequence[str]) -> dict[str, Any]:
        """An entry that starts a program."""
        return {**self.stdio, "command": command, "args": list(args)}

    def http_entry(self, url: str) -> dict[str, Any]:
        """An entry that reaches a Streamable HTTP endpoint.

        Raises:
            ValueError: this client's file cannot hold one.
        """
        if self.http is None:
            raise ValueError(f"{self.title} cannot be given a URL in its file")
        return {**self.http, self.url: url}


def _files(scope: Scope, keys: KeyPath, root: Root, *paths: str) -> tuple[Location, ...]:
    return tuple(Location(root, path, (Place(scope, keys),)) for path in paths)


def _managed(keys: KeyPath, linux: str, macos: str) -> tuple[Location, ...]:
    place = (Place("managed", keys),)
    return (
        Location("system", linux, place, "linux"),
        Location("system", macos, place, "darwin"),
    )


_SERVERS = ("mcpServers",)

CLIENTS: tuple[Client, ...] = (
    Client(
        "claude-code",
        "Claude Code",
        (
            Location(
                "claude",
                ".claude.json",
                (Place("user", _SERVERS), Place("local", ("projects", "*", "mcpServers"))),
            ),
            *_files("project", _SERVERS, "project", ".mcp.json"),
            *_managed(
                _SERVERS,
                "etc/claude-code/managed-mcp.json",
                "Library/Application Support/ClaudeCode/managed-mcp.json",
            ),
        ),
        stdio={"type": "stdio"},
        http={"type": "http"},
    ),
    Client(
        "claude-desktop",
        "Claude Desktop",
        _files("user", _SERVERS, "applications", "Claude/claude_desktop_config.json"),
        http=None,
    ),
    Client(
        "cursor",
        "Cursor",
        (
            *_files("user", _SERVERS, "home", ".cursor/mcp.json"),
            *_files("project", _SERVERS, "project", ".cursor/mcp.json"),
        ),
        keeps=("disabled", "autoApprove"),
    ),
    Client(
        "vscode",
        "VS Code",
        (
            *_files(
                "user",
                ("servers",),
                "applications",
                "Code/User/mcp.json",
                "Code/User/profiles/*/mcp.json",
                "Code - Insiders/User/mcp.json",
            ),
            *_files("project", ("servers",), "project", ".vscode/mcp.json"),
            # Before 1.102 servers stood in the settings; files that were never migrated are still read.
            *_files("user", ("mcp", "servers"), "applications", "Code/User/settings.json"),
            *_files("project", ("mcp", "servers"), "project", ".vscode/settings.json"),
        ),
        stdio={"type": "stdio"},
        http={"type": "http"},
    ),
    Client(
        "windsurf",
        "Windsurf",
        _files(
            "user",
            _SERVERS,
            "home",
            ".codeium/windsurf/mcp_config.json",
            ".codeium/mcp_config.json",
        ),
        url="serverUrl",
        keeps=("disabled", "disabledTools", "alwaysAllow"),
    ),
    Client(
        "kiro",
        "Kiro",
        (
            *_files("user", _SERVERS, "home", ".kiro/settings/mcp.json"),
            *_files("project", _SERVERS, "project", ".kiro/settings/mcp.json"),
        ),
        keeps=("disabled", "autoApprove", "disabledTools"),
    ),
    Client(
        "codex",
        "Codex",
        (
            *_files("user", ("mcp_servers",), "codex", "config.toml"),
            *_files("project", ("mcp_servers",), "project", ".codex/config.toml"),
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
    ),
    Client(
        "gemini",
        "Gemini CLI",
        (
            *_files("user", _SERVERS, "home", ".gemini/settings.json"),
            *_files("project", _SERVERS, "project", ".gemini/settings.json"),
            *_managed(
                _SERVERS,
                "etc/gemini-cli/settings.json",
                "Library/Application Support/GeminiCli/settings.json",
            ),
        ),
        url="httpUrl",
        bare_url="sse",
        keeps=("timeout", "trust", "description", "includeTools", "excludeTools"),
    ),
)
