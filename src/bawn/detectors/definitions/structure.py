"""What is odd about the shape of a text, whatever its words say."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.detectors.definitions.walk import Role, Text
from bawn.detectors.definitions.words import spelt
from bawn.model import Detection, Severity

_WORDS: Final = 12  # of a name: real ones have seven, seldom ten
_BLANKS: Final = 60  # in a row, and text after them
_LINES: Final = 12  # empty ones in a row, and text after them
_SHOWN: Final = 160
_NAMES: Final = frozenset((Role.NAME, Role.CALLED))


def oddities(text: Text) -> Iterator[Detection]:
    """Names that are sentences, and text that was pushed out of sight."""
    if text.role in _NAMES and len(spelt(text.text).split()) >= _WORDS and "://" not in text.text:
        yield _found("definition/sentence-as-name", text.text, 0, len(text.text))
    elif text.role not in _NAMES:
        gap = _gap(text.text)
        if gap is not None:
            yield _found("definition/out-of-sight", text.text, gap, len(text.text))


def _gap(text: str) -> int | None:
    """Where text goes on after so many blanks that nobody scrolls there."""
    blanks = lines = 0
    for place, sign in enumerate(text):
        if sign == "\n":
            lines, blanks = lines + 1, 0
        elif sign.isspace():
            blanks += 1
        else:
            if (blanks >= _BLANKS and not lines) or lines > _LINES:
                return place
            blanks = lines = 0
    return None


def _found(rule: str, text: str, start: int, end: int) -> Detection:
    return Detection(rule, Severity.MEDIUM, start, end, text[start:end][:_SHOWN], 0.8)
