"""The trust status: verified, failed, and never clean for want of a look."""

from __future__ import annotations

from bawn.signing.evidence import evidence
from bawn.signing.unverified import Unverified
from tests.signers import NOW, ROOT, SIGNED, verify


def test_what_is_signed_is_verified_with_who_and_until_when() -> None:
    found = evidence(verify(SIGNED), NOW, "root", ROOT)
    assert (found.dimension, found.verdict, found.of) == ("signature", "verified", "root")
    assert found.detail == "signed by rita, rob, until 2027-04-15T08:00:00Z"
    assert "2 keys" in evidence(verify(SIGNED), NOW).detail


def test_what_is_refused_has_failed_with_the_reason() -> None:
    found = evidence(Unverified("rollback", "version 3 was seen"), NOW)
    assert (found.verdict, found.detail) == ("failed", "rollback: version 3 was seen")


def test_what_nobody_signed_or_nobody_could_verify_is_unmeasured() -> None:
    assert evidence(Unverified("missing", "x"), NOW).verdict == "unmeasured"
    assert evidence(None, NOW).verdict == "unmeasured"
