"""Private files: keys and secrets that only their owner, this user, can read."""

from __future__ import annotations

import fcntl
import os
import secrets
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from bawn.config.atomic import replace
from bawn.errors import Misconfigured

MAX_PRIVATE: Final = 1 << 20
"""The largest private file that is read, in bytes: keys and tokens are far smaller."""


def create_once(path: Path, make: Callable[[], bytes]) -> bytes:
    """What the private file at `path` holds; the first to ask, over all processes, makes it.

    Raises:
        Misconfigured: the file is not private, or cannot be read or written.
    """
    with suppress(FileNotFoundError):
        return read_private(path)
    with locked(path.parent):
        with suppress(FileNotFoundError):
            return read_private(path)
        content = make()
        replace_private(path, content)
        return content


def create_unsynced(path: Path, content: bytes) -> bool:
    """Make a private file without waiting for the disk; False when there is one already.

    Quick and without a lock. Until the caller has synced the file and its directory, a power loss
    may take it away, or leave it empty.

    Raises:
        Misconfigured: it cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            if os.write(descriptor, content) != len(content):
                raise OSError(28, "only a part was written")  # ENOSPC
            os.link(temporary, path)
        except FileExistsError:
            return False
        finally:
            os.close(descriptor)
            temporary.unlink()
    except OSError as problem:
        raise Misconfigured(f"{path}: cannot be written ({problem.strerror})") from None
    return True


@contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Be the one process that changes private files in this directory.

    Raises:
        Misconfigured: there cannot be a lock.
    """
    descriptor = open_private(directory / ".lock", os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def read_private(path: Path, most: int = MAX_PRIVATE) -> bytes:
    """The content of a file that only its owner, this user, can read; of `most` bytes.

    Raises:
        FileNotFoundError: there is none.
        Misconfigured: it is not private, not a regular file, too large, or cannot be read.
    """
    descriptor = open_private(path, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise Misconfigured(f"{path}: expected a regular file; remove what lies there instead")
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise Misconfigured(
                f"{path}: others can read it (owner {status.st_uid}, mode {status.st_mode & 0o777:04o}); "
                f"expected a file of your own with mode 0600: replace the secret in it if others may "
                f"have read it, then `chmod 600 {path}`"
            )
        content = file.read(most + 1)
    if len(content) > most:
        raise Misconfigured(
            f"{path}: larger than {most} bytes; expected what bawn itself wrote there"
        )
    return content


def open_private(path: Path, flags: int) -> int:
    """A descriptor of a file that is made, if it is, for its owner alone; no link is followed.

    Raises:
        FileNotFoundError: there is none.
        Misconfigured: it cannot be opened.
    """
    try:
        return os.open(path, flags | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:
        raise
    except OSError as problem:
        raise Misconfigured(f"{path}: cannot be opened ({problem.strerror})") from None


def replace_private(path: Path, content: bytes) -> None:
    """Put this content in the place of a private file, durably.

    Raises:
        Misconfigured: it cannot be written; nothing was changed.
    """
    try:
        replace(path, content)
    except OSError as problem:
        raise Misconfigured(f"{path}: cannot be written ({problem.strerror})") from None
