"""Only what enough keys have signed, and what was found good, is trusted."""

from __future__ import annotations

import pytest

from bawn.signing.envelope import Envelope
from bawn.signing.trusted import Quorum, Trusted, verified
from bawn.signing.unverified import Unverified
from tests.signers import person, refused, sign

KEYS = {person(name).public.id: person(name).public for name in ("rita", "rob")}
ENVELOPE = sign(Envelope(b"yes", "text"), "rita", "rob")


def accept(envelope: Envelope, quorum: Quorum, kind: str = "text") -> Trusted[str]:
    def check(value: str) -> None:
        if value != "yes":
            raise Unverified("subject", "not yes")

    return verified(envelope, kind, bytes.decode, lambda _: [quorum], check)


@pytest.mark.parametrize("threshold", [1, 2])
def test_what_enough_have_signed_is_trusted_with_all_who_did(threshold: int) -> None:
    trusted = accept(ENVELOPE, Quorum("reader", KEYS, threshold))
    assert trusted.value == "yes"
    assert trusted.signers == set(KEYS)


def test_what_is_not_good_is_not_trusted_whoever_signed() -> None:
    bad = sign(Envelope(b"no", "text"), "rita", "rob")
    refused("subject", lambda: accept(bad, Quorum("reader", KEYS, 2)))


def test_every_quorum_has_to_be_reached() -> None:
    one = Quorum("first", KEYS, 2)
    other = Quorum("second", {person("otto").public.id: person("otto").public}, 1)
    refused(
        "unknown key",
        lambda: verified(ENVELOPE, "text", bytes.decode, lambda _: [one, other], lambda _: None),
    )


def test_the_refusal_names_the_role_the_count_and_the_keys_that_do_not_count() -> None:
    told = refused("threshold", lambda: accept(sign(Envelope(b"yes", "text"), "rita"),
                                               Quorum("reader", KEYS, 2)))  # fmt: skip
    assert "reader: 1 of 2 signatures needed" in told
    unfit = {person("rob").public.id: "(rob) expired 2026-01-01T00:00:00Z"}
    rita = {person("rita").public.id: person("rita").public}
    told = refused("expired", lambda: accept(ENVELOPE, Quorum("reader", rita, 2, unfit)))
    assert "(rob) expired" in told
