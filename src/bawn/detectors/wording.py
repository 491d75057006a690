"""Words that are written so that no pattern finds them: letters apart, digits for letters, ROT13, backwards."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Final

from bawn.detectors.disguises import APART, DIGITS
from bawn.detectors.engine import Gate
from bawn.detectors.spans import Back, Edit
from bawn.detectors.telling import BACKWARDS, LONGEST, ROTATED, WORDS

FEWEST: Final = 5
"""Letters that stand apart from each other, from which on they are a word."""

_WINDOW: Final = 24  # characters of the longest word that is taken for one with digits in it
_SEPARATORS: Final = frozenset("-._*~|/+")
_BLANKS: Final = str.maketrans("\n\t\r", "   ")


def apart(text: str) -> Iterator[Edit]:
    """Letters with something between them, as the words that they make: `i g n o r e`, `i-g-n-o-r-e`."""
    if not _gate(APART).opens(text.encode("utf-8", "replace")):
        return
    letters: list[str] = []
    start = at = end = 0
    for word in [*text.translate(_BLANKS).split(" "), "--"]:
        joined = _joined(word)
        if joined is not None:
            start = start if letters else at
            letters.append(joined)
            end = at + len(word)
        elif word or at + 1 >= len(text):
            if sum(len(each.strip()) for each in letters) >= FEWEST:
                yield Edit(start, end, _spelt("".join(each or " " for each in letters).strip()))
            letters = []
        elif letters:
            letters.append("")  # more than one blank ends a word
        at += len(word) + 1


@cache
def _gate(patterns: tuple[str, ...]) -> Gate:
    return Gate(patterns)


def _joined(word: str) -> str | None:
    """What a word of single letters says; None when it is another one."""
    if len(word) == 1:
        return word if word.isalnum() else None
    word = word.rstrip(".,;:!?")
    between = word[1::2]
    if len(word) < 3 or between[0] not in _SEPARATORS or len(set(between)) > 1:
        return None
    return f" {word[::2]} " if word[::2].isalpha() else None


def _spelt(letters: str) -> str:
    """Letters that were run together, as words: the longest known one at each place."""
    return " ".join(each for run in letters.split() for each in _cut(run))


def _cut(run: str) -> Iterator[str]:
    small, at, unknown = run.lower(), 0, 0
    while at < len(run):
        size = next(
            (n for n in range(min(LONGEST, len(run) - at), 0, -1) if small[at : at + n] in WORDS), 0
        )
        if size:
            if unknown < at:
                yield run[unknown:at]
            yield run[at : at + size]
            unknown = at + size
        at += size or 1
    if unknown < len(run):
        yield run[unknown:]


_AS_I: Final = str.maketrans("0134578@$!|+", "oieastbasilt")
_AS_L: Final = str.maketrans("0134578@$!|+", "oleastbaslit")
_DIGITS: Final = frozenset("0134578@$!|+")


def digits(folded: str) -> Iterator[Edit]:
    """Words with digits and signs in the place of letters, if one of them is a telling one."""
    if _DIGITS.isdisjoint(folded) or not _gate(DIGITS).opens(folded.encode("utf-8", "replace")):
        return
    at = 0
    for word in folded.split(" "):
        bare = word.rstrip(".,;:?")
        if 2 < len(bare) <= _WINDOW and not bare.isalpha() and not _DIGITS.isdisjoint(bare):
            meant = bare.translate(_AS_I)
            if meant not in WORDS and (other := bare.translate(_AS_L)) in WORDS:
                meant = other
            if meant.isalpha():
                yield Edit(at, at + len(bare), meant)
        at += len(word) + 1


_ROT13: Final = str.maketrans("abcdefghijklmnopqrstuvwxyz", "nopqrstuvwxyzabcdefghijklm")
_NO_LETTERS: Final = {code: " " for code in range(128) if not chr(code).isalpha()}


def turned(folded: str) -> Iterator[tuple[str, str, Back]]:
    """The folded text in ROT13 and backwards, with what was done, where a telling word is seen by it."""
    words = set(folded.translate(_NO_LETTERS).split())
    if not ROTATED.isdisjoint(words):
        yield "rot13", folded.translate(_ROT13), lambda start, end: (start, end)
    if not BACKWARDS.isdisjoint(words):
        size = len(folded)
        yield "reversed", folded[::-1], lambda start, end: (size - end, size - start)
