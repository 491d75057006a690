"""The line of roots: each version is signed by the keys of the one before and by its own.

The file of it holds every version from the first, so that it can be verified anywhere, offline:
{"roots": [DSSE envelope of version 1, of version 2, …]}.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from bawn.signing import canonical, times
from bawn.signing.envelope import Envelope
from bawn.signing.root import PAYLOAD, Root
from bawn.signing.seen import Seen
from bawn.signing.trusted import Quorum, Trusted, verified
from bawn.signing.unverified import Unverified

ROOTS: Final = 1024
"""The most versions of one root."""

LARGEST: Final = 16 << 20  # bytes of the file


def read(content: bytes) -> tuple[Envelope, ...]:
    """The envelopes of a file of roots.

    Raises:
        Unverified: malformed.
    """
    if len(content) > LARGEST:
        raise Unverified("malformed", f"the trust root is larger than {LARGEST} bytes")
    tree = canonical.read(content, "the trust root")
    roots = tree.get("roots") if isinstance(tree, dict) else None
    if not isinstance(roots, list) or not 1 <= len(roots) <= ROOTS:
        raise Unverified("malformed", 'expected a trust root: {"roots": [envelopes]}')
    return tuple(map(Envelope.read, roots))


def write(envelopes: Sequence[Envelope]) -> bytes:
    """The content of a file with these roots."""
    return json.dumps({"roots": [each.json() for each in envelopes]}, indent=1).encode() + b"\n"


def load(content: bytes, now: float, seen: Seen | None = None) -> Trusted[Root]:
    """The newest root of a file, verified from its first version on.

    With `seen`, it also has to continue the line that was trusted before. `now`: seconds since the epoch.

    Raises:
        Unverified: it is not to be trusted.
    """
    line = history(read(content), now)
    newest = line[-1].value
    bound = now if seen is None else seen.bound(now)
    newest.alive(bound)
    if newest.issued > now + times.LEEWAY:
        raise Unverified(
            "future", f"the trust root was issued {newest.form.issued}, by a later clock"
        )
    if seen is not None:
        seen.admit_root([each.value for each in line])
    return line[-1]


def history(envelopes: Sequence[Envelope], now: float) -> list[Trusted[Root]]:
    """Every version of a line, verified; expiry is for whoever uses the last one to judge.

    Raises:
        Unverified: a version is not signed as it has to be, or is not the next one.
    """
    line: list[Trusted[Root]] = []
    for each in envelopes:
        line.append(_next(each, line[-1] if line else None, now))
    if not line:
        raise Unverified("missing", "there is no trust root")
    return line


def _next(envelope: Envelope, before: Trusted[Root] | None, now: float) -> Trusted[Root]:
    old = before.value if before else None

    def quorums(root: Root) -> list[Quorum]:
        wanted = [root.quorum("organisation", now)]
        return wanted if old is None else [old.quorum("organisation", now), *wanted]

    def check(root: Root) -> None:
        expected = 1 if old is None else old.form.version + 1
        if root.form.version != expected:
            raise Unverified(
                "rollback",
                f"expected version {expected} of the trust root, got {root.form.version}",
            )

    return verified(
        envelope,
        PAYLOAD,
        lambda payload: Root.read(payload, old.id if old else None),
        quorums,
        check,
    )
