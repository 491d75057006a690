"""What nobody sees in a text: tag characters, carried octets, overrides, unseen letters, control sequences."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from bawn.detectors.disguises import HIDDEN
from bawn.detectors.escapes import selectors, tags
from bawn.detectors.rule import Rule, load
from bawn.model import Detection, Surface
from bawn.ports.inspecting import Wanted

EVIDENCE: Final = 120
"""Characters of evidence."""

_CARRIED: Final = 6  # unseen characters in a row from which on they carry something
_OWN: Final = 6  # private-use characters in a row
_BIDI: Final = frozenset("\u202a\u202b\u202d\u202e\u2066\u2067")
_UNSEEN: Final = frozenset(
    "\u00ad\u034f\u061c\u115f\u1160\u180e\u200b\u200c\u200d\u200e\u200f\u2060\u2061\u2062\u2063\u2064"
    "\u206a\u206b\u206c\u206d\u206e\u206f\u3164\ufeff\uffa0"
)
_SOFT: Final = frozenset("\u00ad\u200b")  # between letters they tell where a word may be broken
_ESCAPE: Final = "\x1b"
_SEQUENCE: Final = 64  # characters of a control sequence
_BREAKS: Final = 3
"""Soft breaks in one text from which on they are more than places where a word may be broken."""


class Invisible:
    """Finds what is hidden in plain sight of a model. Rules: `rules/hidden.toml`."""

    id = "hidden"
    forms: Wanted = "raw"
    surfaces = frozenset(Surface)
    triggers: Sequence[str] = (
        *HIDDEN,
        r"(?:\x1b|\\u001b)[\[\]PX^_]",
        r"(?:\x08|\\b|\\u0008){2}",
    )

    def __init__(self) -> None:
        self._rules = {rule.id: rule for rule in load("hidden")}

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """What is hidden in one form of a text."""
        if text.isascii() and _ESCAPE not in text and "\b" not in text:
            return ()
        found: list[Detection] = []
        for id_, start, end, said in _hidden(text):
            rule: Rule = self._rules[id_]
            if surface in rule.surfaces:
                found.append(
                    Detection(id_, rule.grave, start, end, said[:EVIDENCE], rule.confidence)
                )
        return sorted(found, key=lambda each: (each.start, each.end))


def _hidden(text: str) -> Iterator[tuple[str, int, int, str]]:
    for edit in tags(text):
        yield (
            "hidden/tags",
            edit.start,
            edit.end,
            f"{edit.end - edit.start} tag characters: {edit.text}",
        )
    for edit in selectors(text):
        said = "".join(filter(str.isprintable, edit.text))
        yield "hidden/selectors", edit.start, edit.end, f"{edit.end - edit.start} selectors: {said}"
    if not text.isascii():
        yield from _reordered(text)
        if not _UNSEEN.isdisjoint(text):
            yield from _without_width(text)
        for start, end in _runs(text, _is_private) if max(text) >= "\ue000" else ():
            if end - start >= _OWN:
                yield "hidden/private-use", start, end, f"{end - start} private-use characters"
    yield from _controls(text)


def _reordered(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Overrides and embeddings; isolates and embeddings only in a text that has no letter that needs them."""
    if _BIDI.isdisjoint(text):
        return
    marks = [at for at, each in enumerate(text) if each in _BIDI]
    needed = any(unicodedata.bidirectional(each) in ("R", "AL", "AN") for each in text)
    for at in marks:
        if text[at] in "\u202d\u202e" or not needed:
            name = unicodedata.name(text[at]).lower()
            yield "hidden/bidi", at, at + 1, f"U+{ord(text[at]):04X} {name}"


def _without_width(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Unseen characters between Latin letters, and long runs of them anywhere."""
    runs = [(start, end) for start, end in _runs(text, _UNSEEN.__contains__) if start]
    inside = {each for each in runs if _is_inside(text, *each)}
    soft = sum(_SOFT.issuperset(text[start:end]) for start, end in inside)
    for start, end in runs:
        breaks = _SOFT.issuperset(text[start:end]) and (
            soft < _BREAKS or "\u00ad" in text[start:end]
        )
        if end - start >= _CARRIED or ((start, end) in inside and not breaks):
            codes = " ".join(sorted({f"U+{ord(each):04X}" for each in text[start:end]}))
            yield "hidden/zero-width", start, end, f"{end - start} unseen: {codes}"


def _is_inside(text: str, start: int, end: int) -> bool:
    around = text[start - 1 : start] + text[end : end + 1]
    return len(around) == 2 and around.isascii() and around.isalpha()


def _is_private(character: str) -> bool:
    return character >= "\ue000" and unicodedata.category(character) == "Co"


def _runs(text: str, belongs: Callable[[str], bool]) -> Iterator[tuple[int, int]]:
    start = -1
    for at, character in enumerate(text):
        if belongs(character):
            start = at if start < 0 else start
        elif start >= 0:
            yield start, at
            start = -1
    if start >= 0:
        yield start, len(text)


def _controls(text: str) -> Iterator[tuple[str, int, int, str]]:
    """Control sequences (ECMA-48) that do more than colour, and backspaces over what was written."""
    at = text.find(_ESCAPE)
    while at >= 0:
        end = _sequence(text, at)
        if end and not _colours(text[at:end]):
            yield "hidden/terminal", at, end, f"control sequence {text[at + 1 : end]!r}"
        at = text.find(_ESCAPE, max(end, at + 1))
    at = text.find("\b\b")
    while at >= 0:
        end = at
        while text.startswith("\b", end):
            end += 1
        yield "hidden/terminal", at, end, f"{end - at} backspaces"
        at = text.find("\b\b", end)


def _sequence(text: str, at: int) -> int:
    """Where the control sequence that begins here ends; 0 when none does."""
    kind = text[at + 1 : at + 2]
    if kind in ("]", "P", "X", "^", "_"):
        return min(len(text), at + _SEQUENCE)
    if kind != "[":
        return 0
    for end in range(at + 2, min(len(text), at + _SEQUENCE)):
        if "@" <= text[end] <= "~":
            return end + 1
    return 0


def _colours(sequence: str) -> bool:
    return sequence.endswith("m") and "8" not in sequence[2:-1].split(";")
