"""No argument writes an agent's configuration: places by disguises by ways of writing.

CVE-2025-54135 (an injection has `.cursor/mcp.json` written), CVE-2026-21852 (a project's settings are obeyed).
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.inspection.guard.disguises import CALLS, COMMANDS, DISGUISES
from tests.unit.inspection.guard.tools import GUARD, rules

PLACES = (
    ".cursor/mcp.json",
    "AGENTS.md",
    ".claude/settings.json",
    ".vscode/tasks.json",
    ".github/copilot-instructions.md",
    ".config/Code/User/settings.json",
    ".git/hooks/pre-commit",
    ".kiro/steering/a.md",
)


def _held(name: str, arguments: dict[str, Any]) -> bool:
    """Held, and not missed by the gate."""
    return bool(rules(name, arguments)) and GUARD.may_concern(msgspec.json.encode(arguments))


@pytest.mark.parametrize("disguise", DISGUISES)
def test_no_disguise_of_a_path_passes(disguise: str) -> None:
    for place in PLACES:
        assert _held("write_file", {"path": DISGUISES[disguise](place), "content": "x"}), place


@pytest.mark.parametrize("way", COMMANDS)
def test_no_command_writes_there(way: str) -> None:
    for place in PLACES:
        assert _held("run_command", {"command": COMMANDS[way](place)}), place


@pytest.mark.parametrize("way", CALLS)
def test_no_tool_writes_there(way: str) -> None:
    for place in PLACES:
        if (place, way) == (".git/hooks/pre-commit", "ext"):  # no ending could be given apart
            continue
        assert _held(*CALLS[way](place)), place


@given(
    st.sampled_from(PLACES),
    st.lists(st.sampled_from(["./", "a/../", "/", "x/./../", ".//"]), max_size=4),
    st.lists(st.booleans(), min_size=48, max_size=48),
    st.lists(
        st.sampled_from(["", "", "", "\u200c", "\u200d", "\ufeff", "\u206a"]),
        min_size=48,
        max_size=48,
    ),
    st.sampled_from(["", ".", " ", "...", "::$DATA", "/"]),
    st.booleans(),
)
@settings(max_examples=200, deadline=None)
def test_a_path_that_some_file_system_takes_for_the_guarded_one_is_held(
    place: str, before: list[str], upper: list[bool], unseen: list[str], after: str, windows: bool
) -> None:
    """Case and trailing characters as on Windows, ignorable characters as on HFS+, detours as everywhere."""
    letters = (
        (one.upper() if big else one) + (hidden if index else "")
        for index, (one, big, hidden) in enumerate(zip(place, upper, unseen, strict=False))
    )
    path = "".join(before) + "".join(letters) + after
    path = path.replace("/", "\\") if windows else path
    assert _held("write_file", {"path": path, "content": "x"}), path


@given(st.sampled_from(PLACES[:3]), st.lists(st.integers(0, 5), min_size=32, max_size=32))
@settings(max_examples=200, deadline=None)
def test_a_word_that_a_shell_reads_as_the_guarded_path_is_held(
    place: str, quoting: list[int]
) -> None:
    forms = ("{}", "'{}'", '"{}"', "\\{}", "$'{}'", "''{}")
    word = "".join(forms[how].format(one) for one, how in zip(place, quoting, strict=False))
    assert _held("run_command", {"command": f"echo x > {word}"}), word
