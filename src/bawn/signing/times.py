"""Moments in what is signed: UTC, to the second, in one writing only (`2026-11-23T00:25:26Z`)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from bawn.signing.unverified import Unverified

LEEWAY: Final = 300.0
"""Seconds by which the clocks of signers and gates may differ."""

_FORM: Final = "%Y-%m-%dT%H:%M:%SZ"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def written(moment: float) -> str:
    """Seconds since the epoch as text; what is below a second is dropped.

    Raises:
        Unverified: malformed: it is outside the years 1970 to 9999.
    """
    try:
        if moment < 0:
            raise OverflowError
        # strftime does not pad years below 1000; from 1970 on there are none
        return (_EPOCH + timedelta(seconds=int(moment))).strftime(_FORM)
    except (OverflowError, ValueError):
        raise Unverified("malformed", "a time is outside the years 1970 to 9999") from None


def read(text: str) -> float:
    """Seconds since the epoch.

    Raises:
        Unverified: malformed.
    """
    try:
        moment = datetime.strptime(text, _FORM).replace(tzinfo=UTC)
    except ValueError:
        raise _unreadable() from None
    seconds = (moment - _EPOCH).total_seconds()
    if seconds < 0 or written(seconds) != text:
        raise _unreadable()
    return seconds


def _unreadable() -> Unverified:
    return Unverified("malformed", "expected times such as 2026-11-23T00:25:26Z")
