"""Reading and replacing a client's file: exact bytes in, exact bytes out, nothing half-written."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from bawn.config import atomic
from bawn.config import files as config_files
from bawn.discovery.documents.spans import Unreadable

MAX_BYTES = 32 << 20
"""Claude Code keeps its history in the file with its servers; some megabytes are common there."""

MAX_TOML_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A file as it was read. `target` is what its path leads to when links are followed."""

    target: Path
    raw: bytes
    mode: int
    owner: int

    @property
    def digest(self) -> str:
        """SHA-256 of the bytes, in hex."""
        return digest_of(self.raw)


def digest_of(raw: bytes) -> str:
    """SHA-256 of some bytes, in hex."""
    return hashlib.sha256(raw).hexdigest()


def read(path: Path) -> Snapshot | None:
    """The file at `path`, or None when there is none.

    Raises:
        Unreadable: it is not a regular file, too large, or cannot be read.
    """
    limit = MAX_TOML_BYTES if path.suffix == ".toml" else MAX_BYTES
    try:
        raw, status = config_files.read(path, limit)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        raise Unreadable(f"cannot be read ({problem.strerror})") from None
    if len(raw) > limit:
        raise Unreadable(f"larger than {limit >> 20} MiB")
    target = Path(os.path.realpath(path))
    return Snapshot(target, raw, stat.S_IMODE(status.st_mode), status.st_uid)


def decode(raw: bytes) -> str:
    """The text, which encodes to exactly these bytes again.

    Raises:
        Unreadable: not UTF-8, with line and column.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError as problem:
        line = raw.count(b"\n", 0, problem.start) + 1
        column = problem.start - raw.rfind(b"\n", 0, problem.start)
        raise Unreadable("not UTF-8", line, column) from None


def replace(before: Snapshot, content: bytes) -> None:
    """Put `content` in the file's place, if the file is still what it was.

    A link to the file stays a link, and the file keeps its mode.

    Raises:
        Unreadable: it changed meanwhile, is another user's, or cannot be written; it is untouched.
    """
    if before.owner != os.geteuid():
        raise Unreadable("belongs to another user: it is not changed")
    now = read(before.target)
    if now is None or now.raw != before.raw:
        raise Unreadable(
            "changed in the meantime: nothing was written, look at the difference again"
        )
    write(before.target, content, before.mode)


def write(target: Path, content: bytes, mode: int) -> None:
    """Write a file whole.

    Raises:
        Unreadable: it cannot be written; what was there is untouched.
    """
    try:
        atomic.replace(target, content, mode)
    except OSError as problem:
        raise Unreadable(f"cannot be written ({problem.strerror}): nothing was changed") from None
