"""How a signature says no: one exception, with a word for programs and a sentence for people."""

from __future__ import annotations

from typing import Literal, TypeAlias

from bawn.errors import INTEGRITY_SIGNATURE, Refused

Why: TypeAlias = Literal[
    "malformed",  # not of the form, or not in its canonical writing
    "type",  # of another type than the one that is asked for
    "subject",  # about something else than what it stands beside
    "tampered",  # a signature of a known key does not fit what is signed
    "unknown key",  # no signature by a key of the role
    "threshold",  # fewer keys of the role signed than have to
    "duplicate",  # something is listed twice that has to be listed once
    "expired",
    "future",  # issued later than it is now
    "rollback",  # older than, or other than, what was seen before
    "freeze",  # alive only by a clock that was set back
    "root",  # another trust root than the one that was trusted before
    "store",  # what was seen before cannot be read
    "missing",  # nothing is signed where it has to be
]


class Unverified(Refused):
    """What is signed is not to be trusted: `why` in a word, `detail` in a sentence."""

    def __init__(self, why: Why, detail: str) -> None:
        super().__init__(INTEGRITY_SIGNATURE, detail=f"{why}: {detail}")
        self.why: Why = why
