"""Neighbouring short texts of a message read as one: what is split over fields or items of a list."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from typing import Final

import msgspec

SHORT: Final = 512
"""Characters of a text that is read together with its neighbours."""

TOGETHER: Final = 4096
"""Characters that are read together; the last text of these begins the next."""


class Join(msgspec.Struct, frozen=True):
    """Texts with something between them, and where each of them starts."""

    text: str
    starts: tuple[int, ...]
    texts: tuple[tuple[str, str], ...]

    def parts(self, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        """A span as spans of the texts, each with its place."""
        for index in range(max(0, bisect_right(self.starts, start) - 1), len(self.starts)):
            begins = self.starts[index]
            if begins >= end:
                return
            place, text = self.texts[index]
            first, last = max(0, start - begins), min(len(text), end - begins)
            if first < last:
                yield place, first, last


def joins(texts: Sequence[tuple[str, str]]) -> Iterator[Join]:
    """The neighbours, with a blank between them and without."""
    for run in _runs(texts):
        for between in (" ", ""):
            at = 0
            starts: list[int] = []
            for _, text in run:
                starts.append(at)
                at += len(text) + len(between)
            yield Join(between.join(text for _, text in run), tuple(starts), tuple(run))


def _runs(texts: Sequence[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    run: list[tuple[str, str]] = []
    size = 0
    for each in (*texts, ("", " " * (SHORT + 1))):
        short = 0 < len(each[1]) <= SHORT
        if len(run) > 1 and (not short or size + len(each[1]) > TOGETHER):
            yield run
            run = run[-1:]
            size = len(run[0][1])
        if short:
            run.append(each)
            size += len(each[1])
        elif each[1]:
            run, size = [], 0
