"""What keeps persons out of the audit: keyed digests, and ciphertext under one key per subject.

Erasing a subject is deleting its key file in `subjects/`: everything sealed for it becomes noise, and
the chain, which is over ciphertext, stands. A running writer lets go of a key with its next segment.
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bawn.audit.entries import encode
from bawn.model import Json
from bawn.storage import StateDirectory
from bawn.storage.private import create_unsynced, locked, read_private, replace_private

KEYS_CACHED: Final = 4096
_KEY: Final = 32  # bytes
_NONCE: Final = 12  # bytes; NIST SP 800-38D, section 8.2.2: random, below 2^32 uses of a key


class KeyedDigests:
    """Keyed BLAKE2b (RFC 7693) under a key of the state directory, apart for each purpose.

    A plain digest of something short could be found by trying; this one needs the key as well.
    """

    def __init__(self, state: StateDirectory) -> None:
        self._key = state.key("audit-digests", lambda: os.urandom(32))

    def purpose(self, name: str) -> Callable[[bytes], str]:
        """A function from content to its digest in hex, unrelated to that of any other purpose."""
        begun = self.begun(name)

        def digest(content: bytes) -> str:
            state = begun()
            state.update(content)
            return state.hexdigest()

        return digest

    def begun(self, name: str) -> Callable[[], blake2b]:
        """A function to a new digest of this purpose, keyed and ready for `update`: the quick way."""
        return blake2b(digest_size=32, key=self._key, person=name.encode()).copy


class Subjects:
    """Seals and opens JSON objects under the key of a subject, who goes by a pseudonym.

    `made` hears of each new key file, which is not yet known to be on the disk: a thousand new
    subjects at once must not each wait for it.
    """

    def __init__(self, directory: Path, made: Callable[[Path], None] = lambda _: None) -> None:
        self._directory = directory
        self._made = made
        self._making = lru_cache(KEYS_CACHED)(self._make)
        self._reading = lru_cache(KEYS_CACHED)(self._read)

    def seal(self, pseudonym: str, field: str, content: Json) -> str:
        """The ciphertext of an object for one field; makes the subject's key if there is none.

        Raises:
            Misconfigured: the key cannot be read or written.
        """
        nonce = os.urandom(_NONCE)
        bound = f"{field}|{pseudonym}".encode()
        return b64encode(
            nonce + self._making(pseudonym).encrypt(nonce, encode(content), bound)
        ).decode()

    def open(self, pseudonym: str, field: str, sealed: str) -> Json | None:
        """The object, or None when it was erased: the key is gone, or is a later one.

        Raises:
            Misconfigured: the key file is there but not private.
        """
        cipher = self._reading(pseudonym)
        if cipher is None:
            return None
        try:
            raw = b64decode(sealed, validate=True)
            content = cipher.decrypt(raw[:_NONCE], raw[_NONCE:], f"{field}|{pseudonym}".encode())
        except (InvalidTag, ValueError):
            return None
        opened: Any = msgspec.json.decode(content)
        return opened if isinstance(opened, dict) else None

    def forget(self) -> None:
        """Let go of every key held, so that erased ones are gone and new ones are seen."""
        self._making.cache_clear()
        self._reading.cache_clear()

    def _make(self, pseudonym: str) -> AESGCM:
        path = self._directory / pseudonym
        try:
            key = read_private(path)
        except FileNotFoundError:
            key = os.urandom(_KEY)
            if create_unsynced(path, key):
                self._made(path)
            else:
                key = read_private(path)  # another process was quicker
        return AESGCM(key if len(key) == _KEY else self._mend(path))

    def _mend(self, path: Path) -> bytes:
        """A power loss left this key without content; what it sealed is lost already."""
        with locked(self._directory):
            key = read_private(path)
            if len(key) != _KEY:
                key = os.urandom(_KEY)
                replace_private(path, key)
            return key

    def _read(self, pseudonym: str) -> AESGCM | None:
        if not (len(pseudonym) == 32 and pseudonym.isalnum()):
            return None  # it comes from a file that may have been changed, and names a path
        try:
            key = read_private(self._directory / pseudonym)
        except FileNotFoundError:
            return None
        return AESGCM(key) if len(key) == _KEY else None
