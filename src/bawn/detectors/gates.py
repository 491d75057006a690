"""Whether a message may have anything in it: what is clean here is looked at no further."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from functools import cache
from typing import Final

from bawn.detectors import disguises
from bawn.detectors.engine import Gate

_ESCAPE: Final = b"\\u"


class Gates:
    """The triggers of detectors, and what shows that a message has to be looked at in all its forms."""

    def __init__(self, triggers: Sequence[str]) -> None:
        """Triggers that are `disguises` are looked for anyway."""
        known = {*disguises.PLAIN, *disguises.OTHERWISE}
        mine = [each for each in dict.fromkeys(triggers) if each not in known]
        self._gate = Gate([*mine, *disguises.QUICK], disguises.HINTS)

    def open(self, data: bytes) -> bool:
        """Whether a message in UTF-8, JSON or not, has to be looked at."""
        if self._shows(data):
            return True
        if data.isascii() and _ESCAPE not in data:
            return False
        return _otherwise().opens(data) or (
            _accented().opens(data) and self._shows(_without_accents(data))
        )

    @staticmethod
    def disguised(data: bytes) -> bool:
        """Whether something in a text may be hidden, so that folding it alone does not show it."""
        if _plain().opens(data):
            return True
        if data.isascii() and _ESCAPE not in data:
            return False
        return _otherwise().opens(data) or _accented().opens(data)

    def _shows(self, data: bytes) -> bool:
        shown = self._gate.reads(data)
        return _dear().opens(data) if shown is None else shown


@cache
def _dear() -> Gate:
    return Gate(disguises.DEAR)


@cache
def _plain() -> Gate:
    return Gate(disguises.PLAIN)


@cache
def _otherwise() -> Gate:
    return Gate(disguises.OTHERWISE)


@cache
def _accented() -> Gate:
    return Gate(disguises.ACCENTED)


def _without_accents(data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    if _ESCAPE in data:
        text = data.decode("unicode_escape", "replace") if data.isascii() else text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore")
