"""Taking the effect out of what was found: the text stays readable, and nothing in it acts any more.

Everything is linear in the span: nothing is parsed, only what links, tags and schemes cannot do without
is taken from them.
"""

from __future__ import annotations

import unicodedata
from typing import Final

_ESCAPE: Final = frozenset("\x1b\x9b\x9d\x90\x9e\x9f\x98")
_STRINGS: Final = frozenset("]P^_X\x9d\x90\x9e\x9f\x98")  # of OSC, DCS, PM, APC and SOS (ECMA-48)
_ENDS: Final = frozenset("\x07\x9c")
_KEPT: Final = frozenset("\t\n\r")
_UNSEEN: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS: Final = ((0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0000, 0xE0FFF))
_TAGS: Final = frozenset("/!?")
_HOST_ENDS: Final = frozenset(" \t\r\n/\\?#\"'<>()[]{}`|")
_HOST: Final = 253  # characters (RFC 1035, section 2.3.4)


def stripped(text: str) -> str:
    """The text without what nobody sees: controls, tags, joiners, direction marks, terminal escapes."""
    pieces: list[str] = []
    position = 0
    while position < len(text):
        character = text[position]
        if character in _ESCAPE:
            position = _after_escape(text, position)
            continue
        if not _hidden(character):
            pieces.append(character)
        position += 1
    return "".join(pieces)


def inert(text: str) -> str:
    """The text with links, images, tags and schemes that nothing follows, loads or runs."""
    text = _without_schemes(_without_tags(text.replace("&#", "&amp;#")))
    # last: the brackets round colons and dots would make links of what follows them
    return text.replace("![", "(image) [").replace("](", "] (").replace("][", "] [")


def _hidden(character: str) -> bool:
    code = ord(character)
    if code < 0x80:
        return (code < 0x20 or code == 0x7F) and character not in _KEPT
    return (
        unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn")
        or character in _UNSEEN
        or any(first <= code <= last for first, last in _SELECTORS)
    )


def _after_escape(text: str, start: int) -> int:
    """Where the text goes on after a terminal escape (ECMA-48, section 5.4)."""
    begin = text[start]
    position = start + 1
    if begin == "\x1b":
        if position == len(text):
            return position
        begin = text[position]
        position += 1
    if begin in ("[", "\x9b"):
        while position < len(text) and " " <= text[position] <= "?":
            position += 1
        return position + (position < len(text) and "@" <= text[position] <= "~")
    if begin in _STRINGS:
        return _after_string(text, position)
    if " " <= begin <= "/":  # an escape of several characters ends with one from 0 to ~
        while position < len(text) and " " <= text[position] <= "/":
            position += 1
        return position + (position < len(text) and "0" <= text[position] <= "~")
    return position if "0" <= begin <= "~" else position - 1


def _after_string(text: str, position: int) -> int:
    """After the string of an escape; of one that does not end, only its beginning is taken."""
    for end in range(position, len(text)):
        if text[end] in _ENDS:
            return end + 1
        if text[end] == "\x1b":
            return end + 2 if text[end + 1 : end + 2] == "\\" else end
        if text[end] == "\n":
            break
    return position


def _without_tags(text: str) -> str:
    pieces: list[str] = []
    position = 0
    while (found := text.find("<", position)) >= 0:
        after = text[found + 1 : found + 2]
        pieces += (text[position:found], "&lt;" if after.isalpha() or after in _TAGS else "<")
        position = found + 1
    return "".join([*pieces, text[position:]])


def _without_schemes(text: str) -> str:
    """`scheme:rest` becomes `scheme[:]rest`, and the dots and colons of a host after it the same."""
    pieces: list[str] = []
    position = 0
    while (found := text.find(":", position)) >= 0:
        before, after = text[found - 1 : found] if found else "", text[found + 1 : found + 2]
        pieces.append(text[position:found])
        position = found + 1
        if not (before.isascii() and before.isalpha() and after and not after.isspace()):
            pieces.append(":")
            continue
        pieces.append("[:]")
        host = _host(text, position)
        pieces.append(text[position:host].replace(".", "[.]").replace(":", "[:]"))
        position = host
    return "".join([*pieces, text[position:]])


def _host(text: str, position: int) -> int:
    """Where the host after a scheme ends; where it begins if there is none."""
    start = position
    while text[start : start + 1] in ("/", "\\") and start - position < 4:
        start += 1
    if start == position:
        return position
    end = start
    while end < len(text) and end - start < _HOST and text[end] not in _HOST_ENDS:
        end += 1
    return end
