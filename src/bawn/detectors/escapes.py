"""Characters that a text writes as escapes: in JSON and JavaScript, in URLs, in HTML, and unseen ones.

Each function says what stands for what, as edits in order; the work is linear in the text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.entities import html5
from typing import Final

from bawn.detectors.spans import Edit

_SIMPLE: Final = {
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "b": " ",
    "f": " ",
    '"': '"',
    "'": "'",
    "/": "/",
    "\\": "\\",
}
_DIGITS: Final = {"x": 2, "u": 4, "U": 8}
_NAME: Final = 32  # characters of the longest name of an entity
_HEX: Final = frozenset("0123456789abcdefABCDEF")


def backslashes(text: str) -> Iterator[Edit]:
    """`\\u0069`, `\\x69`, `\\u{69}`, `\\n` and their like (RFC 8259, ECMA-262)."""
    at = text.find("\\")
    while 0 <= at < len(text) - 1:
        edit = _escaped(text, at)
        if edit is not None:
            yield edit
        at = text.find("\\", edit.end if edit else at + 2)


def _escaped(text: str, at: int) -> Edit | None:
    letter = text[at + 1]
    if letter in _SIMPLE:
        return Edit(at, at + 2, _SIMPLE[letter])
    if text.startswith("{", at + 2) and letter == "u":
        end = text.find("}", at + 3, at + 10)
        character = _character(text[at + 3 : end]) if end > 0 else None
        return Edit(at, end + 1, character) if character else None
    end = at + 2 + _DIGITS.get(letter, 0)
    character = _character(text[at + 2 : end])
    if character is None or len(text) < end:
        return None
    if "\ud800" <= character <= "\udbff" and text.startswith("\\u", end):
        second = _character(text[end + 2 : end + 6])
        if second and "\udc00" <= second <= "\udfff":
            pair = (character + second).encode("utf-16", "surrogatepass").decode("utf-16")
            return Edit(at, end + 6, pair)
    return Edit(at, end, character)


def _character(digits: str, base: int = 16) -> str | None:
    if not digits or not _HEX.issuperset(digits) or (base == 10 and not digits.isdecimal()):
        return None
    code = int(digits, base)
    return chr(code) if code <= 0x10FFFF else None


def percents(text: str) -> Iterator[Edit]:
    """`%69` (RFC 3986, section 2.1); what is not ASCII is UTF-8."""
    at = text.find("%")
    while at >= 0:
        octets, end = _octets(text, at)
        if octets:
            yield Edit(at, end, octets.decode("utf-8", "replace"))
        at = text.find("%", end)


def _octets(text: str, at: int) -> tuple[bytes, int]:
    """One octet of ASCII, or all that follow each other of what is not; and where they end."""
    octets = bytearray()
    while text.startswith("%", at) and len(digits := text[at + 1 : at + 3]) == 2:
        if not _HEX.issuperset(digits):
            break
        octet = int(digits, 16)
        if octets and octet < 0x80:
            break
        octets.append(octet)
        at += 3
        if octet < 0x80:
            break
    return bytes(octets), at if octets else at + 1


def entities(text: str) -> Iterator[Edit]:
    """`&#105;`, `&#x69;` and `&amp;` (HTML, section 13.5)."""
    at = text.find("&")
    while at >= 0:
        end = text.find(";", at + 1, at + _NAME + 2)
        character = _entity(text[at + 1 : end]) if end > 0 else None
        if character:
            yield Edit(at, end + 1, character)
        at = text.find("&", end + 1 if character else at + 1)


def _entity(name: str) -> str | None:
    if not name.startswith("#"):
        return html5.get(f"{name};")
    if name[1:2] in ("x", "X"):
        return _character(name[2:].lstrip("0")[:7])
    return _character(name[1:].lstrip("0")[:7], 10)


_TAG: Final = 0xE0000
_BLACK_FLAG: Final = "\U0001f3f4"


def tags(text: str) -> Iterator[Edit]:
    """Tag characters (U+E0020 to U+E007E) as the ASCII that they repeat; flags of regions stay flags."""
    if text.isascii() or max(text) < "\U000e0000":
        return
    end = 0
    for at, character in enumerate(text):
        if at >= end and _tag(character):
            end = _run(text, at, _tag)
            if not text.startswith(_BLACK_FLAG, at - 1):
                said = "".join(chr(ord(each) - _TAG) for each in text[at:end])
                yield Edit(at, end, "".join(filter(str.isprintable, said)))


def _tag(character: str) -> bool:
    return "\U000e0000" <= character <= "\U000e007f"


_SELECTORS: Final = frozenset(map(chr, (*range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))))

SELECTORS: Final = 4
"""Variation selectors in a row from which on they carry something: a letter has one."""


def selectors(text: str) -> Iterator[Edit]:
    """Octets that variation selectors carry: 256 of them are there."""
    if text.isascii() or _SELECTORS.isdisjoint(text):
        return
    end = 0
    for at, character in enumerate(text):
        if at >= end and _selector(character) is not None:
            end = _run(text, at, lambda each: _selector(each) is not None)
            if end - at >= SELECTORS:
                octets = bytes(_selector(each) or 0 for each in text[at:end])
                yield Edit(at, end, octets.decode("utf-8", "replace"))


def _selector(character: str) -> int | None:
    code = ord(character)
    if 0xFE00 <= code <= 0xFE0F:
        return code - 0xFE00
    return code - 0xE0100 + 16 if 0xE0100 <= code <= 0xE01EF else None


def _run(text: str, at: int, belongs: Callable[[str], bool]) -> int:
    while at < len(text) and belongs(text[at]):
        at += 1
    return at
