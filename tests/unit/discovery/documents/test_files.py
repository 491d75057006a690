from __future__ import annotations

import os
from pathlib import Path

import pytest

from bawn.discovery.documents import files
from bawn.discovery.documents.spans import Unreadable


def _read(path: Path) -> files.Snapshot:
    found = files.read(path)
    assert found is not None
    return found


def test_no_file_is_none(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert files.read(tmp_path / "absent.json") is None
    assert files.read(tmp_path / "file" / "below.json") is None


def test_what_is_no_regular_file_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    for path in (tmp_path / "pipe.json", tmp_path, Path("/dev/zero")):
        with pytest.raises(Unreadable, match=r"not a regular file|cannot be read"):
            files.read(path)


def test_a_loop_of_links_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").symlink_to(tmp_path / "a.json")
    with pytest.raises(Unreadable, match="cannot be read"):
        files.read(tmp_path / "a.json")


def test_huge_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(b"#" * (files.MAX_TOML_BYTES + 1))
    with pytest.raises(Unreadable, match="larger than 1 MiB"):
        files.read(path)


def test_other_encodings_are_refused_with_line_and_column() -> None:
    with pytest.raises(Unreadable, match="line 2, column 3: not UTF-8"):
        files.decode(b"a\nbc\xff")


def test_a_link_stays_a_link_and_a_mode_stays_a_mode(tmp_path: Path) -> None:
    target, link = tmp_path / "target.json", tmp_path / "link.json"
    target.write_bytes(b"old")
    target.chmod(0o640)
    link.symlink_to(target)
    files.replace(_read(link), b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.json", "target.json"]


def test_a_file_that_changed_meanwhile_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    before = _read(path)
    path.write_bytes(b"other")
    with pytest.raises(Unreadable, match="changed in the meantime"):
        files.replace(before, b"new")
    assert path.read_bytes() == b"other"


def test_a_failed_write_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    before = _read(path)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(Unreadable, match="No space left"):
        files.replace(before, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_another_users_file_is_not_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    before = _read(path)
    monkeypatch.setattr(os, "geteuid", lambda: before.owner + 1)
    with pytest.raises(Unreadable, match="another user"):
        files.replace(before, b"new")
