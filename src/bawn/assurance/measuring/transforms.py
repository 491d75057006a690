"""Disguises (T6): what a model may still read and a searcher may not. The same text gives the same disguise."""

from __future__ import annotations

import base64
import codecs
from collections.abc import Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import quote

Transform: TypeAlias = Callable[[str], str]

_ALIKE: Final = str.maketrans(
    "aceiopsxyABCEHIKMOPTX",
    "\u0430\u0441\u0435\u0456\u043e\u0440\u0455\u0445\u0443"
    "\u0410\u0412\u0421\u0415\u041d\u0406\u041a\u041c\u041e\u0420\u0422\u0425",
)
"""Cyrillic letters that look like Latin ones (Unicode UTS 39, confusables)."""

_WIDE: Final = 0xFF01 - 0x21
_TAG: Final = 0xE0000
_ZERO_WIDTH: Final = "\u200b"


def _homoglyphs(text: str) -> str:
    return text.translate(_ALIKE)


def _fullwidth(text: str) -> str:
    return "".join(chr(ord(sign) + _WIDE) if "!" <= sign <= "~" else sign for sign in text)


def _zero_width(text: str) -> str:
    """Something invisible within each word, after every second letter."""
    parts = (text[at : at + 2] for at in range(0, len(text), 2))
    return _ZERO_WIDTH.join(parts)


def _tags(text: str) -> str:
    """Characters that nobody sees (U+E0020 to U+E007E)."""
    return "".join(chr(ord(sign) + _TAG) if " " <= sign <= "~" else sign for sign in text)


def _base64(text: str) -> str:
    return base64.b64encode(text.encode(errors="replace")).decode()


def _hex(text: str) -> str:
    return text.encode(errors="replace").hex()


def _percent(text: str) -> str:
    return quote(text, safe="", errors="replace")


def _entities(text: str) -> str:
    return "".join(f"&#x{ord(sign):x};" if sign.isalnum() else sign for sign in text)


def _escapes(text: str) -> str:
    """As JSON may write it inside of a string that a server returns as text."""
    units = text.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _rot13(text: str) -> str:
    return codecs.encode(text, "rot13")


TRANSFORMS: Final[Mapping[str, Transform]] = {
    "upper_case": str.upper,
    "homoglyphs": _homoglyphs,
    "fullwidth": _fullwidth,
    "zero_width": _zero_width,
    "tag_characters": _tags,
    "base64": _base64,
    "hex": _hex,
    "percent": _percent,
    "html_entities": _entities,
    "json_escapes": _escapes,
    "rot13": _rot13,
}
"""By name. `split` is a further one: it is of where texts stand."""

SPLIT: Final = "split_fields"


def halves(text: str) -> tuple[str, str]:
    """A text cut in the middle: between two words, where it has several."""
    middle = len(text) // 2
    cuts = [at for at in range(1, len(text)) if text[at] in " _"]
    at = min(cuts, key=lambda each: abs(each - middle), default=middle)
    return text[:at], text[at:]
