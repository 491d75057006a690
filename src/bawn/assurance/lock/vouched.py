"""Who vouches for a lockfile, and until when; without a state, as everywhere outside of the gate."""

from __future__ import annotations

from typing import Final

from bawn.assurance.lock.contents import NAME
from bawn.assurance.lock.reading import Lock
from bawn.findings.finding import Finding
from bawn.signing import chain, times
from bawn.signing import lock as signing
from bawn.signing.root import names
from bawn.signing.unverified import Unverified

SOON: Final = 14 * 86_400.0
"""Seconds before its end from which on a signature is said to expire."""


def vouched(lock: Lock, root: bytes, now: float) -> Finding:
    """Whether those who have to have signed a lockfile. `root` is the content of the trust root's file."""
    try:
        trusted = chain.load(root, now)
        statement = signing.verify(lock.tree, trusted, now)
    except Unverified as error:
        kind = "expired" if error.why == "expired" else "signature"
        fix = "`bawn sign lock` signs it"
        return Finding("error", f"lock/{kind}", "", NAME, 0, error.detail, fix)
    who, ends = ", ".join(names(trusted, statement.signers)), statement.value.expires
    until = times.written(ends)
    if ends - now < SOON:
        told, fix = f"signed by {who}, which expires {until}", "Sign it anew with `bawn sign lock`"
        return Finding("note", "lock/expires", "", NAME, 0, told, fix)
    return Finding("note", "lock/signed", "", NAME, 0, f"signed by {who}, until {until}")
