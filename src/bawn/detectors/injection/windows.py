"""The windows of a text: sentences in which somebody may be told to do something."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

import msgspec

from bawn.detectors.injection.concepts import ACTS, FRAMES, Meaning, read

_SHORT: Final = 90  # a window goes on into the next sentence until it has this many characters
_LONG: Final = 260  # and never beyond this many
_SIDES: Final = ACTS | FRAMES


class Window(msgspec.Struct, frozen=True):
    """A sentence and what follows it: the span in characters of the folded text, and what it is about."""

    start: int
    end: int
    meanings: tuple[Meaning, ...]


def readable(text: str) -> str:
    """The same text, as long, with line ends that were escaped (once or twice) as such."""
    return (
        text.replace("\\n", "\n ").replace("\\r", "\n ").replace("\\t", "  ")
        if "\\" in text
        else text
    )


def windows(text: str) -> list[Window]:
    """The windows of a folded and readable text, in their order: each of them has an act and a frame."""
    reading = read(text)
    spans = list(_spans(text, reading.sentences))
    found: list[Window] = []
    meanings = reading.meanings
    # all of them only go on: a hostile text has a sentence every few characters
    first = last = past = 0
    for at, (start, own) in enumerate(spans):
        past = max(past, at)
        while spans[past][1] - start < _SHORT and past + 1 < len(spans):
            past += 1
        end = min(spans[past][1], start + _LONG)
        while first < len(meanings) and meanings[first].start < start:
            first += 1
        last = max(first, last)
        while last < len(meanings) and meanings[last].start < end:
            last += 1
        some = tuple(meanings[first:last])
        names = {each.name for each in some}
        begins = any(each.start < own and each.name in _SIDES for each in some)
        if begins and names & ACTS and names & FRAMES:
            found.append(Window(start, end, some))
    return found


def _spans(text: str, sentences: list[int]) -> Iterator[tuple[int, int]]:
    """The sentences; long ones in parts."""
    for start, end in pairwise([*sentences, max(len(text), sentences[-1])]):
        while end - start > _LONG:
            cut = text.rfind(" ", start + _LONG // 2, start + _LONG)
            cut = cut if cut > 0 else start + _LONG
            yield start, cut
            start = cut  # noqa: PLW2901  # the rest of the same sentence
        if end > start:
            yield start, end
