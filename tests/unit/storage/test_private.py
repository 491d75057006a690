from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from bawn.errors import Misconfigured
from bawn.storage.private import create_once, create_unsynced, locked, read_private


@pytest.mark.parametrize("bits", [0o640, 0o604, 0o660])
def test_a_private_file_that_others_can_read_is_refused(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"x")
    path.chmod(bits)
    with pytest.raises(Misconfigured, match=r"others can read it.*chmod 600"):
        read_private(path)
    with pytest.raises(Misconfigured, match="others can read it"):
        create_once(path, lambda: b"y")
    assert path.read_bytes() == b"x"


def test_a_private_file_is_no_link_no_pipe_and_not_large(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"x")
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "link").symlink_to("key")
    os.mkfifo(tmp_path / "pipe", 0o600)
    (tmp_path / "large").touch(0o600)
    os.truncate(tmp_path / "large", (1 << 20) + 1)
    for name in ("link", "pipe", "large"):
        with pytest.raises(Misconfigured, match=name):
            read_private(tmp_path / name)
    assert read_private(tmp_path / "key") == b"x"
    with pytest.raises(FileNotFoundError):
        read_private(tmp_path / "none")


def test_a_file_made_without_waiting_is_private_whole_and_made_once(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        assert create_unsynced(tmp_path / "key", b"one")
    finally:
        os.umask(old)
    assert not create_unsynced(tmp_path / "key", b"two")
    assert read_private(tmp_path / "key") == b"one"
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


@pytest.mark.parametrize("taken", [0, 2])
def test_one_that_cannot_be_written_whole_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: int
) -> None:
    monkeypatch.setattr(os, "write", lambda *_: taken)
    with pytest.raises(Misconfigured, match="only a part"):
        create_unsynced(tmp_path / "key", b"one")
    assert list(tmp_path.iterdir()) == []


def test_a_lock_is_let_go_of_also_by_a_failure(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), locked(tmp_path):
        raise ZeroDivisionError
    with locked(tmp_path):
        pass
