"""Fragments: what stands at the ends, and quotes that do not match."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments.fragment import edges, unbalanced


@pytest.mark.parametrize(
    "text",
    [
        "; id",
        "|id",
        "&& id",
        "& id",
        "`id`",
        "id |",
        "id &&",
        "a)|id",
        '";id;"',
        "$(id)",
        "%0aid",
        "\\nid",
    ],
)
def test_separators_at_the_ends_are_found(text: str) -> None:
    assert list(edges(text))


@pytest.mark.parametrize(
    "text", ["id", "a; b", "a &", "a;", "<Ctrl c>", "echo 'x;'", "> out", "&> log"]
)
def test_what_stands_within_is_not(text: str) -> None:
    assert list(edges(text)) == []


@pytest.mark.parametrize(
    ("text", "open_"),
    [
        ("'", True),
        ('"a', True),
        ("'a'", False),
        ('"it\'s"', False),
        ("it\\'s", False),
        ("'\\'", False),
        ("a", False),
    ],
)
def test_quotes_are_read_as_a_shell_reads_them(text: str, open_: bool) -> None:
    assert unbalanced(text) is open_


def test_time_is_linear_in_quotes() -> None:
    list(edges("'" * 400 + "a"))
    list(edges("'\"" * 200 + "$" * 200))
