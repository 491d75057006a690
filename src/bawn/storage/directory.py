"""The state directory: private by construction, owned by one user, held by one gate at a time."""

from __future__ import annotations

import fcntl
import os
import re
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Final

from bawn.errors import Misconfigured
from bawn.storage.private import create_once, open_private, read_private

MAX_SOCKET: Final = 100
"""The longest socket path in bytes; `sun_path` ends at 108 on Linux and at 104 on macOS."""

_SOCKET_NAME: Final = 32
_SOCKET_DIGEST: Final = 16

_NAME: Final = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,127}")


class StateDirectory:
    """`state` of the configuration: created with mode 0700, with one sub-directory for each use.

    Raises:
        Misconfigured: it cannot be created, another user owns it, or others can write it.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.realpath(path))
        _own_directory(self.path, "state")
        self.keys = self._part("keys")
        self.audit = self._part("audit")
        self.subjects = self._part("subjects")
        self.secrets = self._part("secrets")
        self.run = self._part("run")
        self.pins = self._part("pins")
        self.evidence = self._part("evidence")
        self.packages = self._part("packages")
        self.quarantine = self._part("quarantine")

    def _part(self, name: str) -> Path:
        part = self.path / name
        _own_directory(part, "state")
        return part

    def key(self, name: str, make: Callable[[], bytes]) -> bytes:
        """The key of this name; `make` creates it once, whoever asks first, over all processes.

        Raises:
            Misconfigured: the key file is not private, or cannot be read or written.
        """
        return create_once(self.keys / _plain(name), make)

    @contextmanager
    def hold(self) -> Iterator[None]:
        """Be the one gate on this state; the kernel lets go when the process ends, however it ends.

        Raises:
            Misconfigured: another process holds it.
        """
        path = self.path / "lock"
        descriptor = open_private(path, os.O_RDWR | os.O_CREAT)
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(descriptor, 200).decode("ascii", "replace").strip()
                raise Misconfigured(
                    f"{self.path}: in use by {holder or 'another process'}; expected one gate to a state "
                    "directory: stop that one, or give this one its own `state`"
                ) from None
            since = datetime.now(UTC).isoformat(" ", "seconds")
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"process {os.getpid()} since {since}\n".encode(), 0)
            yield
        finally:
            os.close(descriptor)

    def socket(self, name: str) -> Path:
        """The path of a Unix socket, the same for every process of this user.

        Below `run/` when that is short enough for the kernel, else in a private directory outside.
        `name` has at most 32 characters.

        Raises:
            Misconfigured: there is no place for it that only this user can use.
        """
        if len(_plain(name)) > _SOCKET_NAME:
            raise ValueError(f"{name!r}: expected at most {_SOCKET_NAME} characters")
        path = self.run / name
        if len(os.fsencode(path)) <= MAX_SOCKET:
            return path
        return self._socket_place() / f"{self._digest}-{name}"

    def sockets(self, pattern: str) -> tuple[Path, ...]:
        """The sockets that there are, wherever they lie, by a pattern in shell style of their names."""
        outside: tuple[Path, ...] = ()
        with suppress(OSError):
            place = Path(os.fsdecode(read_private(self.run / "sockets")))
            outside = tuple(place.glob(f"{self._digest}-{pattern}"))
        return (*self.run.glob(pattern), *outside)

    @property
    def _digest(self) -> str:
        return sha256(os.fsencode(self.path)).hexdigest()[:_SOCKET_DIGEST]

    def _socket_place(self) -> Path:
        """The directory outside. It is written down, for processes differ in XDG_RUNTIME_DIR."""
        chosen = self.run / "sockets"
        for _ in range(2):
            place = Path(os.fsdecode(create_once(chosen, _runtime_directory)))
            with suppress(Misconfigured):
                _own_directory(place, "socket", private=True)
                return place
            chosen.unlink(missing_ok=True)
        raise Misconfigured(
            f"{place}: no place for sockets; expected a directory of mode 0700 there"
        )


def _plain(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a plain file name")
    return name


def _own_directory(path: Path, what: str, *, private: bool = False) -> None:
    """Create a directory for this user alone, or insist that the one there is this user's.

    `private` also refuses one that others can look into.
    """
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.lstat() if private else path.stat()
    except OSError as problem:
        raise Misconfigured(
            f"{path}: the {what} directory cannot be created ({problem.strerror}); "
            "expected a directory of your own: free the path, or choose another one"
        ) from None
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        raise Misconfigured(
            f"{path}: the {what} directory belongs to user {status.st_uid}; expected a directory of "
            f"user {os.geteuid()}: run as its owner, or choose another one"
        )
    if status.st_mode & (0o077 if private else 0o022):
        mode = status.st_mode & 0o777
        raise Misconfigured(
            f"{path}: others can use the {what} directory (mode {mode:04o}); expected one for you "
            f"alone: see that nobody changed what it holds, then `chmod 700 {path}`"
        )


def _runtime_directory() -> bytes:
    """A short private directory: in XDG_RUNTIME_DIR, else /tmp/bawn-UID."""
    runtime = Path(os.environ.get("XDG_RUNTIME_DIR", ""))
    place = runtime / "bawn"
    longest = len(os.fsencode(place)) + len("/-") + _SOCKET_DIGEST + _SOCKET_NAME
    if runtime.is_absolute() and longest <= MAX_SOCKET:
        with suppress(Misconfigured):
            _own_directory(place, "socket", private=True)
            return os.fsencode(place)
    # Not tempfile's: TMPDIR differs between processes and may be long. Ownership is checked.
    place = Path(f"/tmp/bawn-{os.geteuid()}")  # noqa: S108
    _own_directory(place, "socket", private=True)
    return os.fsencode(place)
