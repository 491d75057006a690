from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.audit.entries import VERSION, Close, Segment, hash_of, line_of, write_of
from bawn.audit.segment import (
    SegmentFile,
    ShortWrite,
    begin_of,
    heads,
    is_held,
    last_line,
    name_of,
    number_of,
    segments,
    writer_of,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / name_of(0, "abcd1234", 0)


def create(path: Path, first: bytes = b"first\n") -> SegmentFile:
    return SegmentFile.create(path, first)


def test_a_segment_is_private_named_when_begun_and_held_until_released(path: Path) -> None:
    segment = create(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(path.parent.iterdir()) == [path]
    assert is_held(path)
    segment.release()
    assert not is_held(path)


def test_one_that_cannot_be_begun_leaves_nothing(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "write", lambda _descriptor, data: len(data) - 1)
    with pytest.raises(ShortWrite):
        create(path)
    assert list(path.parent.iterdir()) == []


def test_lines_are_appended_by_one_write(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    segment, written, write = create(path), [], os.write

    def counted(descriptor: int, data: bytes) -> int:
        written.append(data)
        return write(descriptor, data)

    monkeypatch.setattr(os, "write", counted)
    segment.append(b"a\nb\n")
    assert written == [b"a\nb\n"]
    assert path.read_bytes() == b"first\na\nb\n"
    assert segment.size == 10
    segment.release()


@pytest.mark.parametrize(("taken", "whole"), [(0, 0), (1, 0), (2, 1), (3, 1), (4, 2), (5, 2)])
def test_of_a_short_write_whole_lines_stand(
    path: Path, monkeypatch: pytest.MonkeyPatch, taken: int, whole: int
) -> None:
    segment, write = create(path), os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:taken]))
    with pytest.raises(ShortWrite) as caught:
        segment.append(b"a\nb\nc\n")
    monkeypatch.undo()
    assert caught.value.whole == whole
    assert caught.value.kept == b"a\nb\nc\n"[: 2 * whole]
    assert segment.usable
    assert path.read_bytes() == b"first\n" + b"a\nb\nc\n"[: 2 * whole]
    segment.append(b"d\n")
    assert last_line(path) == b"d"
    segment.release()


def test_a_torn_end_that_cannot_be_cut_off_makes_it_unusable(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, "I/O error")

    segment, write = create(path), os.write
    monkeypatch.setattr(os, "write", lambda fd, data: write(fd, data[:1]))
    monkeypatch.setattr(os, "ftruncate", fail)
    with pytest.raises(ShortWrite):
        segment.append(b"abc\n")
    assert not segment.usable
    segment.release()


def test_one_that_was_removed_or_replaced_is_gone(path: Path) -> None:
    segment = create(path)
    assert not segment.is_gone()
    path.rename(path.with_name("elsewhere"))
    assert segment.is_gone()
    path.write_bytes(b"first\n")
    assert segment.is_gone()
    segment.release()


@given(st.integers(0, 4_000_000_000_000_000_000), st.integers(0, 999_999))
def test_a_name_tells_when_and_who(at: int, number: int) -> None:
    name = name_of(at, "abcd1234", number)
    assert (writer_of(name), number_of(name)) == ("abcd1234", f"{number:06d}")
    assert abs(begin_of(name) - at) <= 2000  # a name tells microseconds


def test_names_of_others_tell_nothing() -> None:
    name = "notes.jsonl"
    assert (writer_of(name), number_of(name), begin_of(name)) == ("", "", 0)


@given(st.lists(st.integers(0, 4 * 10**18), min_size=2))
def test_names_sort_by_time(times: list[int]) -> None:
    names = [name_of(at // 1000 * 1000, "abcd1234", 0) for at in sorted(times)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("content", "line"),
    [(b"", b""), (b"a", b""), (b"a\n", b"a"), (b"a\nb", b"a"), (b"a\nb\n", b"b"), (b"\n", b"")],
)
def test_the_last_line_is_the_last_whole_one(tmp_path: Path, content: bytes, line: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    assert last_line(tmp_path / "file") == line


def test_heads_are_the_ended_segments_that_none_follows(tmp_path: Path) -> None:
    def write(number: int, after: dict[str, str], *, ended: bool = True) -> tuple[str, str]:
        name = name_of(number * 10**9, "abcd1234", number)
        begun = Segment(v=VERSION, at=number, name=name, writer="abcd1234", pid=1, after=after)
        writes = [write_of(line_of(begun), prev="")]
        if ended:
            ending = line_of(Close(at=number, more=False))
            writes.append(write_of(ending, prev=hash_of(writes[0])))
        (tmp_path / name).write_bytes(b"".join(writes))
        return name, hash_of(writes[-1])

    assert heads(tmp_path) == {}
    first = write(1, {})
    second = write(2, {})
    third = write(3, dict([first]))
    write(4, dict([third]), ended=False)
    (tmp_path / name_of(5, "ffffffff", 0)).write_bytes(b"noise\n")
    assert heads(tmp_path) == dict([second])
    assert len(segments(tmp_path)) == 5
