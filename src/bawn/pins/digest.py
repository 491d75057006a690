"""The digest of a definition, which is found again at little cost while the definition stays as it is."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

import msgspec

from bawn.model import Json
from bawn.pins.canonical import LARGEST, Uncanonical, canonical
from bawn.pins.record import Aspect

_REMEMBERED: Final = 32_768
"""Definitions whose digest is remembered, 300 bytes each."""


def digest(aspect: Aspect, definition: Json) -> str:
    """SHA-256, in hex, of the canonical form.

    Raises:
        Uncanonical: there is none.
    """
    return sha256(canonical(aspect, definition)).hexdigest()


class Digests:
    """Digests of definitions, remembered by what they were made of: the same lists come every minute.

    `most` bounds how many; those that were not asked for of late go first.
    """

    def __init__(self, most: int = _REMEMBERED) -> None:
        self._half = max(1, most // 2)
        self._young: dict[bytes, str | Uncanonical] = {}
        self._old: dict[bytes, str | Uncanonical] = {}

    def of(self, aspect: Aspect, definition: Json) -> str:
        """The digest of a definition.

        Raises:
            Uncanonical: it has none, or takes more than LARGEST bytes as it is.
        """
        try:
            raw = msgspec.json.encode(definition)
        except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError, ValueError):
            return digest(aspect, definition)  # which says what is wrong with it
        if len(raw) > LARGEST:
            raise Uncanonical(f"it is larger than {LARGEST} bytes")
        key = sha256(b"%b %b" % (aspect.encode(), raw)).digest()
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key) or _try(aspect, definition)
            self._remember(key, found)
        if isinstance(found, Uncanonical):
            raise Uncanonical(*found.args)
        return found

    def _remember(self, key: bytes, found: str | Uncanonical) -> None:
        if len(self._young) >= self._half:
            self._old, self._young = self._young, {}
        self._young[key] = found


def _try(aspect: Aspect, definition: Json) -> str | Uncanonical:
    try:
        return digest(aspect, definition)
    except Uncanonical as error:
        return error.with_traceback(None)
