"""Each guarded place is found by its path, opens the gate, and says why it is guarded."""

from __future__ import annotations

import msgspec
import pytest

from bawn.inspection.guard.globs import expand
from bawn.inspection.guard.places import PLACES, names_program
from tests.unit.inspection.guard.tools import GUARD, rules

PATHS = [
    (place.rule, one.replace("**", "a/b.md").replace("*", "x"))
    for place in PLACES
    for one in expand(place.pattern, 4096)
]


@pytest.mark.parametrize(("rule", "path"), PATHS)
def test_writing_there_is_held_and_opens_the_gate(rule: str, path: str) -> None:
    arguments = {"path": path, "content": "x"}
    assert rule.startswith("agent/")
    assert rules("write_file", arguments), path
    assert GUARD.may_concern(msgspec.json.encode(arguments)), path


@pytest.mark.parametrize(
    "path",
    [
        "~/.claude.json",
        "/etc/claude-code/managed-settings.json",
        "/Library/Application Support/ClaudeCode/managed-mcp.json",
        "C:\\Program Files\\ClaudeCode\\managed-settings.json",
        "~/Library/Application Support/Claude/claude_desktop_config.json",
        "%APPDATA%\\Claude\\claude_desktop_config.json",
        "~/.config/Code/User/mcp.json",
        "~/.config/Code - Insiders/User/profiles/a/mcp.json",
        "~/Library/Application Support/VSCodium/User/globalStorage/x/settings/cline_mcp_settings.json",
        "Code/User/settings.json",
        "~/.gemini/antigravity/mcp_config.json",
        "~/.codeium/windsurf/mcp_config.json",
        "~/.copilot/mcp-config.json",
        "~/.aws/amazonq/cli-agents/a.json",
        "opencode.jsonc",
        "~/.config/goose/config.yaml",
        "~/.codex/config.toml",
        "/etc/codex/managed_config.toml",
        ".kiro/settings/mcp.json",
        ".continue/mcpServers/a.yaml",
        ".roo/mcp.json",
        ".junie/mcp/mcp.json",
        ".zed/settings.json",
        "bare.git/hooks/post-receive",
        ".git/modules/x/config",
    ],
)
def test_the_files_of_known_clients_are_guarded(path: str) -> None:
    assert GUARD.place_of(path) is not None


@pytest.mark.parametrize(
    "path",
    [
        "docs/agents.md.txt",
        "src/mcp.json.ts",
        "settings.json",
        "app/User/settings.json",
        "src/cursor/rules.md",
        ".github/workflows/ci.yml",
        ".github/ISSUE_TEMPLATE/bug.md",
        ".gitignore",
        ".kiro/specs/login/tasks.md",
        ".claude/worktrees/fix/src/main.py",
        ".vscode/extensions.json",
        ".npmrc",
        "claude.py",
        ".env",
        "/home/u/code/user/model.py",
    ],
)
def test_everyday_files_are_not(path: str) -> None:
    assert GUARD.place_of(path) is None


def test_each_place_says_why() -> None:
    assert all(len(place.reason) > 20 for place in PLACES)


@pytest.mark.parametrize(
    ("key", "runs"),
    [
        ("core.hooksPath", True),
        ("Core.SSHCommand", True),
        ("alias.st", True),
        ("filter.lfs.clean", True),
        ("includeIf.gitdir:~/w/.path", True),
        ("user.name", False),
        ("core.autocrlf", False),
        ("remote.origin.url", False),
    ],
)
def test_settings_of_git_that_run_programs_are_told_apart(key: str, runs: bool) -> None:
    assert names_program(key) is runs
