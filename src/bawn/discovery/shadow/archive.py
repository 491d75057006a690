"""Tar archives read forwards only, with bounds: nothing is written, no link followed, no bomb unpacked."""

from __future__ import annotations

import gzip
import tarfile
import zlib
from collections.abc import Iterator
from typing import IO, Any, Final, NamedTuple, cast

MAX_TOTAL: Final = 16 << 30
"""Most bytes that one archive may hold, after decompression."""

MAX_READ: Final = 4 << 20
"""Most bytes that the archive's own structures may make a reader take in one piece."""

MAX_MEMBERS: Final = 1_000_000


class Damaged(Exception):
    """The archive cannot be read, or is beyond a bound; the text says why."""


class Member(NamedTuple):
    """One entry: its path in parts (never `..`, never absolute), and whether it is a regular file."""

    parts: tuple[str, ...]
    is_file: bool
    size: int


class _Forward:
    """A file that is only read forwards; skipping counts, so that a bomb of zeros ends, too."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._at = 0
        self._last = b""
        self._again = b""  # the last byte, given once more: tarfile looks for it

    def tell(self) -> int:
        return self._at

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= MAX_READ:
            raise Damaged(f"a part of more than {MAX_READ >> 20} MiB where a header was expected")
        again, self._again = self._again[:size], self._again[size:]
        taken = again + self._file.read(size - len(again))
        self._at += len(taken)
        self._last = taken[-1:] or self._last
        if self._at > MAX_TOTAL:
            raise Damaged(f"more than {MAX_TOTAL >> 30} GiB")
        return taken

    def seek(self, to: int, _whence: int = 0) -> int:
        if to == self._at - 1 and self._last and not self._again:
            self._again = self._last
            self._at = to
        if to < self._at:
            raise Damaged("its parts overlap")
        while self._at < to and (taken := self.read(min(to - self._at, 1 << 20))):
            del taken
        return self._at


class Archive:
    """The entries of a tar file, in order.

    Raises:
        Damaged: on iteration, for anything that is wrong with it.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = _Forward(file)
        self._tar: tarfile.TarFile | None = None
        self._current: tarfile.TarInfo | None = None
        self.strange = 0  # entries whose path leads out of the archive

    def __iter__(self) -> Iterator[Member]:
        try:
            # It needs no more of a file than these three methods.
            tar = tarfile.TarFile(fileobj=cast("Any", self._file), mode="r")
            self._tar = tar
            for _ in range(MAX_MEMBERS):
                info = tar.next()
                if info is None:
                    return
                cast("Any", tar).members = []  # it would keep every one
                self._current = info
                parts = _parts(info.name)
                if parts is None:
                    self.strange += 1
                elif parts:
                    yield Member(parts, info.isreg() and not info.issparse(), info.size)
        except Damaged:
            raise
        except (tarfile.TarError, OSError, EOFError, zlib.error, ValueError, OverflowError) as why:
            raise Damaged(f"not a readable archive ({type(why).__name__})") from None
        raise Damaged(f"more than {MAX_MEMBERS} entries")

    def read(self, limit: int) -> bytes:
        """The content of the entry that was given last, up to `limit` bytes, at most MAX_READ."""
        if self._tar is None or self._current is None:
            return b""
        self._file.seek(self._current.offset_data)
        return self._file.read(min(limit, self._current.size, MAX_READ))

    def nested(self) -> IO[bytes]:
        """The entry that was given last as a file of its own, unpacked if it is gzip.

        Raises:
            Damaged: it is packed in a way that is not known here.
        """
        if self._current is None:
            raise Damaged("no entry was read")
        self._file.seek(self._current.offset_data)
        inner = _Inner(self._file, self._current.size)
        if inner.starts(b"\x28\xb5\x2f\xfd"):
            raise Damaged("a layer packed with zstd, which is not read: save it as gzip")
        if inner.starts(b"\x1f\x8b"):
            return cast("IO[bytes]", gzip.GzipFile(fileobj=cast("Any", inner)))
        return cast("IO[bytes]", inner)


class _Inner:
    """The bytes of one entry."""

    def __init__(self, file: _Forward, size: int) -> None:
        self._file = file
        self._left = size
        self._held = b""

    def starts(self, magic: bytes) -> bool:
        if not self._held:
            self._held = self.read(4)
        return self._held.startswith(magic)

    def read(self, size: int = -1) -> bytes:
        wanted = MAX_READ if size < 0 else min(size, MAX_READ)
        head, self._held = self._held[:wanted], self._held[wanted:]
        taken = self._file.read(min(wanted - len(head), self._left))
        self._left -= len(taken)
        return head + taken


def _parts(name: str) -> tuple[str, ...] | None:
    parts = tuple(part for part in name.split("/") if part not in {"", "."})
    return None if ".." in parts or len(name) > 4096 else parts
