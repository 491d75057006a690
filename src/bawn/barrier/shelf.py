"""Files named by the digest of their content: whoever finds one can tell that it is the right one."""

from __future__ import annotations

import time
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from bawn.config.atomic import replace
from bawn.errors import GATE_NOT_READY, Refused

KEPT: Final = 4
"""The newest files that stay when others come: a reader may still be on its way to one."""

FORGOTTEN: Final = 600.0
"""Seconds after which a file that nobody has used is taken away: a crew that starts takes far less."""


class Shelf:
    """The files of one directory. One process puts, any process gets."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._order: list[str] = []

    def put(self, content: bytes) -> str:
        """Keep this content; returns its digest in hex.

        Raises:
            OSError: it cannot be written.
        """
        name = sha256(content).hexdigest()
        path = self._directory / name
        if not path.exists():
            replace(path, content, durable=False)  # it is of this run of the gate alone
        return name

    def keep(self, *names: str) -> None:
        """These are used now: those used long before go."""
        self._order = [name for name in self._order if name not in names] + list(names)
        while len(self._order) > KEPT:
            self.drop(self._order.pop(0))
        self._tidy()

    def drop(self, name: str) -> None:
        """This one will not be used."""
        if name not in self._order:
            with suppress(OSError):  # one that stays does no harm
                (self._directory / name).unlink()

    def _tidy(self) -> None:
        """Remove what was put and never used, or half put: whoever did that may have been killed."""
        old = time.time() - FORGOTTEN
        with suppress(OSError):
            for path in self._directory.iterdir():
                if path.name not in self._order and path.stat().st_mtime < old:
                    path.unlink()

    def has(self, name: str) -> bool:
        """Whether there is a file of this name."""
        return (self._directory / name).exists()

    def get(self, name: str) -> bytes:
        """The content with this digest.

        Raises:
            Refused: gate.not_ready, when it is not there or is not what it should be.
        """
        try:
            content = (self._directory / name).read_bytes()
        except OSError as error:
            raise Refused(GATE_NOT_READY, detail=f"{name[:12]} cannot be read: {error}") from None
        if sha256(content).hexdigest() != name:
            raise Refused(GATE_NOT_READY, detail=f"{name[:12]} was changed on the disk")
        return content
