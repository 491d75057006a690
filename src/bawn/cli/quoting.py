"""Foreign text on a terminal: exact, and unable to move the cursor or hide a part of itself."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from bawn.telemetry.text import prints


def printable(text: str) -> str:
    """The text with everything escaped that cannot be seen: controls, bidirectional marks, fillers."""
    return "".join(char if prints(char) else _escaped(char) for char in text)


def command_line(command: Iterable[str]) -> str:
    """A command the way a shell would take it, word for word."""
    return " ".join(map(_word, command))


def _word(word: str) -> str:
    if prints(word):
        return shlex.quote(word)
    # The shell's own $'…' keeps an escape apart from the same characters written out.
    inner = word.replace("\\", "\\\\").replace("'", "\\'")
    return f"$'{printable(inner)}'"


def _escaped(char: str) -> str:
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
