"""Private keys lie in files for their owner alone, under a passphrase if they want one."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from bawn.errors import Misconfigured
from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.private import LockedError, PrivateKey
from tests.signers import person


def test_a_key_comes_back_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    key = PrivateKey.generate()
    key.write(path)
    assert PrivateKey.read(path).public == key.public
    assert path.stat().st_mode & 0o777 == 0o600
    envelope = Envelope(b"x", STATEMENT)
    assert key.public.signed(envelope.signed, PrivateKey.read(path).sign(envelope).value)


def test_a_passphrase_is_needed_and_has_to_be_the_right_one(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    person("rita").write(path, b"correct horse")
    assert b"ENCRYPTED" in path.read_bytes()
    assert PrivateKey.read(path, b"correct horse").public == person("rita").public
    with pytest.raises(LockedError, match="--passphrase"):
        PrivateKey.read(path)
    with pytest.raises(Misconfigured, match="another passphrase") as wrong:
        PrivateKey.read(path, b"wrong battery")
    assert "battery" not in str(wrong.value)


def test_a_passphrase_for_a_key_without_one_is_said_to_be_too_much(tmp_path: Path) -> None:
    person("rita").write(tmp_path / "a.key")
    with pytest.raises(Misconfigured, match="has no passphrase"):
        PrivateKey.read(tmp_path / "a.key", b"x")


def test_a_missing_file_and_other_content_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="bawn sign key new"):
        PrivateKey.read(tmp_path / "none")
    (tmp_path / "junk").write_bytes(b"junk")
    (tmp_path / "junk").chmod(0o600)
    with pytest.raises(Misconfigured, match="not a PEM private key"):
        PrivateKey.read(tmp_path / "junk")
    other = x25519.X25519PrivateKey.generate()
    (tmp_path / "x").write_bytes(
        other.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    (tmp_path / "x").chmod(0o600)
    with pytest.raises(Misconfigured, match="expected an Ed25519 key"):
        PrivateKey.read(tmp_path / "x")


def test_a_directory_that_is_not_there_is_said_to_be_so(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be written"):
        person("rita").write(tmp_path / "none" / "a.key")


def test_what_is_shown_is_whose_key_it_is() -> None:
    assert repr(person("rita")) == f"<private key of {person('rita').public.id}>"
