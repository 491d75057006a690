"""Who signs after others joins their statement if it says the same, else begins a newer one."""

from __future__ import annotations

import pytest

from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.proposal import LIFETIME, propose, signed
from bawn.signing.statement import LOCK, Statement
from tests.signers import DAY, MERKLE, NOW, person

SUBJECTS = {"bawn.lock": MERKLE}
FIRST = signed(propose(LOCK, "", SUBJECTS, [], NOW), [person("rita")])


def version(envelope: Envelope) -> int:
    return Statement.read(envelope.payload).version


def test_the_same_is_joined() -> None:
    assert propose(LOCK, "", SUBJECTS, [FIRST], NOW + DAY) == FIRST


def test_something_else_is_a_newer_version_without_the_old_signatures() -> None:
    other = propose(LOCK, "", {"bawn.lock": "00" * 32}, [FIRST], NOW)
    assert version(other) == version(FIRST) + 1
    assert other.signatures == ()


@pytest.mark.parametrize("clock", [0, -60])
def test_versions_rise_though_two_sign_within_a_second_or_by_a_slower_clock(clock: int) -> None:
    other = propose(LOCK, "", {"bawn.lock": "00" * 32}, [FIRST], NOW + clock)
    assert version(other) > version(FIRST)


def test_what_has_expired_is_signed_anew() -> None:
    later = propose(LOCK, "", SUBJECTS, [FIRST], NOW + LIFETIME)
    assert version(later) == int(NOW + LIFETIME)


def test_what_lasts_longer_than_one_would_say_is_not_joined() -> None:
    assert propose(LOCK, "", SUBJECTS, [FIRST], NOW, 30 * DAY) != FIRST


def test_what_cannot_be_read_is_passed_over() -> None:
    junk = [Envelope(b"junk", STATEMENT), Envelope(FIRST.payload, "text/plain")]
    assert propose(LOCK, "", SUBJECTS, junk, NOW).signatures == ()
