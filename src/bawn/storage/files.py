"""One private file for each server: what cannot be read of one harms no other."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Generic, TypeVar

import msgspec

from bawn.errors import INTEGRITY_STORE, Misconfigured, Refused
from bawn.storage.private import locked, read_private, replace_private

LARGEST: Final = 256 << 20
"""Bytes of one file: ten thousand tools with their definitions, approved and waiting, take a tenth."""

KNOWN: Final = "known"
"""The file with the list of servers of which there is a value, one on each line."""

HELD: Final = 1_024
"""Servers whose value is held in memory by `current`."""

T = TypeVar("T")


class ServerFiles(Generic[T]):
    """Values of one type by server id, each in `DIRECTORY/ID.json`, private and replaced as a whole.

    A list beside them says for which servers there is one, so that a file that is lost is not taken for
    one that never was.
    """

    def __init__(self, directory: Path, kind: type[T]) -> None:
        self._directory = directory
        self._decode = msgspec.json.Decoder(kind).decode
        self._held: dict[str, tuple[object, T | None]] = {}

    def path(self, server: str) -> Path:
        """Where the value of this server is."""
        return self._directory / f"{server}.json"

    def read(self, server: str) -> T | None:
        """The value of this server; None when there never was one.

        Raises:
            Refused: integrity.store: it is lost, torn, of another format, or not private.
        """
        try:
            return self._decode(read_private(self.path(server), LARGEST))
        except FileNotFoundError:
            if server in self.known():
                raise self._unreadable(server, "it is not there any more") from None
            return None
        except (
            OSError,
            Misconfigured,
            msgspec.MsgspecError,
            UnicodeError,
            RecursionError,
        ) as error:
            raise self._unreadable(server, str(error)) from None

    def current(self, server: str) -> T | None:
        """As `read`, but a file that was not replaced since is not read again.

        Raises:
            Refused: integrity.store.
        """
        stamp = self.stamp(server)
        held = self._held.get(server)
        if held is not None and stamp is not None and held[0] == stamp:
            return held[1]
        value = self.read(server)
        if len(self._held) >= HELD:
            self._held.clear()
        self._held[server] = (stamp, value)
        return value

    def known(self) -> frozenset[str]:
        """The servers of which there is a value.

        Raises:
            Refused: integrity.store.
        """
        try:
            return frozenset(read_private(self._directory / KNOWN).decode().split())
        except FileNotFoundError:
            return frozenset()
        except (OSError, Misconfigured, UnicodeError) as error:
            raise self._unreadable(KNOWN, str(error)) from None

    def update(self, server: str, change: Callable[[T | None], T | None]) -> T | None:
        """Replace a value by what `change` makes of it, alone over all processes; None leaves it as it is.

        Raises:
            Refused: integrity.store: it cannot be read or written; nothing was changed.
        """
        try:
            with locked(self._directory):
                value = change(self.read(server))
                if value is not None:
                    content = msgspec.json.encode(value)
                    if len(content) > LARGEST:  # nobody could read it any more
                        raise self._unreadable(server, "it would be too large")
                    self._note(self.known() | {server})
                    replace_private(self.path(server), content)
        except Misconfigured as error:
            raise self._unreadable(server, str(error)) from None
        return value

    def remove(self, server: str) -> None:
        """Forget a server, whatever its file holds.

        Raises:
            Refused: integrity.store: the list of servers cannot be written.
        """
        try:
            with locked(self._directory):
                self._note(self.known() - {server})
                with suppress(FileNotFoundError):
                    self.path(server).unlink()
        except (OSError, Misconfigured) as error:
            raise self._unreadable(server, str(error)) from None

    def stamp(self, server: str) -> tuple[int, int, int] | None:
        """What differs when the file was replaced; None when there is none."""
        try:
            found = self.path(server).stat()
        except OSError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _note(self, servers: frozenset[str]) -> None:
        if servers != self.known():
            content = "".join(f"{each}\n" for each in sorted(servers))
            replace_private(self._directory / KNOWN, content.encode())

    def _unreadable(self, server: str, why: str) -> Refused:
        return Refused(INTEGRITY_STORE, detail=f"{self.path(server)}: {why}")
