"""Names into words."""

from __future__ import annotations

import pytest

from bawn.inspection.arguments.words import words


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("filePath", ("file", "path")),
        ("repo_url", ("repo", "url")),
        ("HTTPServer", ("http", "server")),
        ("baseURL", ("base", "url")),
        ("a-b.c", ("a", "b", "c")),
        ("", ()),
    ],
)
def test_words_of_names(name: str, split: tuple[str, ...]) -> None:
    assert words(name) == split
