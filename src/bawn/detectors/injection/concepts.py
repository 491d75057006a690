"""What a text is about: a small dictionary of meanings in several languages, found in one pass.

A model that sees meanings beside words understands wordings, and languages, that it was never taught.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Final, Literal

import msgspec

from bawn.detectors.engine import Patterns

_END: Final = '[.!?](?:[\\s"\'<\\\\)\\]*]|$)|。|！|？|\\||\\n|[:;]\\s|"[,}\\]]|[<>]'
_PIECE: Final = 8192  # bytes that are read at once: with fewer matches than the engine tells of
_ENDING: Final = re.compile(
    r"(?<=\w)\*"
)  # in the dictionary: a letter or four at the end of a word


class Meaning(msgspec.Struct, frozen=True, gc=False):
    """A meaning and where it stands, in characters."""

    name: str
    start: int


class Reading(msgspec.Struct, frozen=True):
    """The meanings of a text in their order, and the offsets at which its sentences begin."""

    meanings: list[Meaning]
    sentences: list[int]


class _Concept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    side: Literal["act", "frame", ""] = ""
    words: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def pattern(self) -> str:
        """One pattern for all of it."""
        some = "|".join(_ENDING.sub(r"\\w{0,4}", word) for word in self.words)
        return "|".join(filter(None, (rf"\b(?:{some})\b" if some else "", *self.parts)))


def _dictionary() -> dict[str, _Concept]:
    data = (files("bawn.detectors.injection") / "concepts.toml").read_bytes()
    return msgspec.toml.decode(data, type=dict[str, _Concept])


_CONCEPTS: Final = _dictionary()
_NAMES: Final = tuple(_CONCEPTS)

ACTS: Final = frozenset(name for name, each in _CONCEPTS.items() if each.side == "act")
"""What somebody may be told to do."""

FRAMES: Final = frozenset(name for name, each in _CONCEPTS.items() if each.side == "frame")
"""To whom, how, or with what an order is given."""


@cache
def _patterns() -> Patterns:
    return Patterns([*(concept.pattern() for concept in _CONCEPTS.values()), _END])


def read(text: str) -> Reading:
    """What is in a folded text."""
    reading = Reading([], [0])
    at = 0
    for piece in _pieces(text.encode("utf-8", "replace")):
        at += _into(reading, piece, at)
    return reading


def _pieces(data: bytes) -> Iterator[bytes]:
    """The text in pieces that end with a blank, if there is one."""
    start = 0
    while start < len(data):
        end = start + _PIECE
        if end < len(data):
            end = data.rfind(b" ", start, end) + 1 or end
            end = end if end > start else start + _PIECE
        yield data[start:end]
        start = end


def _into(reading: Reading, piece: bytes, at: int) -> int:
    """Adds what is in a piece that stands at an offset; gives how many characters it has."""
    first, offset = at, 0
    for match in _patterns().find(piece):
        at += len(piece[offset : match.start].decode("utf-8", "ignore"))
        offset = match.start
        if match.pattern == len(_NAMES):
            if at >= reading.sentences[-1]:
                reading.sentences.append(at + 1)
        else:
            reading.meanings.append(Meaning(_NAMES[match.pattern], at))
    return at + len(piece[offset:].decode("utf-8", "ignore")) - first
