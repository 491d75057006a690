"""DSSE envelopes: our own are read by others, theirs by us, and there is one form of each."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from securesystemslib.dsse import Envelope as Reference
from securesystemslib.signer._key import Key, SSlibKey

from bawn.signing.envelope import SIGNATURES, STATEMENT, Envelope, Signature
from bawn.signing.unverified import Unverified
from tests.signers import person, sign


def test_the_encoding_is_that_of_the_specifications_example() -> None:
    envelope = Envelope(b"hello world", "http://example.com/HelloWorld")
    assert envelope.signed == b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"


@given(st.binary(max_size=64), st.text(st.characters(codec="utf-8"), max_size=20))
def test_the_encoding_is_that_of_the_reference(payload: bytes, kind: str) -> None:
    assert Envelope(payload, kind).signed == Reference(payload, kind, {}).pae()


def test_the_reference_verifies_what_is_signed_here() -> None:
    envelope = sign(Envelope(b"{}", STATEMENT), "rita", "rob")
    keys: list[Key] = [
        SSlibKey.from_dict(
            person(name).public.id,
            {
                "keytype": "ed25519",
                "scheme": "ed25519",
                "keyval": {"public": person(name).public.raw.hex()},
            },
        )
        for name in ("rita", "rob")
    ]
    accepted = Reference.from_dict(envelope.json()).verify(keys, 2)
    assert set(accepted) == {person("rita").public.id, person("rob").public.id}


@given(st.binary(max_size=64), st.lists(st.binary(max_size=64), max_size=4))
def test_what_is_written_is_read_again(payload: bytes, values: list[bytes]) -> None:
    signatures = tuple(Signature(f"{n}", value) for n, value in enumerate(values))
    envelope = Envelope(payload, STATEMENT, signatures)
    assert Envelope.read(envelope.json()) == envelope


def test_members_that_the_specification_does_not_know_are_left_out() -> None:
    tree = {**Envelope(b"x", STATEMENT).json(), "extra": 1}
    assert "extra" not in Envelope.read(tree).json()


def test_signing_again_replaces_the_older_signature_of_the_same_key() -> None:
    envelope = sign(sign(Envelope(b"{}", STATEMENT), "rita"), "rita", "rob")
    assert [each.key for each in envelope.signatures] == [
        person("rita").public.id,
        person("rob").public.id,
    ]


def test_there_are_not_more_signatures_than_a_reader_takes() -> None:
    many = tuple(Signature(f"{n}", b"") for n in range(SIGNATURES))
    envelope = Envelope(b"", STATEMENT, many)
    with pytest.raises(Unverified, match="at most 64"):
        sign(envelope, "rita")
