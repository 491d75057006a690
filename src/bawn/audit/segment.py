"""One file of the audit: append-only lines, locked by its writer for as long as it lives."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bawn.audit.entries import Ending, Segment, decode, hash_of

SUFFIX: Final = ".jsonl"
TORN: Final = ".torn"
_STAMP: Final = "%Y%m%dT%H%M%S.%fZ"
_LAST: Final = 256 << 10  # bytes: far more than the longest line the writer makes


class ShortWrite(OSError):
    """Only a part was written; `whole` lines of it stand in `kept`, the rest was cut off again."""

    def __init__(self, kept: bytes) -> None:
        super().__init__("only a part was written: the disk or a quota is full")
        self.kept = kept
        self.whole = kept.count(b"\n")


class SegmentFile:
    """An open segment. `usable` is False once it cannot be known what stands at its end."""

    def __init__(self, path: Path, descriptor: int, size: int) -> None:
        self.path = path
        self.descriptor = descriptor
        self.size = size
        self.usable = True

    @classmethod
    def create(cls, path: Path, first: bytes) -> SegmentFile:
        """A new file that holds `first`. It gets its name when it is locked and has its first line.

        Raises:
            OSError: there is no new file.
        """
        temporary = path.with_name(f".{path.name}.tmp")
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        segment = cls(path, os.open(temporary, flags, 0o600), 0)
        try:
            fcntl.flock(segment.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            segment.append(first)
            temporary.rename(path)
        except BaseException:
            segment.release()
            with suppress(OSError):
                temporary.unlink()
            raise
        return segment

    def append(self, write: bytes) -> None:
        """Append whole lines by one write(2).

        Raises:
            ShortWrite: some lines at the beginning stand.
            OSError: none stands.
        """
        written = os.write(self.descriptor, write)
        if written != len(write):
            raise ShortWrite(self._keep_whole(write[:written]))
        self.size += written

    def _keep_whole(self, part: bytes) -> bytes:
        """Cut off what was written of a line that is not whole; returns the whole ones before it."""
        kept = part[: part.rfind(b"\n") + 1]
        self.size += len(kept)
        try:
            os.ftruncate(self.descriptor, self.size)
        except OSError:
            self.usable = False
        return kept

    def is_gone(self) -> bool:
        """Whether the file of this name is another one now, or none: what is written is lost."""
        try:
            named, held = self.path.stat(), os.fstat(self.descriptor)
        except OSError:
            return True
        return (named.st_ino, named.st_dev) != (held.st_ino, held.st_dev)

    def release(self) -> None:
        """Close the file, and with it the lock."""
        os.close(self.descriptor)


def name_of(at: int, writer: str, number: int) -> str:
    """A segment's file name: sorts by time, and tells the writer."""
    stamp = datetime.fromtimestamp(at / 1e9, UTC).strftime(_STAMP)
    return f"{stamp}-{writer}-{number:06d}{SUFFIX}"


def begin_of(name: str) -> int:
    """When a segment was begun, by its name: nanoseconds since the epoch, 0 if it does not tell."""
    try:
        begun = datetime.strptime(name.partition("-")[0], _STAMP).replace(tzinfo=UTC)
    except ValueError:
        return 0
    return round(begun.timestamp() * 1e6) * 1000


def number_of(name: str) -> str:
    """A segment's number among those of its writer, sortable, empty if it has none."""
    parts = name.removesuffix(SUFFIX).split("-")
    return parts[2] if len(parts) == 3 else ""


def writer_of(name: str) -> str:
    """The writer's id in a segment's name, empty if it has none."""
    parts = name.split("-")
    return parts[1] if len(parts) == 3 else ""


def segments(directory: Path) -> list[Path]:
    """Every segment of a directory, in the order in which they were begun.

    Raises:
        OSError: the directory cannot be read.
    """
    return sorted(path for path in directory.iterdir() if path.name.endswith(SUFFIX))


def is_held(path: Path) -> bool:
    """Whether a living writer holds this segment."""
    with _opened(path, os.O_RDONLY) as descriptor:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def last_line(path: Path) -> bytes:
    """The last whole line of a segment, empty if there is none."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - _LAST))
        block = file.read()
    end = block.rfind(b"\n")
    return block[block.rfind(b"\n", 0, max(end, 0)) + 1 : end] if end >= 0 else b""


def heads(directory: Path) -> dict[str, str]:
    """The ended segments that none follows, with the hash of their last write.

    Raises:
        OSError: the directory cannot be read.
    """
    ends: dict[str, str] = {}
    followed: set[str] = set()
    for path in segments(directory):
        with path.open("rb") as file:
            first = file.readline(_LAST).rstrip(b"\n")
        try:
            begun, line = decode(first), last_line(path)
            if isinstance(decode(line), Ending):
                ends[path.name] = hash_of(line + b"\n")
        except ValueError:
            continue  # unreadable: reading reports it; there is nothing sound to follow
        if isinstance(begun, Segment):
            followed |= begun.after.keys()
    return {name: hash_ for name, hash_ in ends.items() if name not in followed}


@contextmanager
def _opened(path: Path, flags: int) -> Iterator[int]:
    descriptor = os.open(path, flags | os.O_CLOEXEC)
    try:
        yield descriptor
    finally:
        os.close(descriptor)
