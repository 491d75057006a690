"""The sealing keys: a ring of them, newest first, so that a key can be changed without ending sessions."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

import msgspec

from bawn.errors import Misconfigured
from bawn.storage.private import locked, read_private, replace_private

NAME: Final = "sealing"
_KEY: Final = 32  # bytes


class _Entry(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A key (base64 in the file) and when it was made, in seconds since the epoch."""

    made: float
    key: bytes


_decode: Final = msgspec.json.Decoder(tuple[_Entry, ...]).decode
_encode: Final = msgspec.json.Encoder().encode


class Ring:
    """The ring in this directory of keys. It is read anew at each call; the caller keeps what it uses.

    Raises:
        Misconfigured: from every method, when the file is not private, not a ring, or cannot be written.
    """

    def __init__(self, keys: Path) -> None:
        self._path = keys / NAME

    def keys(self, now: float) -> list[bytes]:
        """The keys, newest first: the first one seals, all open. Makes the first one ever."""
        return [entry.key for entry in self._entries(now)]

    def made(self) -> list[float]:
        """When each key was made, newest first, in seconds since the epoch; none before the first."""
        return [entry.made for entry in self._read(0.0) or ()]

    def due(self, now: float, every: float) -> bool:
        """Whether the first key has served for `every` seconds."""
        return now - self._entries(now)[0].made >= every

    def rotate(self, now: float, *, keep: float) -> None:
        """Make a new first key; drop those that were superseded more than `keep` seconds ago."""
        with locked(self._path.parent):
            old = self._read(now) or ()
            # each was superseded when the one before it was made; the first one is only now
            superseded = (now, *(entry.made for entry in old))
            kept = [
                entry for entry, since in zip(old, superseded, strict=False) if now - since <= keep
            ]
            self._write([_new(now), *kept])

    def forget(self, now: float) -> None:
        """Drop all keys and make a new one: whatever was sealed is dead."""
        with locked(self._path.parent):
            self._write([_new(now)])

    def _entries(self, now: float) -> tuple[_Entry, ...]:
        entries = self._read(now)
        if entries is not None:
            return entries
        with locked(self._path.parent):
            entries = self._read(now)
            if entries is None:
                entries = (_new(now),)
                self._write(list(entries))
            return entries

    def _read(self, now: float) -> tuple[_Entry, ...] | None:
        try:
            content = read_private(self._path)
        except FileNotFoundError:
            return None
        if len(content) == _KEY:  # as releases before this one wrote it
            return (_Entry(min(now, self._path.stat().st_mtime), content),)
        try:
            entries = _decode(content)
        except msgspec.DecodeError:
            entries = ()
        if not entries or any(len(entry.key) != _KEY for entry in entries):
            raise Misconfigured(
                f"{self._path}: not a ring of keys; expected what bawn wrote there: put it back from "
                "a backup, or remove it, which ends every session, and start again"
            )
        return entries

    def _write(self, entries: list[_Entry]) -> None:
        replace_private(self._path, _encode(entries))


def _new(now: float) -> _Entry:
    return _Entry(now, os.urandom(_KEY))
