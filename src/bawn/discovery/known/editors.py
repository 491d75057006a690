"""Editors, and extensions that live in them.

Sources: docs.cursor.com, code.visualstudio.com, docs.windsurf.com, kiro.dev, zed.dev/docs/ai/mcp,
jetbrains.com/help/junie, docs.cline.bot, docs.roocode.com, docs.continue.dev, on their MCP configuration.
Zed's file is in `~/.config` on macOS, too. Forks of VS Code keep extensions' files as it does.
"""

from __future__ import annotations

from bawn.discovery.known.client import SERVERS, Client, files

_CODES = ("Code", "Code - Insiders", "VSCodium")
_CLINE = "User/globalStorage/saoudrizwan.claude-dev/settings/cline_mcp_settings.json"
_ROO = "User/globalStorage/rooveterinaryinc.roo-cline/settings/mcp_settings.json"
_BLOCKS = tuple(f".continue/mcpServers/*.{kind}" for kind in ("yaml", "yml", "json"))

CURSOR = Client(
    "cursor",
    "Cursor",
    (
        *files("user", SERVERS, "home", ".cursor/mcp.json"),
        *files("project", SERVERS, "project", ".cursor/mcp.json"),
    ),
    keeps=("disabled", "autoApprove"),
    processes=("cursor", "Cursor", "cursor-agent"),
)

VSCODE = Client(
    "vscode",
    "VS Code",
    (
        *files(
            "user",
            ("servers",),
            "applications",
            *(f"{code}/User/mcp.json" for code in _CODES),
            *(f"{code}/User/profiles/*/mcp.json" for code in _CODES),
        ),
        *files("project", ("servers",), "project", ".vscode/mcp.json"),
        # Before 1.102 servers stood in the settings; files that were never migrated are still read.
        *files(
            "user",
            ("mcp", "servers"),
            "applications",
            *(f"{code}/User/settings.json" for code in _CODES),
        ),
        *files("project", ("mcp", "servers"), "project", ".vscode/settings.json"),
    ),
    stdio={"type": "stdio"},
    http={"type": "http"},
    processes=("code", "code-insiders", "codium", "Code", "Code Helper (Plugin)"),
)

WINDSURF = Client(
    "windsurf",
    "Windsurf",
    (
        *files(
            "user",
            SERVERS,
            "home",
            ".codeium/windsurf/mcp_config.json",
            ".codeium/mcp_config.json",
        ),
        *files("project", SERVERS, "project", ".windsurf/mcp.json"),
    ),
    url="serverUrl",
    keeps=("disabled", "disabledTools", "alwaysAllow"),
    processes=("windsurf", "Windsurf"),
)

KIRO = Client(
    "kiro",
    "Kiro",
    (
        *files("user", SERVERS, "home", ".kiro/settings/mcp.json"),
        *files("project", SERVERS, "project", ".kiro/settings/mcp.json"),
    ),
    keeps=("disabled", "autoApprove", "disabledTools"),
    processes=("kiro", "Kiro", "kiro-cli"),
)

EDITORS: tuple[Client, ...] = (
    Client(
        "zed",
        "Zed",
        (
            *files("user", ("context_servers",), "config", "zed/settings.json"),
            *files("project", ("context_servers",), "project", ".zed/settings.json"),
        ),
        keeps=("enabled", "source", "settings"),
        processes=("zed", "zed-editor"),
    ),
    Client(
        "junie",
        "JetBrains Junie",
        (
            *files("user", SERVERS, "home", ".junie/mcp/mcp.json"),
            *files("project", SERVERS, "project", ".junie/mcp/mcp.json"),
        ),
        http=None,
        keeps=("enabled",),
        processes=("idea", "pycharm", "webstorm", "goland", "junie"),
    ),
    Client(
        "cline",
        "Cline",
        files("user", SERVERS, "applications", f"Code/{_CLINE}", f"*/{_CLINE}"),
        bare_url="sse",
        keeps=("disabled", "autoApprove", "alwaysAllow", "timeout", "networkTimeout"),
    ),
    Client(
        "roo",
        "Roo Code",
        (
            *files("user", SERVERS, "applications", f"Code/{_ROO}", f"*/{_ROO}"),
            *files("project", SERVERS, "project", ".roo/mcp.json"),
        ),
        http={"type": "streamable-http"},
        keeps=("disabled", "alwaysAllow", "timeout", "disabledTools", "watchPaths"),
    ),
    Client(
        "continue",
        "Continue",
        (
            *files("user", SERVERS, "home", ".continue/config.yaml", *_BLOCKS),
            *files("project", SERVERS, "project", *_BLOCKS),
        ),
        http={"type": "streamable-http"},
        processes=("cn",),
    ),
)
