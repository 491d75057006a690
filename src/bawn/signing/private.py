"""Private keys: files for their owner alone, with a passphrase or without."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from bawn.errors import Misconfigured
from bawn.signing.envelope import Envelope, Signature
from bawn.signing.keys import PublicKey
from bawn.storage.private import create_unsynced, open_private, read_private

_LARGEST: Final = 16 << 10  # bytes of a key file


class PrivateKey:
    """A key that signs. It is never shown: neither printed, logged nor pickled."""

    __slots__ = ("_key", "public")

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.public = PublicKey(key.public_key().public_bytes_raw())

    @classmethod
    def generate(cls) -> PrivateKey:
        """A new key."""
        return cls(Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, path: Path, passphrase: bytes | None = None) -> PrivateKey:
        """The key of a file: PEM, PKCS #8.

        Raises:
            LockedError: it needs a passphrase, and there is none.
            Misconfigured: there is no such file, others can read it, or it holds no such key.
        """
        try:
            content = read_private(path, _LARGEST)
        except FileNotFoundError:
            raise Misconfigured(
                f"{path}: no such file; expected a private key: `bawn sign key new` makes one"
            ) from None
        return cls(_opened(path, content, passphrase))

    def write(self, path: Path, passphrase: bytes | None = None) -> None:
        """Put the key in a file of mode 0600; one that is there already is left alone.

        Raises:
            Misconfigured: there is a file already, or it cannot be written.
        """
        cipher: KeySerializationEncryption = NoEncryption()
        if passphrase is not None:
            cipher = BestAvailableEncryption(passphrase)
        content = self._key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, cipher)
        if not create_unsynced(path, content):
            raise Misconfigured(f"{path}: there is a file already, and it was left alone")
        for each, flags in ((path, os.O_RDONLY), (path.parent, os.O_RDONLY | os.O_DIRECTORY)):
            descriptor = open_private(each, flags)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def sign(self, envelope: Envelope) -> Signature:
        """This key's signature of what the envelope holds."""
        return Signature(self.public.id, self._key.sign(envelope.signed))

    def __repr__(self) -> str:
        return f"<private key of {self.public.id}>"

    def __reduce__(self) -> str:
        raise TypeError("a private key is not copied or pickled")


class LockedError(Misconfigured):
    """The key file has a passphrase, and none was given."""


def _opened(path: Path, content: bytes, passphrase: bytes | None) -> Ed25519PrivateKey:
    try:
        key = load_pem_private_key(content, passphrase)
    except TypeError:
        if passphrase is None:
            raise LockedError(f"{path}: has a passphrase; give it with --passphrase") from None
        raise Misconfigured(f"{path}: has no passphrase, and one was given") from None
    except Exception:  # noqa: BLE001 - the library has errors of its own for each kind of key
        wrong = "not a PEM private key" + (", or another passphrase" if passphrase else "")
        raise Misconfigured(f"{path}: {wrong}; expected a key of `bawn sign key new`") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured(f"{path}: expected an Ed25519 key, as `bawn sign key new` makes them")
    return key
