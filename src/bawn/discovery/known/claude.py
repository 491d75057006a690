"""Anthropic's clients.

Sources: code.claude.com/docs, pages on MCP, settings and managed MCP; modelcontextprotocol.io for Claude
Desktop. Settings files hold rules about servers (`managed.py`), and plugins of theirs no servers; some
versions read `mcpServers` there as well, so it is looked for.
"""

from __future__ import annotations

from bawn.discovery.known.client import SERVERS, Client, Location, Place, files, managed

CLAUDE: tuple[Client, ...] = (
    Client(
        "claude-code",
        "Claude Code",
        (
            Location(
                "claude",
                ".claude.json",
                (Place("user", SERVERS), Place("local", ("projects", "*", "mcpServers"))),
            ),
            *files("user", SERVERS, "home", ".claude/settings.json", ".claude/settings.local.json"),
            *files(
                "project",
                SERVERS,
                "project",
                ".mcp.json",
                ".claude/settings.json",
                ".claude/settings.local.json",
            ),
            *managed(
                SERVERS,
                "etc/claude-code/managed-mcp.json",
                "Library/Application Support/ClaudeCode/managed-mcp.json",
            ),
            *managed(
                SERVERS,
                "etc/claude-code/managed-settings.json",
                "Library/Application Support/ClaudeCode/managed-settings.json",
            ),
        ),
        stdio={"type": "stdio"},
        http={"type": "http"},
        processes=("claude",),
    ),
    Client(
        "claude-desktop",
        "Claude Desktop",
        files("user", SERVERS, "applications", "Claude/claude_desktop_config.json"),
        http=None,
        processes=("Claude", "claude-desktop"),
    ),
)
