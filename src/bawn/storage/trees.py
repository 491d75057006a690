"""A file or directory that has to stay as it is: one digest over all of it, and a quick second look."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

MOST: Final = 250_000
"""Files and directories of one tree; a large npm server has a tenth."""

_CHUNK: Final = 1 << 20


class Trees:
    """What this process has found to be as it was: looked at in full once, then by its status alone.

    The status of a file is what lstat(2) tells: its change time moves with whatever is done to it.
    """

    def __init__(self) -> None:
        self._sound: dict[tuple[Path, str], bytes] = {}

    def problem(self, root: Path, digest: str) -> str:
        """What is wrong with a tree that had this digest; empty when it has it still. Blocks."""
        try:
            seen = fingerprint(root)
            if self._sound.get((root, digest)) == seen:
                return ""
            found = tree_digest(root)
            same = fingerprint(root) == seen
        except OSError as error:
            return f"{root} cannot be read ({error.strerror or error})"
        if found != digest:
            return f"{root} is not as it was installed (SHA-256 {found[:12]}…, expected {digest[:12]}…)"
        if not same:
            return f"{root} is being changed"
        self._sound[root, digest] = seen
        return ""


def tree_digest(root: Path) -> str:
    """SHA-256 in hex over path, kind, executable bit and content of everything; links are not followed.

    Raises:
        OSError: something cannot be read, is neither file, directory nor link, or there is too much.
    """
    whole = hashlib.sha256()
    for path, status in _entries(root):
        kind, content = _content(path, status.st_mode)
        name = os.fsencode(path.relative_to(root))
        whole.update(kind + content + len(name).to_bytes(8, "big") + name)
    return whole.hexdigest()


def fingerprint(root: Path) -> bytes:
    """What differs when anything in the tree was touched, without reading it.

    Raises:
        OSError: as `tree_digest`.
    """
    whole = hashlib.sha256()
    for path, found in _entries(root):
        facts = (
            found.st_dev, found.st_ino, found.st_mode, found.st_size,
            found.st_mtime_ns, found.st_ctime_ns,
        )  # fmt: skip
        whole.update(repr((os.fsencode(path), facts)).encode())
    return whole.digest()


def links(root: Path) -> Iterator[tuple[Path, Path]]:
    """The links of a tree and where they lead, both absolute.

    Raises:
        OSError: as `tree_digest`.
    """
    for path, status in _entries(root):
        if stat.S_ISLNK(status.st_mode):
            yield path, Path(os.path.realpath(path))


def make_read_only(root: Path) -> None:
    """Take everybody's right to write from a tree.

    Raises:
        OSError: it cannot be done.
    """
    for path, status in list(_entries(root)):
        if not stat.S_ISLNK(status.st_mode):
            path.chmod(stat.S_IMODE(status.st_mode) & ~0o222)


def remove(root: Path) -> None:
    """Remove a tree, a read-only one, too; what is not there is removed.

    Raises:
        OSError: it cannot be.
    """
    try:
        status = root.lstat()
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(status.st_mode):
        root.unlink()
        return
    root.chmod(0o700)
    for entry in list(os.scandir(root)):
        remove(Path(entry.path))
    root.rmdir()


def _entries(root: Path) -> Iterator[tuple[Path, os.stat_result]]:
    """Everything of a tree with its status, itself first, always in the same order."""
    waiting = [root]
    count = 0
    while waiting:
        path = waiting.pop()
        status = path.lstat()
        count += 1
        if count > MOST:
            raise OSError(f"more than {MOST} files")
        yield path, status
        if stat.S_ISDIR(status.st_mode):
            with os.scandir(path) as entries:
                names = sorted((entry.name for entry in entries), reverse=True)
            waiting += [path / name for name in names]


def _content(path: Path, mode: int) -> tuple[bytes, bytes]:
    if stat.S_ISDIR(mode):
        return b"d", b""
    if stat.S_ISLNK(mode):
        return b"l", hashlib.sha256(os.fsencode(path.readlink())).digest()
    if not stat.S_ISREG(mode):
        raise OSError(f"{path} is neither a file, a directory nor a link")
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    content = hashlib.sha256()
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        while chunk := file.read(_CHUNK):
            content.update(chunk)
    return b"x" if mode & 0o111 else b"f", content.digest()
