"""How the ways to a server have what it offers held against what was approved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeAlias

from bawn.errors import UPSTREAM_INVALID, UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, Refused
from bawn.model import Answer, Json
from bawn.pins.verifying import Verifying

Verify: TypeAlias = Callable[[], Verifying]
"""Begins the verification of one session of a server."""

LOST: Final = frozenset({UPSTREAM_UNREACHABLE, UPSTREAM_OUTCOME})
"""After these, what answers next may be another release of the server."""


def listed(answer: Answer, method: str) -> Json:
    """The result of a list.

    Raises:
        Refused: upstream.invalid, when it is an error.
    """
    if answer.result is None:
        code = (answer.error or {}).get("code")
        raise Refused(UPSTREAM_INVALID, detail=f"{method} was answered with error {code}")
    return answer.result
