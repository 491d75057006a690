"""The barrier: a page of memory that every process of the gate has mapped, and that one process writes.

Its first word counts what was published; a worker compares it at each admission. Behind it lies a ring
of places that name what was published, by its digest. A place is written before the word that points to
it, and repeats the number: whoever reads across a change sees a number that does not fit, and reads again.
"""

from __future__ import annotations

import mmap
import os
import struct
from pathlib import Path
from typing import Final

from bawn.config.atomic import replace

DIGEST: Final = 32
_WORD: Final = struct.Struct("<Q")
_PLACE: Final = struct.Struct(f"<Q{DIGEST}s")
_PLACES: Final = 64
_FIRST: Final = 64  # a cache line of its own for the word
_SIZE: Final = 4096


class TornError(Exception):
    """The page changed while it was read, again and again."""


class Barrier:
    """The page as it is read; `word[0]` is the number of what is in force, 0 before the first."""

    def __init__(self, path: Path, *, writable: bool = False) -> None:
        descriptor = os.open(
            path, (os.O_RDWR if writable else os.O_RDONLY) | os.O_NOFOLLOW | os.O_CLOEXEC
        )
        try:
            access = mmap.ACCESS_WRITE if writable else mmap.ACCESS_READ
            self._page = mmap.mmap(descriptor, _SIZE, access=access)
        finally:
            os.close(descriptor)
        self.word: Final = memoryview(self._page)[:8].cast("Q")

    @classmethod
    def create(cls, path: Path) -> Barrier:
        """A new page in the place of any old one, for its only writer.

        Raises:
            OSError: there is no page.
        """
        replace(path, bytes(_SIZE))
        return cls(path, writable=True)

    def publish(self, digest: bytes) -> int:
        """Put what has this digest in force; returns its number."""
        number = self.word[0] + 1
        _PLACE.pack_into(self._page, _at(number), number, digest)
        self.word[0] = number
        return number

    def read(self) -> tuple[int, bytes]:
        """The number and digest of what is in force.

        Raises:
            TornError: no consistent reading could be had.
        """
        for _ in range(_PLACES):
            number = self.word[0]
            said, digest = _PLACE.unpack_from(self._page, _at(number))
            if said == number:
                return number, digest
        raise TornError

    def close(self) -> None:
        """Let go of the page."""
        self.word.release()
        self._page.close()


def _at(number: int) -> int:
    return _FIRST + number % _PLACES * _PLACE.size
