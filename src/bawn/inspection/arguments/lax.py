"""What a careless server may make of a text: percent, double percent, overlong UTF-8, `%u`, `0x2f`, entities.

Decoders differ in what they accept; here the loosest of each kind is taken, for the question is whether
any of them would see a separator or dots.
"""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

_ROUNDS: Final = 4
_LONGEST: Final = 8192

# one alternation, each branch of fixed length: matching is linear
_ESCAPE: Final = re.compile(
    r"%u([0-9a-f]{4})|%25|%%(3[0-9]|[46][1-6])%{1,2}(3[0-9]|[46][1-6])|%([0-9a-f]{2})|0x(2e|2f|5c)|\\x([0-9a-f]{2})|\\u([0-9a-f]{4})",
    re.IGNORECASE,
)
_OVERLONG: Final = re.compile(
    r"%c[01]%([0-9a-z]{2})|%e0%80%([0-9a-f]{2})|%f0%80%80%([0-9a-f]{2})|%f8%80%80%80%([0-9a-f]{2})|%fc%80%80%80%80%([0-9a-f]{2})",
    re.IGNORECASE,
)


def decoded(text: str) -> str:
    """The text as the loosest decoder would have it in the end; at most four layers, 8,192 characters."""
    text = text[:_LONGEST]
    for _ in range(_ROUNDS):
        if "%" not in text and "&" not in text and "\\" not in text and "0x" not in text:
            break
        after = _once(text)
        if after == text:
            break
        text = after
    return text if text.isascii() else unicodedata.normalize("NFKC", text)


def _once(text: str) -> str:
    text = _OVERLONG.sub(_short, text)
    text = _ESCAPE.sub(_character, text)
    return html.unescape(text) if "&" in text else text


def _short(match: re.Match[str]) -> str:
    """The ASCII character that an overlong form stands for: the low bits count, the rest is padding."""
    digits = next(group for group in match.groups() if group is not None)
    try:
        low = int(digits, 16) & 0x3F
    except ValueError:  # `%c0%qf` and the like: some decoders compute with the wrong digits
        return "/"
    second = match.group(0)[:3].lower() == "%c1"
    return chr(low | 0x40) if second else chr(low)


def _character(match: re.Match[str]) -> str:
    wide, high, low, byte, plain, escaped, unicode = match.groups()
    if plain or byte or escaped:
        return chr(int(plain or byte or escaped, 16))
    if wide or unicode:
        return chr(int(wide or unicode, 16))
    if high:  # two digits, each in percent form itself
        return chr(int(chr(int(high, 16)) + chr(int(low, 16)), 16))
    return "%"
