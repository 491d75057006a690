"""A public key is known by what it is."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.signer._key import SSlibKey

from bawn.signing.keys import PublicKey
from bawn.signing.unverified import Unverified
from tests.signers import person

# RFC 8032 section 7.1, test 2.
SEED = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
PUBLIC = "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
SIGNATURE = (
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)


def test_a_signature_of_the_rfc_is_one() -> None:
    key = PublicKey.read(PUBLIC)
    assert key.signed(b"\x72", bytes.fromhex(SIGNATURE))
    assert not key.signed(b"\x73", bytes.fromhex(SIGNATURE))
    own = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SEED)).public_key()
    assert own.public_bytes_raw() == key.raw


def test_the_id_is_the_one_that_other_implementations_compute() -> None:
    key = Ed25519PrivateKey.from_private_bytes(bytes.fromhex(SEED)).public_key()
    assert PublicKey.read(PUBLIC).id == SSlibKey.from_crypto(key, scheme="ed25519").keyid


def test_a_key_is_read_from_the_file_that_it_makes() -> None:
    key = person("rita").public
    assert PublicKey.read_pem(key.pem()) == key


@pytest.mark.parametrize(
    "text", ["", "zz", PUBLIC[:-2], PUBLIC + "00", PUBLIC.upper(), f" {PUBLIC}"]
)
def test_other_text_is_no_key(text: str) -> None:
    with pytest.raises(Unverified, match="malformed"):
        PublicKey.read(text)


def test_keys_of_other_kinds_are_refused() -> None:
    form = Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
    others = (
        ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(*form),
        x25519.X25519PrivateKey.generate().public_key().public_bytes(*form),
        b"",
        b"-----BEGIN PUBLIC KEY-----\n",
    )
    for content in others:
        with pytest.raises(Unverified, match="expected an Ed25519 public key"):
            PublicKey.read_pem(content)
