"""The lines of a log file of any size, plain or gzip, with bounds on each line and on the whole."""

from __future__ import annotations

import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final, cast

CHUNK: Final = 256 << 10
MAX_LINE: Final = 64 << 10
MAX_BYTES: Final = 64 << 30
"""Most bytes read from one file, after decompression."""


class Lines:
    """Iterates over a file's lines. `long` counts those that were passed over for their length.

    Raises:
        OSError: the file cannot be read, or is no regular file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self.long = 0
        self.cut = ""  # why the end was not read

    def __iter__(self) -> Iterator[bytes]:
        with open_regular(self._path) as plain, _unpacked(plain) as file:
            yield from self._split(file)

    def _split(self, file: IO[bytes]) -> Iterator[bytes]:
        held = b""
        passing = False  # in the midst of a line that is too long
        total = 0
        while chunk := self._chunk(file):
            total += len(chunk)
            *whole, held = (held + chunk).split(b"\n")
            for line in whole:
                if passing or len(line) > MAX_LINE:
                    self.long += 1
                    passing = False
                elif line:
                    yield line
            if len(held) > MAX_LINE:
                held, passing = b"", True
            elif passing:
                held = b""
            if total > MAX_BYTES:
                self.cut = f"more than {MAX_BYTES >> 30} GiB"
                return
        if passing:
            self.long += 1
        elif held:
            yield held

    def _chunk(self, file: IO[bytes]) -> bytes:
        try:
            return file.read(CHUNK)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            self.cut = "the compressed data is damaged, or ends too early"
            return b""


def _unpacked(file: IO[bytes]) -> IO[bytes]:
    zipped = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    return cast("IO[bytes]", gzip.open(file)) if zipped else file


def open_regular(path: Path) -> IO[bytes]:
    """A regular file, whatever lies in its place: a pipe holds nobody up.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError("not a regular file")
    return os.fdopen(descriptor, "rb")
