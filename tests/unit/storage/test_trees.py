"""A tree is as it was, or it is said what is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from bawn.storage import trees
from bawn.storage.trees import Trees


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "lib").mkdir(parents=True)
    (root / "lib" / "a.js").write_text("a")
    (root / "b.js").write_text("b")
    (root / "link").symlink_to("b.js")
    return root


def test_the_digest_does_not_depend_on_the_place_or_the_time(tree: Path, tmp_path: Path) -> None:
    before = trees.tree_digest(tree)
    moved = tree.rename(tmp_path / "moved")
    os.utime(moved / "b.js", (1, 1))
    assert trees.tree_digest(moved) == before


def _link(path: Path, target: str) -> None:
    trees.remove(path)
    path.symlink_to(target)


def _file(path: Path, content: str) -> None:
    path.unlink()
    path.write_text(content)


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda root: (root / "b.js").write_text("B"),
    "added": lambda root: (root / "lib" / "c.js").write_text(""),
    "added directory": lambda root: (root / "empty").mkdir(),
    "removed": lambda root: (root / "b.js").unlink(),
    "renamed": lambda root: (root / "b.js").rename(root / "c.js"),
    "executable": lambda root: (root / "b.js").chmod(0o755),
    "link elsewhere": lambda root: _link(root / "link", "/etc"),
    "file for link": lambda root: _file(root / "link", "b.js"),
    "link for directory": lambda root: _link(root / "lib", "/"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_is_found_even_by_who_has_looked_before(tree: Path, change: str) -> None:
    digest, looked = trees.tree_digest(tree), Trees()
    assert looked.problem(tree, digest) == ""
    CHANGES[change](tree)
    assert trees.tree_digest(tree) != digest
    assert "not as it was installed" in looked.problem(tree, digest)
    assert "not as it was installed" in Trees().problem(tree, digest)


def test_content_is_found_though_size_and_time_are_put_back(tree: Path) -> None:
    digest, looked, file = trees.tree_digest(tree), Trees(), tree / "b.js"
    assert looked.problem(tree, digest) == ""
    status = file.stat()
    file.write_text("B")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert looked.problem(tree, digest) != ""


def test_a_second_look_reads_no_file(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest, looked = trees.tree_digest(tree), Trees()
    assert looked.problem(tree, digest) == ""

    def read(root: Path) -> str:
        raise AssertionError(f"{root} was read in full")

    monkeypatch.setattr(trees, "tree_digest", read)
    assert looked.problem(tree, digest) == ""


def test_what_is_gone_or_no_file_is_a_problem_and_nothing_waits(tree: Path, tmp_path: Path) -> None:
    assert "cannot be read" in Trees().problem(tmp_path / "none", "0")
    os.mkfifo(tree / "pipe")
    assert "neither a file" in Trees().problem(tree, "0")


def test_too_many_files_are_refused(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "MOST", 3)
    assert "more than 3" in Trees().problem(tree, "0")


def test_a_single_file_is_a_tree(tmp_path: Path) -> None:
    file = tmp_path / "serve"
    file.write_text("x")
    digest = trees.tree_digest(file)
    assert Trees().problem(file, digest) == ""
    file.write_text("y")
    assert Trees().problem(file, digest) != ""


def test_links_are_told_with_where_they_lead(tree: Path) -> None:
    (tree / "out").symlink_to("../elsewhere")
    assert dict(trees.links(tree)) == {
        tree / "link": tree / "b.js",
        tree / "out": tree.parent / "elsewhere",
    }


def test_a_read_only_tree_cannot_be_written_by_its_mode_and_can_be_removed(tree: Path) -> None:
    trees.make_read_only(tree)
    for path in (tree, tree / "lib", tree / "lib" / "a.js"):
        assert path.stat().st_mode & 0o222 == 0
    trees.remove(tree)
    assert not tree.exists()
    trees.remove(tree)
