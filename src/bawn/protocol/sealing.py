"""Sealed handles: state that travels through other hands and comes back unread and unchanged.

AES-256-GCM under a key ring: the first key seals, every key opens. The purpose is bound in, so that
a handle of one kind never serves as another.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Callable, Sequence
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bawn.model import Json

_KEY_ID: Final = 4
_NONCE: Final = 12
_LONGEST: Final = 128 << 10  # a cursor holds a name, which may be a long URI


class Unsealed(ValueError):
    """Not a handle of this purpose from this key ring."""


class Sealer:
    """Seals and opens handles; `nonce` gives 12 fresh random bytes at each call."""

    def __init__(self, keys: Sequence[bytes], nonce: Callable[[], bytes]) -> None:
        self._nonce = nonce
        self.use(keys)

    def use(self, keys: Sequence[bytes]) -> None:
        """Seal and open with these keys from here on."""
        if not keys:
            raise ValueError("a key ring needs at least one key")
        ring = [
            (hashlib.sha256(b"bawn key id" + key).digest()[:_KEY_ID], AESGCM(key)) for key in keys
        ]
        self._current, self._aead = ring[0]
        self._ring = dict(ring)

    def seal(self, purpose: str, content: Json) -> str:
        """A handle in URL-safe ASCII."""
        nonce = self._nonce()
        sealed = self._aead.encrypt(nonce, msgspec.json.encode(content), purpose.encode())
        return _text(self._current + nonce + sealed)

    def open(self, purpose: str, handle: str) -> Json:
        """What was sealed for this purpose.

        Raises:
            Unsealed: for anything else, without a word of why.
        """
        if len(handle) > _LONGEST:
            raise Unsealed
        try:
            raw = base64.b64decode(handle + "=" * (-len(handle) % 4), altchars=b"-_", validate=True)
            if _text(raw) != handle:  # base64 has several spellings of the same bytes
                raise Unsealed
            aead = self._ring[raw[:_KEY_ID]]
            nonce, sealed = raw[_KEY_ID : _KEY_ID + _NONCE], raw[_KEY_ID + _NONCE :]
            content = msgspec.json.decode(aead.decrypt(nonce, sealed, purpose.encode()))
        except (KeyError, ValueError, binascii.Error, InvalidTag, msgspec.MsgspecError) as error:
            raise Unsealed from error
        if not isinstance(content, dict):
            raise Unsealed
        return content


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")
