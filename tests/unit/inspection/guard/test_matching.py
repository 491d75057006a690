"""From a path to the place it leads to."""

from __future__ import annotations

from bawn.inspection.guard.matching import Matcher
from bawn.inspection.guard.places import Place

MATCHER = Matcher(
    (
        Place("agent/a", "NOTES.md", "w"),
        Place("agent/b", ".x/{a,b}/**", "w"),
        Place("agent/c", "~/.rc", "w"),
    )
)


def _rule(*path: str) -> str | None:
    place = MATCHER.find(path)
    return place.rule if place else None


def test_a_name_is_guarded_in_every_folder_and_only_as_the_last() -> None:
    assert _rule("notes.md") == _rule("a", "b", "notes.md") == "agent/a"
    assert _rule("notes.md", "x") is None


def test_a_directory_is_guarded_with_all_below() -> None:
    assert _rule("p", ".x", "a") == _rule(".x", "b", "c", "d") == "agent/b"
    assert _rule(".x", "c") is None


def test_a_file_of_the_home_directory_is_guarded_there_alone() -> None:
    assert _rule("~", ".rc") == "agent/c"
    assert _rule("p", ".rc") is None


def test_a_directory_that_holds_a_place_is_known() -> None:
    assert MATCHER.holds(("p", ".x")) is not None
    assert MATCHER.holds(("p", "y")) is None


def test_a_glob_has_to_say_something() -> None:
    assert _rule("n*.md") == "agent/a"
    assert _rule("*.md") is None
