"""The signatures of a lockfile: its member `signatures`, a list of DSSE envelopes.

What is signed is the digest of the canonical form (RFC 8785) of the lockfile without that member.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from bawn.model import Json
from bawn.signing import canonical
from bawn.signing.envelope import Envelope
from bawn.signing.private import PrivateKey
from bawn.signing.proposal import LIFETIME, propose, signed
from bawn.signing.root import Root
from bawn.signing.seen import Seen
from bawn.signing.statement import LOCK, LOCK_SUBJECT, Statement
from bawn.signing.trusted import Trusted
from bawn.signing.unverified import Unverified
from bawn.signing.verify import verify_lock

SIGNATURES: Final = "signatures"
ENVELOPES: Final = 16
"""The most envelopes of one lockfile; `sign` leaves one."""


def read(content: bytes) -> Json:
    """A lockfile from its bytes; not what is in it.

    Raises:
        Unverified: malformed: not one JSON object that has a single meaning.
    """
    tree = canonical.read(content, LOCK_SUBJECT)
    if not isinstance(tree, dict):
        raise Unverified("malformed", "expected a lockfile: a JSON object")
    return tree


def content(lock: Json) -> bytes:
    """What is signed of a lockfile.

    Raises:
        Unverified: malformed: it has no canonical form.
    """
    signed = {name: value for name, value in lock.items() if name != SIGNATURES}
    try:
        return canonical.form(signed)
    except (ValueError, RecursionError) as error:
        raise Unverified("malformed", f"the lockfile has no canonical form: {error}") from None


def envelopes(lock: Json) -> tuple[Envelope, ...]:
    """The envelopes of a lockfile, of which nothing is verified.

    Raises:
        Unverified: malformed.
    """
    found = lock.get(SIGNATURES, [])
    if not isinstance(found, list) or len(found) > ENVELOPES:
        raise Unverified(
            "malformed", f"expected `signatures` to be a list of at most {ENVELOPES} envelopes"
        )
    return tuple(map(Envelope.read, found))


def proposal(lock: Json, now: float, lifetime: float = LIFETIME) -> Envelope:
    """What the next one signs, with the signatures that others gave to the same content.

    Raises:
        Unverified: malformed.
    """
    subjects = {LOCK_SUBJECT: canonical.digest(content(lock))}
    return propose(LOCK, "", subjects, envelopes(lock), now, lifetime)


def sign(lock: Json, keys: Sequence[PrivateKey], now: float, lifetime: float = LIFETIME) -> Json:
    """The lockfile with the signatures of these keys as well; those of other content are dropped.

    Raises:
        Unverified: malformed.
    """
    return {**lock, SIGNATURES: [signed(proposal(lock, now, lifetime), keys).json()]}


def verify(
    lock: Json, root: Trusted[Root], now: float, seen: Seen | None = None
) -> Trusted[Statement]:
    """That reviewers vouch for this lockfile, all of it. `now`: seconds since the epoch.

    Raises:
        Unverified: they do not.
    """
    return verify_lock(content(lock), envelopes(lock), root, now, seen)
