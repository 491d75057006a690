"""Public keys: Ed25519 (RFC 8032), known by an id that is computed from the key itself.

The id is that of The Update Framework: SHA-256 of the canonical JSON of the key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from bawn.signing import canonical
from bawn.signing.unverified import Unverified

_PRIME: Final = 2**255 - 19
_ORDER: Final = 2**252 + 27742317777372353535851937790883648493
# The y coordinates of the eight points of small order: under such a key anybody can sign anything.
_SMALL: Final = frozenset(
    {
        0,
        1,
        _PRIME - 1,
        int.from_bytes(
            bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
            "little",
        ),
        int.from_bytes(
            bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
            "little",
        ),
    }
)


class KeyValue(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The key proper: 32 bytes in lower-case hex."""

    public: str


class KeyForm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A public key as it is written in a root."""

    keyval: KeyValue
    keytype: Literal["ed25519"] = "ed25519"
    scheme: Literal["ed25519"] = "ed25519"


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key of 32 bytes.

    Raises:
        Unverified: malformed: it is no such key, or one under which anybody can sign.
    """

    raw: bytes
    id: str = field(init=False)

    def __post_init__(self) -> None:
        y = int.from_bytes(self.raw, "little") & (2**255 - 1)
        if len(self.raw) != 32 or y >= _PRIME or y in _SMALL:
            raise Unverified("malformed", "expected an Ed25519 public key, and not a weak one")
        object.__setattr__(self, "id", canonical.digest(canonical.encode(self.form)))

    @classmethod
    def read(cls, text: str) -> PublicKey:
        """A key from hex.

        Raises:
            Unverified: malformed.
        """
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            raw = b""
        if raw.hex() != text:
            raise Unverified("malformed", "expected a public key in lower-case hex")
        return cls(raw)

    @classmethod
    def read_pem(cls, content: bytes) -> PublicKey:
        """A key from a file of it: PEM, SubjectPublicKeyInfo (RFC 8410).

        Raises:
            Unverified: malformed.
        """
        try:
            found = load_pem_public_key(content)
        except Exception:  # noqa: BLE001 - the library has errors of its own for each kind of key
            found = None
        if not isinstance(found, Ed25519PublicKey):
            raise Unverified(
                "malformed", "expected an Ed25519 public key in PEM (`bawn sign key new`)"
            )
        return cls(found.public_bytes_raw())

    def pem(self) -> bytes:
        """The key as a file of its own."""
        key = Ed25519PublicKey.from_public_bytes(self.raw)
        return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    @property
    def form(self) -> KeyForm:
        """The key as it is written in a root."""
        return KeyForm(KeyValue(self.raw.hex()))

    def signed(self, message: bytes, signature: bytes) -> bool:
        """Whether this is the key's signature of this message, in the one writing that it has."""
        # RFC 8032 section 5.1.7: S must be below the order, or whoever holds a signature makes a second one
        if len(signature) != 64 or int.from_bytes(signature[32:], "little") >= _ORDER:
            return False
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True
