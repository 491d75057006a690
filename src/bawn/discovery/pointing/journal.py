"""What `connect` changed, kept so that `disconnect` can undo it: original bytes, and each entry.

One private file of the user's state directory. It holds the secrets that the clients' files held, so
nobody but its owner may read it.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from bawn.config import atomic
from bawn.errors import Misconfigured


class Rewritten(msgspec.Struct, frozen=True):
    """One entry that was changed: what was written, and the text that stood there (None: nothing).

    One that was taken out has nothing written, and its value in `value`.
    """

    keys: tuple[str, ...]
    name: str
    written: dict[str, Any] | None
    original: str | None
    value: dict[str, Any] | None = None


class Record(msgspec.Struct, frozen=True):
    """One run of `connect` on one file. `before` is None when the file did not exist.

    `path` is the client's own name for the file, which tells its format; the journal's key is what
    that leads to when links are followed.
    """

    client: str
    path: str
    before: bytes | None
    before_digest: str
    after_digest: str
    entries: tuple[Rewritten, ...]


class _Store(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    files: dict[str, tuple[Record, ...]]
    version: int = 1


def default_path(environ: Mapping[str, str]) -> Path:
    """Where the journal of this user is. The XDG specification has relative values ignored."""
    configured = Path(environ.get("XDG_STATE_HOME", ""))
    home = Path(environ.get("HOME") or Path.home())
    state = configured if configured.is_absolute() else home / ".local" / "state"
    return state / "bawn" / "connections.json"


class Journal:
    """The records of every changed file, oldest first."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other runs of `connect` and `disconnect` out.

        Raises:
            Misconfigured: the directory cannot be used.
        """
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
            descriptor = os.open(self.path.with_suffix(".lock"), flags, 0o600)
        except OSError as problem:
            raise self._unusable(problem.strerror) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def read(self) -> dict[Path, tuple[Record, ...]]:
        """Every file's records.

        Raises:
            Misconfigured: the journal cannot be read, is damaged, or is not private.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except FileNotFoundError:
            return {}
        except OSError as problem:
            raise self._unusable(problem.strerror) from None
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if status.st_uid != os.geteuid() or status.st_mode & 0o077:
                raise self._unusable("others can read or change it: expected mode 0600, your own")
            raw = file.read()
        try:
            store = msgspec.json.decode(raw, type=_Store)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise self._unusable("it is damaged") from None
        if store.version != 1:
            raise self._unusable(f"its version is {store.version}, expected 1")
        return {Path(path): records for path, records in store.files.items()}

    def put(self, path: Path, records: tuple[Record, ...]) -> None:
        """Replace one file's records; none at all forgets the file.

        Raises:
            Misconfigured: the journal cannot be read or written; it is as it was.
        """
        known = self.read()
        known.pop(path, None)
        if records:
            known[path] = records
        store = _Store({str(key): value for key, value in known.items()})
        try:
            atomic.replace(self.path, msgspec.json.encode(store) + b"\n", 0o600)
        except OSError as problem:
            raise self._unusable(problem.strerror) from None

    def _unusable(self, why: str | None) -> Misconfigured:
        return Misconfigured(
            f"{self.path}: the record of connections cannot be used ({why or 'unknown error'}); "
            "repair it, or move it away if no client is connected any more"
        )
