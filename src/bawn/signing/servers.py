"""What is signed about one server: its pins (by reviewers), and its registry entry (by publishers).

Each returns what the next one signs; `proposal.signed` puts signatures on it.
"""

from __future__ import annotations

from collections.abc import Mapping

from bawn.signing import canonical
from bawn.signing.envelope import Envelope
from bawn.signing.proposal import LIFETIME, propose
from bawn.signing.statement import ENTRY, PINS, entry_subject, pins_subject


def pins_proposal(
    server: str,
    merkle_root: str,
    now: float,
    *,
    entry: bytes | None = None,
    before: Envelope | None = None,
    lifetime: float = LIFETIME,
) -> Envelope:
    """That the pins of a server have this Merkle root (hex), and its entry this canonical form.

    `before` is the envelope that is there; its signatures stay if it says the same.

    Raises:
        Unverified: malformed.
    """
    subjects = {pins_subject(server): merkle_root}
    if entry is not None:
        subjects[entry_subject(server)] = canonical.digest(entry)
    return propose(PINS, server, subjects, [before] if before else [], now, lifetime)


def entry_proposal(
    server: str,
    entry: bytes,
    now: float,
    *,
    artifacts: Mapping[str, str] | None = None,
    before: Envelope | None = None,
    lifetime: float = LIFETIME,
) -> Envelope:
    """That a registry entry has this canonical form, and artifacts, by name, this SHA-256 in hex.

    Raises:
        Unverified: malformed.
    """
    subjects = {entry_subject(server): canonical.digest(entry), **(artifacts or {})}
    return propose(ENTRY, server, subjects, [before] if before else [], now, lifetime)
