"""Stretches of a text that are another text in base64, base32 or hexadecimal (RFC 4648)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Final

from bawn.detectors.spans import Edit

SHORTEST: Final = 16
"""Characters of a stretch that is decoded: what is shorter says little, and words look like it."""

_LINE: Final = 48  # characters from which on a stretch may go on in the next line
_HEAD: Final = 96  # characters of which a stretch is judged, before all of it is decoded
_PRINTABLE: Final = 0.95

_ALPHABET: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_=")
_APART: Final = {
    code: " " for code in range(128) if chr(code) not in _ALPHABET and chr(code) != "\n"
}
_HEX: Final = frozenset("0123456789abcdefABCDEF")
_BASE32: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567=")


def stretches(text: str) -> Iterator[Edit]:
    """What each encoded stretch says, where it says something that can be read."""
    for start, end in _candidates(text):
        stretch = text[start:end]
        whole = decoded(stretch)
        if whole is not None:
            yield Edit(start, end, whole)
        elif "/" in stretch or "=" in stretch or "-" in stretch:
            yield from _pieces(stretch, start)


def decoded(stretch: str) -> str | None:
    """What a stretch says; None when it is nothing that can be read."""
    plain = "".join(stretch.split())
    head = plain[:_HEAD]
    if _HEX.issuperset(head) and len(plain) % 2 == 0:
        return _readable(_unhexed(plain))
    if _BASE32.issuperset(head) and (said := _readable(_base32(plain))):
        return said
    if len(plain) > _HEAD and _readable(_base64(head)) is None:
        return None
    return _readable(_base64(plain))


def _pieces(stretch: str, start: int) -> Iterator[Edit]:
    """A stretch that is part of a path or an assignment, piece by piece."""
    at = 0
    for piece in stretch.translate(_CUTS).split(" "):
        if len(piece) >= SHORTEST and (said := decoded(piece)) is not None:
            yield Edit(start + at, start + at + len(piece), said)
        at += len(piece) + 1


_CUTS: Final = {ord(each): " " for each in "/=-\n"}


def _candidates(text: str) -> Iterator[tuple[int, int]]:
    """Stretches of the alphabets; long ones that are broken into lines are one."""
    begun: tuple[int, int] | None = None
    start = 0
    for word in text.translate(_APART).replace("\n", "\n ").split(" "):
        length = len(word)
        broken = word.endswith("\n")
        bare = length - broken
        if bare >= SHORTEST or (begun and bare and word.isascii()):
            begun = (begun[0] if begun else start, start + bare)
            if broken and bare >= _LINE:
                start += length
                continue
        if begun:
            yield begun
            begun = None
        start += length + (not broken)
    if begun:
        yield begun


def _unhexed(stretch: str) -> bytes:
    try:
        return bytes.fromhex(stretch)
    except ValueError:
        return b""


def _base32(stretch: str) -> bytes:
    bare = stretch.rstrip("=")
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8))
    except binascii.Error:
        return b""


def _base64(stretch: str) -> bytes:
    bare = stretch.rstrip("=").replace("-", "+").replace("_", "/")
    bare = bare[: len(bare) - (len(bare) % 4 == 1)]
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _readable(data: bytes) -> str | None:
    """Data as text in UTF-8 or UTF-16, if it is mostly text; a character cut off at its end is left out."""
    if len(data) < 8:
        return None
    if data[1:16:2].count(0) == len(data[1:16:2]):
        text = data.decode("utf-16-le", "ignore")
    else:
        try:
            text = data[: _whole(data)].decode()
        except UnicodeDecodeError:
            return None
    printable = (
        sum(map(str.isprintable, text)) + text.count("\n") + text.count("\r") + text.count("\t")
    )
    return text if text and printable >= _PRINTABLE * len(text) else None


def _whole(data: bytes) -> int:
    """The length of data without a character that is cut off at its end."""
    for back in range(1, min(4, len(data)) + 1):
        octet = data[-back]
        if octet >= 0xC0:
            return (
                len(data) - back
                if back < (2 if octet < 0xE0 else 3 if octet < 0xF0 else 4)
                else len(data)
            )
        if octet < 0x80:
            break
    return len(data)
