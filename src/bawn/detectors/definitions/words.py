"""Texts cut into what is judged at once: sentences, and the words of names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

LONGEST: Final = 26
"""Words that are judged at once; of what is longer each part is, with half of the one before."""

_TOGETHER: Final = 40  # words of two neighbours that are judged together as well
_STOPS: Final = frozenset(".!?;。！？；")
_BULLETS: Final = frozenset("-*•#>|")
_OPENS: Final = frozenset("<[({")
_MOST: Final = 4  # sentences that may begin within one

Span = tuple[int, int]


def sentences(text: str) -> list[Span]:
    """The spans of the sentences, paragraphs and list entries of a text."""
    found: list[Span] = []
    start = 0
    for end in _ends(text):
        if text[start:end].strip():
            found.append((start, end))
        start = end
    return found


def _ends(text: str) -> Iterator[int]:
    """Where something ends: at a stop before a blank, an empty line, and before a list entry."""
    last = len(text)
    for place, sign in enumerate(text):
        after = text[place + 1 : place + 2]
        if sign in _STOPS and (not after or after.isspace() or ord(sign) > 127):
            if sign != "." or not _abbreviated(text, place):
                yield place + 1
        elif sign == "\n" and _breaks(text, place):
            yield place + 1
    yield last


def _abbreviated(text: str, dot: int) -> bool:
    """Whether a dot belongs to something like `e.g.` or `2.`."""
    word = text[max(0, dot - 6) : dot].split()[-1:] or [""]
    return "." in word[0] or word[0].isdigit() or word[0].lower() in {"etc", "vs", "approx", "ca"}


def _breaks(text: str, line_end: int) -> bool:
    following = text[line_end + 1 : line_end + 40].lstrip(" \t")
    words = following.split(maxsplit=1)
    if not words or following[0] == "\n" or following[0] in _BULLETS:
        return True
    return words[0][-1] in ":." or words[0][0].isdigit()


def windows(text: str) -> Iterator[Span]:
    """What is judged at once: each sentence, the parts of long ones, and short neighbours together."""
    before: tuple[Span, int] | None = None
    for start, end in sentences(text):
        words = _words(text, start, end)
        if len(words) <= LONGEST:
            yield start, end
        else:
            yield from _parts(words)
        yield from _seams(text, words)
        if before is not None and before[1] + len(words) <= _TOGETHER:
            yield before[0][0], end
        before = (start, end), len(words)


def _seams(text: str, words: list[Span]) -> Iterator[Span]:
    """From where within a sentence another seems to begin without a stop before it, to its end."""
    told = 0
    for (start, end), (after, _) in pairwise(words[1:]):
        opens = text[start] in _OPENS or (
            text[end - 1] == ":" or (text[start].isupper() and not text[start:end].isupper())
        )
        if opens and (text[after].islower() or text[after] in _OPENS or text[start] in _OPENS):
            yield start, words[-1][1]
            told += 1
            if told == _MOST:
                return


def _parts(words: list[Span]) -> Iterator[Span]:
    step = LONGEST // 2
    for first in range(0, max(1, len(words) - step), step):
        part = words[first : first + LONGEST]
        yield part[0][0], part[-1][1]


def _words(text: str, start: int, end: int) -> list[Span]:
    found: list[Span] = []
    place = start
    for word in text[start:end].split():
        place = text.index(word, place)
        found.append((place, place + len(word)))
        place += len(word)
    return found


def spelt(name: str) -> str:
    """The words of a name: `sendAll_to-me` is `send All to me`."""
    out: list[str] = []
    before = ""
    for sign in name:
        if sign in "_-./:$ ":
            out.append(" ")
        else:
            if sign.isupper() and (before.islower() or before.isdigit()):
                out.append(" ")
            out.append(sign)
        before = sign
    return " ".join("".join(out).split())
