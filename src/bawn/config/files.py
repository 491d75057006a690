"""Reading a file with a bound, and without being held up by what lies in its place."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path


def read(path: Path, limit: int, *, follow: bool = True) -> tuple[bytes, os.stat_result]:
    """The first `limit + 1` bytes of a regular file, and the status of what was read.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    # Non-blocking, so that a pipe in the file's place cannot hang the reader.
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    descriptor = os.open(path, flags)
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "not a regular file")
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit + 1), status
    finally:
        os.close(descriptor)
