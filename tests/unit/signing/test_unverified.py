"""A refusal has a word for programs, a sentence for the operator, and nothing for the caller."""

from __future__ import annotations

from bawn.errors import INTEGRITY_SIGNATURE
from bawn.signing.unverified import Unverified


def test_it_is_a_refusal_whose_cause_the_caller_does_not_read() -> None:
    error = Unverified("rollback", "version 3 was seen")
    assert (error.why, error.detail) == ("rollback", "rollback: version 3 was seen")
    assert error.reason is INTEGRITY_SIGNATURE
    assert error.message == INTEGRITY_SIGNATURE.message
