"""Cedar files in their usual form: every statement by Cedar's formatter, what stands between as it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import cedarpy

from bawn.errors import Misconfigured
from bawn.policy.files import statements

_WIDTH: Final = 100
_INDENT: Final = 2


def formatted(text: str, file: str) -> str:
    """The text in its usual form; of what is in that form already, the same.

    Raises:
        Misconfigured: a statement cannot be read, or would not mean the same.
    """
    written = ""
    end = 0
    for piece in statements.split(text):
        written += _between(text[end : piece.start], first=not written) + _statement(piece, file)
        end = piece.start + len(piece.text)
    rest = _between(text[end:], first=not written).rstrip()
    return f"{written}{rest}\n" if written or rest else ""


def _statement(piece: statements.Piece, file: str) -> str:
    before = statements.parsed(piece, file)
    text = cedarpy.format_policies(piece.text, _WIDTH, _INDENT).strip()
    if statements.comments(text) != statements.comments(piece.text) or before != statements.parsed(
        statements.Piece(text, piece.line), file
    ):
        raise Misconfigured(
            f"{file}:{piece.line}: Cedar's formatter would change this statement; it is left as it is"
        )
    return text


def _between(text: str, *, first: bool) -> str:
    """Comments between statements, with one blank line at most between any two of them."""
    lines = [line.strip() for line in text.splitlines()]
    beside = "" if first or not lines or not lines[0] else f" {lines[0]}"
    below = list(_spaced(lines if first else lines[1:]))
    while below and not below[0]:
        below.pop(0)
    if first:
        return "".join(f"{line}\n" for line in below)
    gap = "\n\n" if len(lines) < 2 or not lines[1] or not below else "\n"
    return beside + gap + "".join(f"{line}\n" for line in below)


def _spaced(lines: list[str]) -> Iterator[str]:
    blank = False
    for line in lines:
        if line or not blank:
            yield line
        blank = not line
