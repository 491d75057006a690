"""The way back: from a span of a text that was made of another to the span of that other one."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import TypeAlias

import msgspec

Back: TypeAlias = Callable[[int, int], tuple[int, int]]
"""A span of what was made to the span that it was made of; both count characters, and end after."""


class Edit(msgspec.Struct, frozen=True, gc=False):
    """In the place of what stands from `start` to `end` there is to be `text`."""

    start: int
    end: int
    text: str


def edited(text: str, edits: Sequence[Edit]) -> tuple[str, Back]:
    """A text with edits made, which are in order and do not overlap, and the way back.

    What lies partly in the place of an edit leads back to the whole of what was there.
    """
    parts: list[str] = []
    starts: list[int] = []  # of each edit, in what is made
    at = made = 0
    for edit in edits:
        parts += (text[at : edit.start], edit.text)
        made += edit.start - at
        starts.append(made)
        made += len(edit.text)
        at = edit.end
    parts.append(text[at:])

    def place(offset: int, ends: bool) -> int:
        """Where an offset of what is made stands; of one inside an edit, where the edit begins or ends."""
        index = (bisect_left(starts, offset) if ends else bisect_right(starts, offset)) - 1
        if index < 0:
            return offset
        edit, within = edits[index], offset - starts[index]
        if within > len(edit.text) or (within == len(edit.text) and not ends):
            return edit.end + within - len(edit.text)
        return edit.end if ends else edit.start

    def back(start: int, end: int) -> tuple[int, int]:
        first = place(start, False)
        return first, max(first, place(end, True))

    return "".join(parts), back


def traced(lengths: Callable[[], Iterable[int]], total: int) -> Back:
    """The way back from a text whose characters came one by one from those of another of `total`.

    `lengths` says how many each became, and is asked for when first something leads back.
    """
    known: list[int] = []

    def back(start: int, end: int) -> tuple[int, int]:
        if not known:
            known.extend(accumulate(lengths(), initial=0))
        first = min(bisect_right(known, start) - 1, total)
        return first, max(first, bisect_left(known, end)) if end > start else first

    return back
