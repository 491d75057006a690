"""Several changes to one text at once, each said by its span of the text as it was given."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import msgspec

_JOINERS: Final = frozenset("\u200d\ufe0e\ufe0f")
_FURTHER: Final = 32  # characters by which a span grows, so that it cuts no letter from its accents

Make: TypeAlias = Callable[[str], str]


class Edit(msgspec.Struct, frozen=True):
    """What becomes of a span. One that is `exact` comes first, and no other exact one overlaps it.

    The others that overlap are made one after the other on all that they cover together.
    """

    start: int
    end: int
    make: Make
    exact: bool = False


def edited(
    text: str, edits: Sequence[Edit], wraps: Sequence[tuple[int, int]], around: tuple[str, str]
) -> str:
    """The text with each edit made, and what stands `around` put about each of the spans in `wraps`.

    A wrap that reaches into an edit takes in the whole of it; one about nothing is left out.
    """
    made = _made(text, edits)
    outer = [span for span in wraps if span[0] < span[1]]
    outer = merged([_taking_in(span, made) for span in merged(outer)])
    steps = [(start, 2, end, new) for start, end, new in made]
    for start, end in outer:
        if any((start, end, "") == each for each in made):
            continue
        steps += [(start, 1, start, around[0]), (end, 0, end, around[1])]
    pieces: list[str] = []
    position = 0
    for start, _, end, new in sorted(steps):
        pieces += (text[position:start], new)
        position = end
    return "".join([*pieces, text[position:]])


def merged(spans: Sequence[tuple[int, int]], gap: int = 0) -> list[tuple[int, int]]:
    """The spans in order, those that overlap or lie at most `gap` apart as one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1] + gap:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def within(text: str, start: int, end: int) -> tuple[int, int]:
    """The span as far as it is one of this text, grown so that it parts no character from its marks."""
    start = min(max(start, 0), len(text))
    end = min(max(end, start), len(text))
    for _ in range(_FURTHER):
        if not (0 < start < len(text) and _clings(text[start])):
            break
        start -= 1
    for _ in range(_FURTHER):
        if not (0 < end < len(text) and _clings(text[end])):
            break
        end += 1
    return start, end


def _made(text: str, edits: Sequence[Edit]) -> list[tuple[int, int, str]]:
    """What stands in the place of each span that edits cover, in their order."""
    found = []
    waiting = sorted((each for each in edits if each.start < each.end), key=lambda one: one.start)
    for start, end in merged([(each.start, each.end) for each in waiting]):
        mine = [each for each in waiting if start <= each.start < end]
        new = text[start:end]
        for each in sorted((one for one in mine if one.exact), key=lambda one: -one.start):
            first, last = each.start - start, each.end - start
            new = new[:first] + each.make(new[first:last]) + new[last:]
        for each in (one for one in mine if not one.exact):
            new = each.make(new)
        found.append((start, end, new))
    return found


def _taking_in(span: tuple[int, int], made: Sequence[tuple[int, int, str]]) -> tuple[int, int]:
    start, end = span
    for first, last, _ in made:
        if first < end and start < last:
            start, end = min(start, first), max(end, last)
    return start, end


def _clings(character: str) -> bool:
    return unicodedata.combining(character) > 0 or character in _JOINERS
