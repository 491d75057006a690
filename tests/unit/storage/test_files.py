"""What is on record of one server is read whole or not at all, and harms no other."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from bawn.errors import INTEGRITY_STORE, Refused
from bawn.storage.files import ServerFiles


class Note(msgspec.Struct, frozen=True):
    """What is kept here."""

    text: str
    count: int = 0


@pytest.fixture
def files(tmp_path: Path) -> ServerFiles[Note]:
    made = ServerFiles(tmp_path, Note)
    for server in ("one", "two"):
        _write(made, server, Note(server))
    return made


def _write(files: ServerFiles[Note], server: str, note: Note) -> None:
    files.update(server, lambda _: note)


def _refuses(files: ServerFiles[Note], server: str) -> str:
    """What is said of a server whose file is not read, with the other one unharmed."""
    with pytest.raises(Refused) as caught:
        files.read(server)
    assert caught.value.reason is INTEGRITY_STORE
    with pytest.raises(Refused):
        files.update(server, lambda _: Note("taken for a new one"))
    assert files.read("two") == Note("two")
    return str(caught.value.detail)


def test_what_was_written_is_read_and_private(files: ServerFiles[Note], tmp_path: Path) -> None:
    assert files.read("one") == Note("one")
    assert files.read("three") is None
    assert files.known() == {"one", "two"}
    for path in tmp_path.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert {path.name for path in tmp_path.iterdir()} == {".lock", "known", "one.json", "two.json"}


def test_a_lost_file_is_not_taken_for_one_that_never_was(files: ServerFiles[Note]) -> None:
    files.path("one").unlink()
    assert "not there any more" in _refuses(files, "one")
    assert not files.path("one").exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b'{"text": "o',
        b'{"text": 7}',
        b"[]",
        b"null",
        b'{"text": "\xff"}',
        b'{"text": "\\ud800"}',
        b'{"text":' + b"[" * 100_000,
        b'{"text": "a"}{"text": "b"}',
        bytes(range(128, 192)),
    ],
)
def test_a_torn_file_is_refused_and_left_for_people(
    files: ServerFiles[Note], content: bytes
) -> None:
    files.path("one").write_bytes(content)
    _refuses(files, "one")
    assert files.path("one").read_bytes() == content


@pytest.mark.parametrize("mode", [0o640, 0o602, 0o666])
def test_a_file_that_others_can_reach_is_refused(files: ServerFiles[Note], mode: int) -> None:
    files.path("one").chmod(mode)
    assert "others can read it" in _refuses(files, "one")


def test_a_link_is_not_followed(files: ServerFiles[Note]) -> None:
    files.path("one").unlink()
    files.path("one").symlink_to(files.path("two"))
    _refuses(files, "one")


def test_a_file_beyond_the_bound_is_not_read(files: ServerFiles[Note]) -> None:
    os.truncate(files.path("one"), (256 << 20) + 1)
    assert "larger" in _refuses(files, "one")


def test_a_list_of_servers_that_cannot_be_read_makes_nothing_new(
    files: ServerFiles[Note], tmp_path: Path
) -> None:
    (tmp_path / "known").chmod(0o644)
    with pytest.raises(Refused):
        files.known()
    with pytest.raises(Refused):
        files.read("three")
    with pytest.raises(Refused):
        _write(files, "three", Note("three"))
    assert not files.path("three").exists()
    assert files.read("one") == Note("one")


def test_an_update_sees_what_is_there_and_none_leaves_it(files: ServerFiles[Note]) -> None:
    assert files.update("one", lambda note: Note((note or Note("")).text + "!")) == Note("one!")
    before = files.stamp("one")
    assert files.update("one", lambda _: None) is None
    assert files.stamp("one") == before
    assert files.update("three", lambda note: note) is None
    assert files.known() == {"one", "two"}


def test_an_update_that_fails_leaves_everything_and_the_lock(files: ServerFiles[Note]) -> None:
    def broken(note: Note | None) -> Note | None:
        raise RuntimeError("no")

    for server in ("one", "three"):
        before = files.stamp(server)
        with pytest.raises(RuntimeError):
            files.update(server, broken)
        assert files.stamp(server) == before
    assert files.known() == {"one", "two"}
    _write(files, "one", Note("again"))
    assert files.read("one") == Note("again")


def test_a_write_that_fails_leaves_the_old_value(
    files: ServerFiles[Note], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(Refused, match="No space left"):
            _write(files, "one", Note("new"))
    assert files.read("one") == Note("one")


def test_the_stamp_differs_with_each_replacement(files: ServerFiles[Note]) -> None:
    seen = {files.stamp("one")}
    for count in range(20):
        _write(files, "one", Note("one", count % 2))
        seen.add(files.stamp("one"))
    assert len(seen) == 21
    assert files.stamp("three") is None


def test_a_server_that_is_removed_may_come_anew(files: ServerFiles[Note]) -> None:
    files.path("one").write_bytes(b"torn")
    files.remove("one")
    assert files.read("one") is None
    assert files.known() == {"two"}
    files.remove("one")
    _write(files, "one", Note("new"))
    assert files.read("one") == Note("new")


_COUNT = """
import sys
from pathlib import Path
from bawn.storage.files import ServerFiles
files = ServerFiles(Path(sys.argv[1]), dict[str, int])
for _ in range(50):
    files.update("one", lambda value: {"n": (value or {"n": 0})["n"] + 1})
    files.update(sys.argv[2], lambda value: {"n": 1})
"""


def test_no_update_of_several_processes_and_threads_is_lost(tmp_path: Path) -> None:
    processes = [
        subprocess.Popen([sys.executable, "-c", _COUNT, str(tmp_path), f"own{number}"])
        for number in range(2)
    ]
    files = ServerFiles(tmp_path, dict[str, int])

    def count(_: int) -> None:
        files.update("one", lambda value: {"n": (value or {"n": 0})["n"] + 1})

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(50)))
    assert [process.wait(60) for process in processes] == [0, 0]
    assert files.read("one") == {"n": 150}
    assert files.known() == {"one", "own0", "own1"}


def test_what_nobody_could_read_any_more_is_not_written(
    files: ServerFiles[Note], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bawn.storage.files.LARGEST", 100)
    with pytest.raises(Refused, match="too large"):
        _write(files, "one", Note("x" * 100))
    assert files.read("one") == Note("one")


def test_a_value_is_read_again_only_when_its_file_was_replaced_lost_or_torn(
    files: ServerFiles[Note],
) -> None:
    first = files.current("one")
    assert files.current("one") is first
    ServerFiles(files.path("one").parent, Note).update("one", lambda _: Note("another process"))
    assert files.current("one") == Note("another process")
    files.path("one").write_text("{")
    with pytest.raises(Refused):
        files.current("one")
    files.path("one").unlink()
    with pytest.raises(Refused):
        files.current("one")
    assert files.current("three") is None
