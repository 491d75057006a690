"""Changing a file that several people or processes sign, so that no signature is lost."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bawn.config import files
from bawn.config.atomic import replace
from bawn.errors import Misconfigured

LARGEST: Final = 256 << 20
"""Bytes of a file: a lockfile of ten thousand tools takes a tenth."""


def read(path: Path) -> bytes:
    """The content of a file that anybody may read.

    Raises:
        FileNotFoundError: there is none.
        Misconfigured: it cannot be read, or is too large.
    """
    try:
        content, _ = files.read(path, LARGEST)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be read ({error.strerror})") from None
    if len(content) > LARGEST:
        raise Misconfigured(f"{path}: larger than {LARGEST} bytes")
    return content


def edit(path: Path, change: Callable[[bytes | None], bytes]) -> None:
    """Replace a file by what `change` makes of it (None: there is no such file), alone over all processes.

    Raises:
        Misconfigured: it cannot be read or written; nothing was changed.
    """
    # The directory itself is locked: it stands in somebody's repository, where a lock file would be litter.
    try:
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Misconfigured(f"{path.parent}: cannot be opened ({error.strerror})") from None
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        try:
            before: bytes | None = read(path)
        except FileNotFoundError:
            before = None
        replace(path, change(before), 0o644)
    except OSError as error:
        raise Misconfigured(f"{path}: cannot be written ({error.strerror})") from None
    finally:
        os.close(directory)
