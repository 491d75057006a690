"""A tree is read within its bounds, and never past its root."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bawn.vulnerabilities import tree as module
from bawn.vulnerabilities.tree import Tree


def test_a_file_of_the_tree_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"a": 1}')
    tree = Tree(tmp_path)
    assert tree.read_json(tmp_path / "a.json") == {"a": 1}
    assert tree.why == ""


def test_what_is_not_there_is_no_problem(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.read(tmp_path / "none") is None
    assert tree.why == ""


def test_a_link_out_of_the_tree_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"key": 1}')
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    tree = Tree(tmp_path / "in")
    assert tree.read_json(tmp_path / "in" / "link") is None
    assert "leads out of" in tree.why


def test_pipes_directories_and_large_files_are_problems(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"x" * 11)
    for name in ("pipe", "large"):
        tree = Tree(tmp_path)
        assert tree.read(tmp_path / name, 10) is None
        assert "at most 10 bytes" in tree.why


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_object_is_a_problem(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.json").write_bytes(content)
    tree = Tree(tmp_path)
    assert tree.read_json(tmp_path / "a.json") is None
    assert "holds no JSON object" in tree.why


def test_directories_are_walked_without_links_and_within_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    tree = Tree(tmp_path)
    assert list(tree.directories(tmp_path)) == [tmp_path, tmp_path / "a", tmp_path / "a" / "b"]
    monkeypatch.setattr(module, "ENTRIES", 1)
    assert len(list(tree.directories(tmp_path))) < 3
    assert "more than 1 files" in tree.why


def test_only_the_first_problems_are_told(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    tree.problems += [str(number) for number in range(9)]
    assert tree.why == "0; 1; 2; 3; 4; and 4 more"
