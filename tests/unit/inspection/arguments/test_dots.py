"""Dots that climb, and those that do not."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments.dots import ENCODED, climbs


@pytest.mark.parametrize(
    "path",
    [
        "..",
        "../a",
        "a/../../b",
        "/a/..",
        "..\\a",
        ".../a",
        "a/..../b",
        "..;/a",
        ".. /a",
        "%2e%2e/a",
        "..%5ca",
        "/%2e%2e",
        "?./a",
        "./\\a",
    ],
)
def test_what_climbs_is_found(path: str) -> None:
    assert climbs(path, rooted=False)


@pytest.mark.parametrize("path", ["a", "a/../b", "./a", "a..b", "./...", "..a/b", "a/.b", "", "."])
def test_what_stays_is_not(path: str) -> None:
    assert not climbs(path, rooted=False)


def test_plain_dots_are_left_to_roots_and_odd_ones_are_not() -> None:
    assert not climbs("../a", rooted=True)
    assert climbs("%2e%2e/a", rooted=True)
    assert climbs(".../a", rooted=True)


@pytest.mark.parametrize(
    ("text", "hit"),
    [
        ("%2e", True),
        ("%41", True),
        ("%00", True),
        ("%20", False),
        ("100%", False),
        ("50% off", False),
    ],
)
def test_letters_dots_and_separators_are_not_encoded_in_paths(text: str, hit: bool) -> None:
    assert (ENCODED.search(text) is not None) is hit
