"""Text from elsewhere, made fit for a log or a terminal."""

from __future__ import annotations

import json
from typing import Final

# What counts as printable and cannot be seen: fillers, joiners, selectors.
_UNSEEN: Final = frozenset(
    map(
        chr,
        (
            *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x2800, 0x3164, 0xFFA0),
            *range(0xFE00, 0xFE10),
            *range(0xE0100, 0xE01F0),
        ),
    )
)


def prints(text: str) -> bool:
    """Whether all of the text can be seen, on one line, in the order in which it stands."""
    return text.isprintable() and _UNSEEN.isdisjoint(text)


def printable(text: str) -> str:
    r"""The text with every character that does not print as an escape: \n, \u001b, \u202e, \udc80.

    A line stays one line, and nothing in it can move a cursor, colour or reorder what is read.
    """
    if prints(text):
        return text
    return "".join(
        character if prints(character) else json.dumps(character)[1:-1] for character in text
    )
