"""All the ways to write one path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.guard.paths import LONGEST, fold, is_remote, readings, unescaped


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a//b/./c/../d", ("a", "b", "d")),
        ("A\\B", ("a", "b")),
        ("file:///x/y?q#f", ("x", "y")),
        ("FILE://localhost/x", ("x",)),
        ("~/x", ("~", "x")),
        ("$HOME/x", ("~", "x")),
        ("${HOME}/x", ("~", "x")),
        ("%UserProfile%\\x", ("~", "x")),
        ("$env:APPDATA\\x", ("~", "appdata", "roaming", "x")),
        ("/home/me/x", ("~", "x")),
        ("C:\\Users\\me\\x", ("~", "x")),
        ("\\\\?\\C:\\Users\\me\\x", ("~", "x")),
        ("/proc/self/root/home/me/x", ("~", "x")),
        ("/proc/12/cwd/x", ("x",)),
        ("/root/x", ("~", "x")),
        ("%2e%2E/x", ("x",)),
        ("%252fa", ("a",)),
        ("%c0%aex", (".x",)),
        ("%u002ex", (".x",)),
        ("xy::$DATA", ("xy",)),
        ("x. . ", ("x",)),
        ("x\0.txt", ("x",)),
        ("{a,b}/c", ("b", "c")),
        ("'x'", ("x",)),
        ("\\u002ex", (".x",)),
        ("/p/.claude/worktrees/w/src/x", ("src", "x")),
    ],
)
def test_a_path_is_read_as_some_system_reads_it(text: str, path: tuple[str, ...]) -> None:
    assert path in set(readings(text))


@given(st.text(max_size=64))
def test_reading_never_fails_and_leaves_no_detours(text: str) -> None:
    for path in readings(text):
        assert not {".", "..", ""} & {*path}


@given(st.text(max_size=64))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def test_what_is_too_long_for_a_path_is_none() -> None:
    assert not list(readings("a" * (LONGEST + 1)))


def test_escapes_are_those_of_shells_and_languages() -> None:
    assert unescaped(r"\x2e\056\u002ea\/b") == "...a/b"


def test_an_address_is_no_path() -> None:
    assert is_remote("https://example.com/AGENTS.md")
    assert not is_remote("file:///AGENTS.md")
