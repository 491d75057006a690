"""Containment: the real path decides, component by component."""

from __future__ import annotations

from pathlib import Path

import pytest

from bawn.config.server import Server
from bawn.inspection.arguments import path
from bawn.inspection.arguments.context import Context


def context(tmp_path: Path) -> Context:
    (tmp_path / "root" / "sub").mkdir(parents=True)
    (tmp_path / "rooted").mkdir()
    (tmp_path / "root" / "link").symlink_to(tmp_path / "rooted")
    (tmp_path / "root" / "inner").symlink_to(tmp_path / "root" / "sub")
    return Context.of(Server(command=("x",), roots=("root",)), tmp_path)


def rules(value: str, given: Context) -> set[str]:
    return {each.rule for each in path.check(value, given)}


def test_what_lies_in_a_root_passes_even_by_dots_and_links(tmp_path: Path) -> None:
    given = context(tmp_path)
    for value in (
        "sub/a.txt",
        "sub/../a.txt",
        "../root/a.txt",
        "inner/a.txt",
        ".",
        str(tmp_path / "root"),
        f"{tmp_path}/root/new/a b.txt",
    ):
        assert rules(value, given) == set(), value


@pytest.mark.parametrize(
    "value", ["../x", "link/x", "sub/../../rooted/x", "/etc/hostname", "~/x", "../rooted"]
)
def test_what_leads_out_is_refused(tmp_path: Path, value: str) -> None:
    assert "argument/path-outside" in rules(value, context(tmp_path))


def test_a_root_is_no_mere_prefix(tmp_path: Path) -> None:
    assert "argument/path-outside" in rules(str(tmp_path / "rooted" / "x"), context(tmp_path))


def test_a_path_that_cannot_be_looked_up_is_outside() -> None:
    def broken(value: str) -> str:
        raise OSError(value)

    assert rules("a", Context(roots=("/r",), base="/r", realpath=broken)) == {
        "argument/path-outside"
    }
    assert "argument/path-outside" in rules("a/" * 400, Context(roots=("/r",), base="/r"))


def test_without_roots_nothing_is_looked_up() -> None:
    def never(value: str) -> str:
        raise AssertionError(value)

    assert rules("a/b", Context(realpath=never)) == set()


def test_a_link_to_credentials_within_a_root_is_told() -> None:
    given = Context(
        roots=("/home/a",), base="/home/a", realpath=lambda value: "/home/a/.ssh/id_rsa"
    )
    assert rules("notes.txt", given) == {"argument/path-system"}
