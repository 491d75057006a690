"""What is known of the trust that a server deserves, question by question. "Unmeasured" is never "clean"."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import msgspec

Dimension: TypeAlias = Literal[
    "publisher", "provenance", "signature", "pin", "scan", "vulnerabilities", "drift"
]
Verdict: TypeAlias = Literal["verified", "failed", "unmeasured"]

DIMENSIONS: Final[tuple[Dimension, ...]] = (
    "publisher", "provenance", "signature", "pin", "scan", "vulnerabilities", "drift",
)  # fmt: skip


class Evidence(msgspec.Struct, frozen=True):
    """The answer to one question about one server: on what it rests, and when that was looked at.

    `of` names what was looked at, such as a package's digest or a Merkle root: evidence of something else
    than what is served now counts for nothing.
    """

    dimension: Dimension
    verdict: Verdict
    detail: str  # one sentence for people
    at: float  # seconds since the epoch; 0 for never
    of: str = ""
    findings: tuple[str, ...] = ()  # what was found, one line each


def renewed(known: tuple[Evidence, ...] | None, *fresh: Evidence) -> tuple[Evidence, ...]:
    """The evidence of a server with these answers in the place of earlier ones to the same questions."""
    answered = {each.dimension for each in fresh}
    return (*(each for each in known or () if each.dimension not in answered), *fresh)
