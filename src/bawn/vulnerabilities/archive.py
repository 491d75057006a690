"""The records of a dump, one by one: the .json files of a directory or a .zip, within bounds.

Nothing is unpacked to the disk, so names in an archive lead nowhere. Source: APPNOTE.TXT of the ZIP format,
sections 4.3.14 to 4.3.16.
"""

from __future__ import annotations

import lzma
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, NamedTuple

LARGEST: Final = 8 << 20
"""Bytes of one record."""

TOTAL: Final = 8 << 30
"""Bytes of all records, unpacked."""

MOST: Final = 1_000_000
"""Files of a dump; the whole of OSV has fewer of any one ecosystem."""

_DIRECTORY: Final = 192 << 20  # bytes of an archive's table of contents, which is held in memory
_DEEPEST: Final = 12

_FAULTS: Final = (
    OSError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    RuntimeError,  # an encrypted member
    NotImplementedError,
    ValueError,
    OverflowError,
    struct.error,
)


class UnreadableError(Exception):
    """The dump as a whole cannot be relied on."""


class Member(NamedTuple):
    """One file of a dump: its content, or what is wrong with it."""

    name: str
    content: bytes
    problem: str = ""


def members(path: Path) -> Iterator[Member]:
    """Every record of the dump.

    Raises:
        UnreadableError: it cannot be read to its end, or is larger than a dump can be.
    """
    left = TOTAL
    try:
        for count, each in enumerate(_directory(path) if path.is_dir() else _zip(path)):
            left -= len(each.content)
            if left < 0 or count >= MOST:
                raise UnreadableError(f"{path}: larger than {TOTAL} bytes or {MOST} files")
            yield each
    except _FAULTS as error:
        raise UnreadableError(f"{path}: {error}") from error


def _directory(root: Path) -> Iterator[Member]:
    def fail(error: OSError) -> None:
        raise error

    for where, directories, files in os.walk(root, onerror=fail):
        here = Path(where)
        if len(here.relative_to(root).parts) > _DEEPEST:
            raise UnreadableError(f"{here}: deeper than a dump can be")
        directories.sort()
        for name in [*directories, *files]:
            if (here / name).is_symlink() and not _inside(here / name, root):
                yield Member(str(here / name), b"", "it is a link out of the dump")
        for name in sorted(files):
            if name.endswith(".json") and not (here / name).is_symlink():
                yield _file(here / name)


def _inside(link: Path, root: Path) -> bool:
    """Whether the link leads to what the walk meets anyway."""
    return link.resolve().is_relative_to(root.resolve()) and link.exists()


def _file(path: Path) -> Member:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return Member(str(path), b"", "it is no regular file")
            return _bounded(str(path), file)
    except OSError as error:
        return Member(str(path), b"", error.strerror or str(error))


def _zip(path: Path) -> Iterator[Member]:
    with path.open("rb") as file:
        if _contents(file) > _DIRECTORY:
            raise UnreadableError(f"{path}: its table of contents is larger than a dump's can be")
        with zipfile.ZipFile(file) as archive:
            for each in archive.infolist():
                if each.filename.endswith(".json"):
                    yield _packed(archive, each)


def _packed(archive: zipfile.ZipFile, each: zipfile.ZipInfo) -> Member:
    if each.file_size > LARGEST:
        return Member(each.filename, b"", f"it is larger than {LARGEST} bytes")
    try:
        with archive.open(each) as file:
            return _bounded(each.filename, file)
    except _FAULTS as error:
        return Member(each.filename, b"", str(error) or type(error).__name__)


def _bounded(name: str, file: IO[bytes]) -> Member:
    content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        return Member(name, b"", f"it is larger than {LARGEST} bytes")
    return Member(name, content)


def _contents(file: IO[bytes]) -> int:
    """Bytes of the central directory, by the record at the archive's end, before anything is read of it."""
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 0x10000 - 22))
    tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < 22:
        raise UnreadableError("this is no .zip file")
    told: int = struct.unpack_from("<L", tail, at + 12)[0]
    locator = tail[max(0, at - 20) : at]
    if locator[:4] == b"PK\x06\x07":
        file.seek(struct.unpack_from("<Q", locator, 8)[0])
        record = file.read(56)
        if len(record) < 56 or record[:4] != b"PK\x06\x06":
            raise UnreadableError("the end of this .zip file is broken")
        told = max(told if told != 0xFFFFFFFF else 0, struct.unpack_from("<Q", record, 40)[0])
    file.seek(0)
    return told
