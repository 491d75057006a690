"""Texts of one definition that go on in another field: each end that is open, with each beginning that is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice
from typing import Final

import msgspec

from bawn.detectors.definitions.walk import Role, Text
from bawn.detectors.definitions.words import sentences, spelt

MOST: Final = 1024
"""Seams of prose in one definition that are looked at."""

_BEGINNINGS: Final = 8  # sentences of a text with which another may go on
_REACH: Final = 240  # characters before and behind a seam
_STOPS: Final = frozenset(".!?:;。！？")
_NAMES: Final = 40  # that are put together
_PART: Final = 2  # words of half a name
_LONG: Final = 6  # words of two halves: names that belong together often have five


class Seam(msgspec.Struct, frozen=True):
    """Two texts as one: `text` has the place of the first, `start` is where that begins in it.

    `at` is where the second begins in the joined text.
    """

    text: Text
    start: int
    at: int


def seams(texts: Sequence[Text]) -> Iterator[Seam]:
    """What may have been one text before it was split, prose with prose and name with name."""
    yield from islice(_prose([each for each in texts if _is_said(each)]), MOST)
    names = {
        each.text: each for each in texts if each.role is Role.NAME and _words(each.text) >= _PART
    }
    for one, other in combinations(islice(names.values(), _NAMES), 2):
        if _words(one.text) + _words(other.text) >= _LONG:
            yield _seam(one, 0, one.text, "_", other.text)


def _is_said(text: Text) -> bool:
    """Whether a text is words in a row: all but names, and values that are one."""
    return text.role not in {Role.NAME, Role.CALLED} and " " in text.text.strip()


def _words(name: str) -> int:
    return len(spelt(name).split())


def _prose(texts: Sequence[Text]) -> Iterator[Seam]:
    beginnings = [
        (text, text.text[start : start + _REACH])
        for text in texts
        for start, end in sentences(text.text[: _BEGINNINGS * _REACH])[:_BEGINNINGS]
        if text.text[start:end].lstrip()[:1].islower()
    ]
    for one in texts:
        ended = one.text.rstrip()
        if not ended or ended[-1] in _STOPS:
            continue
        start = max(0, len(ended) - _REACH)
        for other, beginning in beginnings:
            if other is not one:
                yield _seam(one, start, ended[start:], " ", beginning.lstrip())


def _seam(one: Text, start: int, first: str, between: str, second: str) -> Seam:
    joined = f"{first}{between}{second}"
    return Seam(msgspec.structs.replace(one, text=joined), start, len(first))
