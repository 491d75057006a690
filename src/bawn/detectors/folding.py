"""The folded form of a text: what words and models are matched against.

NFKC (UAX #15), case folded, accents of Latin letters off, look-alikes as ASCII, what nobody sees taken out,
each run of blanks one blank. Text in other scripts stays what it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from itertools import groupby
from string import ascii_lowercase
from typing import Final

from bawn.detectors.confusables import CLOSE, LATIN, OTHER
from bawn.detectors.spans import Back, Edit, edited, traced

_KNOWN: Final = 16_384  # characters whose folding is remembered
_CLUSTER: Final = 32
"""Characters that are composed at once: normalising takes the square of it (UAX #15, stream-safe)."""

_UNSEEN: Final = frozenset(("Cc", "Cf", "Co", "Cs", "Cn"))
_BLANK: Final = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_ACCENTS: Final = (
    (0x300, 0x36F),
    (0x1AB0, 0x1AFF),
    (0x1DC0, 0x1DFF),
    (0x20D0, 0x20FF),
    (0xFE20, 0xFE2F),
)
_DROPPED: Final = (
    (0x34F, 0x34F),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0xFE00, 0xFE0F),
    (0xE0100, 0xE01EF),
)


def fold(text: str) -> tuple[str, Back | None]:
    """The folded form of a text, and the way back; None where each character became one."""
    if text.isascii():
        return _each(text)
    steps: list[Back] = []
    for step in (_composed, _each, _composed, _alike):
        text, back = step(text)
        if back is not None:
            steps.append(back)
    return text, _chained(steps) if steps else None


def seen(character: str) -> str:
    """What a character is folded to by itself; empty if it is one that nobody sees."""
    return _FOLDS[ord(character)]


def _chained(steps: list[Back]) -> Back:
    def back(start: int, end: int) -> tuple[int, int]:
        for step in reversed(steps):
            start, end = step(start, end)
        return start, end

    return back


def _each(text: str) -> tuple[str, Back | None]:
    """Every character folded by itself, and blanks run together."""
    made = " ".join(text.lower().split()) if text.isascii() else ""
    if not made.isprintable() or not made:
        made = " ".join(text.translate(_FOLDS).split())
    if len(made) == len(text) and text.isascii():
        return made, None
    return made, traced(lambda: _lengths(text), len(text))


def _lengths(text: str) -> Iterator[int]:
    blank = True  # blanks at the start are dropped
    for character in text:
        length = 0
        for each in _FOLDS[ord(character)]:
            length += not (blank and each == " ")
            blank = each == " "
        yield length


class _Folds(dict[int, str]):
    """To what each character is folded, worked out when it first comes."""

    def __missing__(self, code: int) -> str:
        folded = _folded(chr(code))
        if len(self) < _KNOWN:
            self[code] = folded
        return folded


def _folded(character: str) -> str:
    if character.isspace() or character in _BLANK:
        return " "
    code = ord(character)
    if (
        unicodedata.category(character) in _UNSEEN
        or _within(code, _DROPPED)
        or _within(code, _ACCENTS)
    ):
        return ""
    if character in OTHER:
        return character  # whether it is one is seen from its neighbours
    if character in LATIN:
        return LATIN[character]
    return "".join(map(_plain, unicodedata.normalize("NFKC", character)))


def _plain(character: str) -> str:
    """One character of NFKC in small letters, without the accents of a Latin one."""
    if character in OTHER:
        return character
    base = unicodedata.normalize("NFD", character)[0]
    if base.isascii() or base in LATIN:
        character = base
    small = unicodedata.normalize("NFKC", character.casefold())
    return "".join(
        " " if each.isspace() else LATIN.get(each, each)
        for each in small
        if not _within(ord(each), _ACCENTS)
    )


def _within(code: int, ranges: tuple[tuple[int, int], ...]) -> bool:
    return any(first <= code <= last for first, last in ranges)


_FOLDS: Final = _Folds()


def _composed(text: str) -> tuple[str, Back | None]:
    """NFC, a cluster at a time: where nothing is to be done, that is seen in one linear pass."""
    if unicodedata.is_normalized("NFC", text):
        return text, None
    edits = [
        Edit(start, end, composed)
        for start, end in _clusters(text)
        if (composed := unicodedata.normalize("NFC", text[start:end])) != text[start:end]
    ]
    return edited(text, edits)


def _clusters(text: str) -> Iterator[tuple[int, int]]:
    """Each letter with the marks that follow it."""
    start = 0
    for at in range(1, len(text)):
        if at - start == _CLUSTER or _begins(text[at]):
            yield start, at
            start = at
    yield start, len(text)


def _begins(character: str) -> bool:
    return not ("\u1160" <= character <= "\u11ff" or unicodedata.category(character)[0] == "M")


def _alike(text: str) -> tuple[str, Back | None]:
    """Look-alikes of other scripts as ASCII, where they stand in for it; each remains one character."""
    if _OTHERS.isdisjoint(text):
        return text, None
    words = text.split(" ")
    kinds = [_kind(word) for word in words]
    for at, kind in enumerate(_with_neighbours(kinds)):
        word = words[at]
        if kind == "latin":
            words[at] = word.translate(_TO_ASCII)
        elif kind == "both":
            words[at] = "".join(_run("".join(run)) for _, run in groupby(word, str.isalpha))
        elif kind:
            words[at] = word.translate(_TO_SMALL)
    return " ".join(words), None


def _kind(word: str) -> str:
    """Of which script a word is: latin, alike (it may be meant so), other, both, or none."""
    if word.isascii():
        return "" if _LETTERS.isdisjoint(word) else "latin"
    if _LETTERS.isdisjoint(word):
        return _script(word)
    runs = {_script("".join(run)) for is_word, run in groupby(word, str.isalpha) if is_word}
    return "both" if "other" in runs else "latin"


def _script(run: str) -> str:
    if not _LETTERS.isdisjoint(run):
        return "latin"
    if CLOSE.issuperset(run):
        return "alike"
    kind = ""
    for character in run:
        if character in CLOSE:
            kind = "alike"
        elif character.isalpha():
            return "other"
    return kind


def _run(run: str) -> str:
    """One word of several that hang together, such as an English and a Russian one with a hyphen."""
    return run.translate(_TO_SMALL if _LETTERS.isdisjoint(run) else _TO_ASCII)


def _with_neighbours(kinds: list[str]) -> list[str]:
    """Words of look-alikes alone are Latin where the words around them are, and else of their script."""
    before = ""
    since: list[int] = []
    for at, kind in enumerate([*kinds, ""]):
        if kind == "alike":
            since.append(at)
        elif kind or at == len(kinds):
            around = {before, kind} - {""}
            for each in since:
                kinds[each] = "latin" if around == {"latin"} else "other"
            before, since = kind, []
    return kinds


_OTHERS: Final = frozenset(OTHER)
_LETTERS: Final = frozenset(ascii_lowercase)
_TO_ASCII: Final = str.maketrans(OTHER)
_TO_SMALL: Final = str.maketrans({each: each.lower() for each in OTHER})
