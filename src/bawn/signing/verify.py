"""Verification, offline: what is signed becomes trusted, or is refused with the reason.

`now` is seconds since the epoch. With `seen`, nothing older passes than what passed before; without it
(a verifier somewhere else, that has no state) only signatures, times and digests are judged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bawn.signing import canonical, times
from bawn.signing.envelope import STATEMENT, Envelope
from bawn.signing.root import Root
from bawn.signing.seen import Mark, Seen
from bawn.signing.statement import (
    ENTRY,
    LOCK,
    LOCK_SUBJECT,
    PINS,
    SIGNED_BY,
    Kind,
    Statement,
    entry_subject,
    pins_subject,
)
from bawn.signing.trusted import Quorum, Trusted, verified
from bawn.signing.unverified import Unverified


def verify_lock(
    content: bytes,
    envelopes: Sequence[Envelope],
    root: Trusted[Root],
    now: float,
    seen: Seen | None = None,
) -> Trusted[Statement]:
    """The newest of these statements that vouches for a lockfile. `content`: see `signing.lock.content`.

    The digest is that of the whole lockfile, so all its servers are vouched for together.

    Raises:
        Unverified: none of them does; the reason is that of the last one.
    """
    subjects = {LOCK_SUBJECT: canonical.digest(content)}
    trusted: list[Trusted[Statement]] = []
    refusals: list[Unverified] = []
    for each in envelopes:
        try:
            trusted.append(_judged(each, LOCK, "", root, now, seen, subjects))
        except Unverified as refusal:
            refusals.append(refusal)
    if not trusted:
        raise refusals[-1] if refusals else Unverified("missing", "the lockfile is not signed")
    newest = max(trusted, key=lambda each: each.value.version)
    _admit(newest.value, root, seen)
    return newest


def verify_pins(
    server: str,
    merkle_root: str,
    envelope: Envelope,
    root: Trusted[Root],
    now: float,
    seen: Seen | None = None,
    *,
    entry: bytes | None = None,
) -> Trusted[Statement]:
    """That reviewers vouch for the pins of a server, and for its entry in canonical form if one is given.

    Raises:
        Unverified: they do not.
    """
    subjects = {pins_subject(server): merkle_root}
    if entry is not None:
        subjects[entry_subject(server)] = canonical.digest(entry)
    return verify_statement(envelope, PINS, server, root, now, seen, subjects)


def verify_entry(
    server: str,
    entry: bytes,
    envelope: Envelope,
    root: Trusted[Root],
    now: float,
    seen: Seen | None = None,
    *,
    artifacts: Mapping[str, str] | None = None,
) -> Trusted[Statement]:
    """That publishers vouch for a registry entry, and for these artifacts by name and SHA-256.

    Raises:
        Unverified: they do not.
    """
    subjects = {entry_subject(server): canonical.digest(entry), **(artifacts or {})}
    return verify_statement(envelope, ENTRY, server, root, now, seen, subjects)


def verify_statement(
    envelope: Envelope,
    kind: Kind,
    server: str,
    root: Trusted[Root],
    now: float,
    seen: Seen | None,
    subjects: Mapping[str, str],
) -> Trusted[Statement]:
    """A statement of this kind about this server that has at least these subjects, with these digests.

    Raises:
        Unverified: it is not that, or not signed by those who have to.
    """
    trusted = _judged(envelope, kind, server, root, now, seen, subjects)
    _admit(trusted.value, root, seen)
    return trusted


def _judged(
    envelope: Envelope,
    kind: Kind,
    server: str,
    root: Trusted[Root],
    now: float,
    seen: Seen | None,
    subjects: Mapping[str, str],
) -> Trusted[Statement]:
    bound = now if seen is None else seen.bound(now)
    root.value.alive(bound)

    def quorums(statement: Statement) -> list[Quorum]:
        _about(statement, kind, server)
        return [root.value.quorum(SIGNED_BY[kind], bound, server or None)]

    def check(statement: Statement) -> None:
        _timely(statement, now, bound)
        for name, digest in subjects.items():
            if statement.subjects.get(name) != digest:
                raise Unverified("subject", f"{name} is not what was signed")

    return verified(envelope, STATEMENT, Statement.read, quorums, check)


def _about(statement: Statement, kind: Kind, server: str) -> None:
    if statement.kind != kind:
        raise Unverified("type", f"expected a statement {kind}, got {statement.kind}")
    if statement.server != server:
        raise Unverified("subject", f"expected a statement on {server}, got {statement.server}")


def _timely(statement: Statement, now: float, bound: float) -> None:
    if statement.issued > now + times.LEEWAY:
        raise Unverified("future", f"issued {times.written(statement.issued)}, by a later clock")
    if statement.expires <= now:
        raise Unverified("expired", f"expired {times.written(statement.expires)}; sign it anew")
    if statement.expires <= bound:
        raise Unverified(
            "freeze",
            f"expired {times.written(statement.expires)}, and later ones than that were seen: "
            "the clock was set back",
        )


def _admit(statement: Statement, root: Trusted[Root], seen: Seen | None) -> None:
    if seen is not None:
        mark = Mark(statement.version, statement.digest)
        seen.admit(root.value.id, statement.line, mark, statement.issued)
