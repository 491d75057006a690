"""A file that several change is replaced whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.signing.editing import edit, read


def test_a_change_sees_what_is_there_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    seen: list[bytes | None] = []

    def change(before: bytes | None) -> bytes:
        seen.append(before)
        return b"two" if before else b"one"

    edit(path, change)
    edit(path, change)
    assert seen == [None, b"one"]
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
    assert read(path) == b"two"


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one")

    def change(_: bytes | None) -> bytes:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        edit(path, change)
    assert [each.read_bytes() for each in tmp_path.iterdir()] == [b"one"]


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", tmp_path):
        with pytest.raises(Misconfigured, match="cannot be read"):
            read(path)
    with pytest.raises(Misconfigured, match="cannot be opened"):
        edit(tmp_path / "none" / "file", lambda _: b"")
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "none")
