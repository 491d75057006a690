"""What the next one signs: the statement that others have signed of the same, or a new one.

Versions are the time of signing in seconds: they rise whoever signs, on whatever machine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bawn.signing import times
from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.private import PrivateKey
from bawn.signing.statement import Kind, Statement
from bawn.signing.unverified import Unverified

LIFETIME: Final = 90 * 86_400.0
"""Seconds that a statement counts, if nothing else is said: by then somebody has looked again."""


def propose(
    kind: Kind,
    server: str,
    subjects: Mapping[str, str],
    known: Iterable[Envelope],
    now: float,
    lifetime: float = LIFETIME,
) -> Envelope:
    """An envelope that says this: one of those `known`, with its signatures, or a new one without any.

    Raises:
        Unverified: malformed: a name, digest or time is not what a reader would take.
    """
    fresh = Statement(kind, subjects, int(now), int(now), int(now + lifetime), server)
    version = fresh.version
    for envelope in known:
        old = _statement(envelope)
        # nobody's, or a version that would leave none for those who come after
        if old is None or old.line != fresh.line or old.version > now + times.LEEWAY:
            continue
        if _still(old, fresh, now):
            return envelope
        version = max(version, old.version + 1)
    fresh = Statement(kind, subjects, version, fresh.issued, fresh.expires, server)
    return Envelope(fresh.payload(), STATEMENT)


def signed(envelope: Envelope, keys: Sequence[PrivateKey]) -> Envelope:
    """The envelope with the signatures of these keys as well.

    Raises:
        Unverified: malformed: there would be too many.
    """
    return envelope.joined(key.sign(envelope) for key in keys)


def _statement(envelope: Envelope) -> Statement | None:
    try:
        return Statement.read(envelope.payload) if envelope.payload_type == STATEMENT else None
    except Unverified:
        return None


def _still(old: Statement, fresh: Statement, now: float) -> bool:
    """Whether one may join in: it says the same, is alive, and for no longer than one would say."""
    return (
        dict(old.subjects) == dict(fresh.subjects)
        and old.issued <= now + times.LEEWAY
        and now < old.expires <= fresh.expires + times.LEEWAY
    )
