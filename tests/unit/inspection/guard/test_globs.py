"""Names with wildcards, and short names."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.guard.globs import could_be, expand, is_short, literal, shortens


@given(st.text("ab*?", max_size=8), st.text("ab", max_size=8))
def test_a_glob_meets_exactly_the_names_that_it_matches(glob: str, name: str) -> None:
    assert could_be(glob, name) == fnmatch.fnmatchcase(name, glob)


def test_of_two_globs_the_guarded_one_has_what_it_says() -> None:
    assert could_be(".aid*", ".aider*")
    assert not could_be("mariadb*", "*.code-workspace")


@pytest.mark.parametrize("glob", [".cur*", ".[c]ursor", ".[a-z]ursor", ".?ursor", "[.]cursor"])
def test_a_hidden_name_is_met_by_what_a_shell_would_match(glob: str) -> None:
    assert could_be(glob, ".cursor")


def test_a_star_does_not_match_a_leading_dot() -> None:
    assert not could_be("*", ".cursor")


def test_braces_are_expanded_within_bounds() -> None:
    assert {*expand("{a,b{c,d}}/x")} == {"a/x", "bc/x", "bd/x"}
    assert len(expand("{a,b}" * 40)) <= 70


def test_a_glob_of_wildcards_alone_tells_nothing() -> None:
    assert literal("*.md") == 0
    assert literal("??*") == 0
    assert literal("a*.md") == 1


@pytest.mark.parametrize(
    ("short", "name"),
    [
        ("claude~1.md", "claude.md"),
        ("cursor~1", ".cursor"),
        ("copilo~1.md", "copilot-instructions.md"),
        ("settin~2.jso", "settings.json"),
        ("mcp~1.jso", ".mcp.json"),
        ("cl1a2b~1.md", "claude.local.md"),
    ],
)
def test_short_names_of_windows_are_known(short: str, name: str) -> None:
    assert is_short(short)
    assert shortens(short, name)


def test_other_short_names_are_not() -> None:
    assert not shortens("readme~1.md", "claude.md")
    assert not is_short("~")
