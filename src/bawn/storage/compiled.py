"""What was compiled once on this machine, so that the next process starts sooner: a cache of the user's.

Each file begins with the digest of its content: what is torn or changed counts as not there.
"""

from __future__ import annotations

import os
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from bawn.errors import BawnError
from bawn.storage.private import read_private, replace_private

LARGEST: Final = 64 << 20
"""Bytes of one file."""

_DIGEST: Final = 32


class Compiled:
    """`detectors.engine.Store` in a directory of the user's own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def get(self, key: str) -> bytes | None:
        """Fills `Store`."""
        try:
            content = read_private(self._directory / key, LARGEST)
        except (OSError, BawnError):
            return None
        digest, kept = content[:_DIGEST], content[_DIGEST:]
        return kept if sha256(kept).digest() == digest else None

    def put(self, key: str, content: bytes) -> None:
        """Fills `Store`."""
        if len(content) > LARGEST:
            return
        with suppress(OSError, BawnError):
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            replace_private(self._directory / key, sha256(content).digest() + content)


def cache_directory() -> Path:
    """Where it is, by the XDG Base Directory Specification."""
    given = os.environ.get("XDG_CACHE_HOME", "")
    home = Path(given) if given.startswith("/") else Path.home() / ".cache"
    return home / "bawn" / "compiled"
