"""Reading what lies on the disk for a server: bounded, never past the tree, and nothing of it is run."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import msgspec

LARGEST: Final = 4 << 20
"""Bytes of one manifest."""

LARGEST_LOCK: Final = 64 << 20

PACKAGES: Final = 20_000
"""Packages of one tree."""

ENTRIES: Final = 500_000
"""Directory entries that are looked at of one tree."""

_DEEPEST: Final = 64
_TOLD: Final = 5


class Tree:
    """A directory with everything below it, and what kept its reading from being complete."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.problems: list[str] = []

    @property
    def why(self) -> str:
        """What is missing, in a line; empty when nothing is."""
        more = len(self.problems) - _TOLD
        return "; ".join(self.problems[:_TOLD]) + (f"; and {more} more" if more > 0 else "")

    def inside(self, path: Path) -> Path | None:
        """Where a path leads, when that is in the tree."""
        try:
            real = path.resolve(strict=True)
        except (OSError, RuntimeError):  # RuntimeError: links in a circle
            return None
        return real if real.is_relative_to(self.root) else None

    def read(self, path: Path, most: int = LARGEST) -> bytes | None:
        """The content of a file in the tree; None when there is none, with a problem if it should be there."""
        real = self.inside(path)
        if real is None:
            if path.is_symlink() or path.exists():
                self.problems.append(f"{path} leads out of {self.root}")
            return None
        try:
            descriptor = os.open(real, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                regular = stat.S_ISREG(os.fstat(descriptor).st_mode)
                content = file.read(most + 1) if regular else None
        except OSError as error:
            content, regular = None, False
            self.problems.append(f"{path}: {error.strerror}")
        if content is None or len(content) > most:
            self.problems.append(f"{path}: expected a regular file of at most {most} bytes")
            return None
        return content

    def read_json(self, path: Path, most: int = LARGEST) -> dict[str, Any] | None:
        """The object in a JSON file of the tree; None as in `read`."""
        content = self.read(path, most)
        if content is None:
            return None
        try:
            found = msgspec.json.decode(content)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            found = None
        if not isinstance(found, dict):
            self.problems.append(f"{path} holds no JSON object")
            return None
        return found

    def children(self, directory: Path) -> list[Path]:
        """What is in a directory, in a fixed order."""
        try:
            return sorted(directory.iterdir())
        except OSError as error:
            self._unreadable(error)
            return []

    def directories(self, top: Path) -> Iterator[Path]:
        """Every directory from `top` down; links are not followed."""
        left = ENTRIES
        for where, names, files in os.walk(top, onerror=self._unreadable):
            names.sort()
            left -= len(names) + len(files)
            if left < 0 or len(Path(where).parts) - len(top.parts) > _DEEPEST:
                self.problems.append(f"{top}: more than {ENTRIES} files, or deeper than {_DEEPEST}")
                return
            yield Path(where)

    def _unreadable(self, error: OSError) -> None:
        self.problems.append(f"{error.filename}: {error.strerror}")
