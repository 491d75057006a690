"""Texts that name what they edit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.guard.contents import is_patch, paths_in


@pytest.mark.parametrize(
    "text",
    [
        "--- a/x.y\n+++ b/x.y\n@@ -1 +1 @@\n-a\n+b\n",
        "--- x.y\t2026-01-01\n+++ x.y\t2026-01-01\n@@ -1 +1 @@\n",
        '--- /dev/null\n+++ "b/x.y"\n@@ -0,0 +1 @@\n+a\n',
        "diff --git a/q b/x.y\nsimilarity index 100%\nrename from q\nrename to x.y\n",
        "diff --git a/q b/x.y\ncopy from q\ncopy to x.y\n",
        "diff --git a/q b/q\nnew file mode 120000\nindex 0..1\n--- /dev/null\n+++ b/q\n@@ -0,0 +1 @@\n+x.y\n",
        "*** Begin Patch\n*** Update File: x.y\n@@\n-a\n+b\n*** End Patch",
        "*** Begin Patch\n*** Update File: q\n*** Move to: x.y\n*** End Patch",
        "x.y\n```\n<<<<<<< SEARCH\na\n=======\nb\n>>>>>>> REPLACE\n```",
        "*** x.y\t2026\n--- x.y\t2026\n***************\n",
        "Index: x.y\n@@ -1 +1 @@\n",
        "commit refs/heads/m\nM 100644 :1 x.y\n",
    ],
)
def test_the_edited_file_is_named(text: str) -> None:
    assert is_patch(text)
    assert "x.y" in set(paths_in(text))


def test_prose_is_no_patch() -> None:
    assert not is_patch("Please update x.y -- it is old. --- Thanks")


@given(st.text(max_size=200))
def test_nothing_makes_it_fail(text: str) -> None:
    list(paths_in(text))
