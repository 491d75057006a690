"""Here-documents: text that goes to a command's input, taken out of what a shell reads as commands.

A document that a shell is fed is a script of its own. One that is expanded and has substitutions stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

_BEGINS: Final = re.compile(r"<<(-?)[ \t]{0,8}(['\"]?)(\w{1,40})\2")
_FED: Final = re.compile(r"(?:^|[\s;|&/(])(?:ba|z|da|k|a)?sh(?:\s|$)")
_MOST: Final = 64


def split(text: str) -> Iterator[str]:
    """The text without documents, and then those that are scripts; the first 64 documents are known."""
    lines = text.split("\n")
    kept: list[str] = []
    scripts: list[str] = []
    at = seen = 0
    while at < len(lines):
        line = lines[at]
        kept.append(line)
        at += 1
        begins = _BEGINS.search(line[:4096]) if "<<" in line and seen < _MOST else None
        if begins:
            seen += 1
            end = _end(lines, at, begins.group(3))
            body = "\n".join(lines[at:end])
            if _FED.search(line[: begins.start()][-400:]):
                scripts.append(body)
            if end < len(lines) and (begins.group(2) or not ("$(" in body or "`" in body)):
                kept.append(lines[end])
                at = end + 1
    yield "\n".join(kept)
    yield from scripts


def _end(lines: list[str], at: int, word: str) -> int:
    while at < len(lines) and lines[at].strip() != word:
        at += 1
    return at
