"""Text from elsewhere, made fit for a log or a terminal."""

from __future__ import annotations

import json


def printable(text: str) -> str:
    r"""The text with every character that does not print as an escape: \n, \u001b, \u202e, \udc80.

    A line stays one line, and nothing in it can move a cursor, colour or reorder what is read.
    """
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else json.dumps(character)[1:-1] for character in text
    )
