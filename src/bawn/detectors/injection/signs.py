"""What a window is to the model: its meanings, its words in ones and twos, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bawn.detectors.injection.windows import Window

_BLANKS: Final = {code: " " for code in range(128) if not chr(code).isalnum()}
_LONGEST: Final = 16  # letters of a word that are looked at
_RUN: Final = 4  # letters from which a word of a script without blanks is taken apart
_NUMBER: Final = "0"
_REACH: Final = 6  # meanings that one is paired with
_LEAD: Final = 14  # characters from the start of a window within which a meaning leads it
_EDGE: Final = 3  # characters that may stand before a window that stands first, or after the last
_BRIEF: Final = 200  # characters of a text that is no more than a note


def signs(text: str, window: Window) -> Iterator[str]:
    """The features of a window of a folded text."""
    yield from about(window)
    yield from _words(text[window.start : window.end])
    yield from _place(text, window)


def about(window: Window) -> Iterator[str]:
    """What a window is about, which of it stands before which, and which leads it."""
    found: list[str] = []
    for each in window.meanings:
        if each.start - window.start <= _LEAD:
            yield f"^{each.name}"
        if not found or found[-1] != each.name:
            found.append(each.name)
    for place, name in enumerate(found):
        yield name
        for other in found[place + 1 : place + 1 + _REACH]:
            yield f"{name}>{other}"


def _words(window: str) -> Iterator[str]:
    last = "^"
    for word in map(_known, window.translate(_BLANKS).split()):
        yield f"_{word}"
        yield f"{last} {word}"
        last = word
        if len(word) >= _RUN and not word.isascii():
            yield from (f"#{word[at : at + 2]}" for at in range(len(word) - 1))


def _known(word: str) -> str:
    """A word as the model knows it: whatever has a digit is one and the same."""
    return word[:_LONGEST] if word.isalpha() else _NUMBER


def _place(text: str, window: Window) -> Iterator[str]:
    first, last = window.start < _EDGE, window.end >= len(text) - _EDGE
    if first:
        yield "@first"
    if last:
        yield "@last"
    if first and last:
        yield "@all"
    if len(text) < _BRIEF:
        yield "@brief"
