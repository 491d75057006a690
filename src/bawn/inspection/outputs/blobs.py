"""Text that comes as Base64: decoded to look at, and put back when something in it was changed."""

from __future__ import annotations

import codecs
from base64 import b64decode, b64encode
from binascii import Error
from typing import Any, Final

LOOKED_AT: Final = 256 << 10
"""Bytes of one blob that are decoded."""

_WHOLE: Final = LOOKED_AT // 3 * 3  # in whole groups of Base64
_CUT: Final = LOOKED_AT // 3 * 4  # characters that they have

_SUFFIXES: Final = ("+json", "+xml", "+yaml", "/json", "/xml", "/yaml", "/toml", "javascript")
_TEXTS: Final = ("text/", "image/svg", "application/x-sh", "application/x-yaml", "application/sql")
_OTHERWISE: Final = str.maketrans("-_", "+/")  # RFC 4648, section 5
_MARKED: Final = {b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
_DECODERS: Final = {
    "utf-8": codecs.utf_8_decode,
    "utf-16-le": codecs.utf_16_le_decode,
    "utf-16-be": codecs.utf_16_be_decode,
}
_SNIFFED: Final = 1024  # bytes


def decoded(data: str, mime: Any) -> str | None:
    """The text of a blob as far as it is looked at; None when it is none, such as an image.

    What reads as text is text, whatever its MIME type says. What is not Base64 at all is its own text:
    nobody knows what a client makes of it.
    """
    said = _essence(mime)
    start = _start(_plain(data))
    if start is None:
        return data
    if said.startswith(_TEXTS) or said.endswith(_SUFFIXES) or _reads_as_text(start):
        return _text(start)[0]
    return None


def is_long(data: str) -> bool:
    """Whether a blob is longer than what is looked at."""
    return len(data) > _CUT


def encoded(data: str, text: str) -> str:
    """The blob with another text in the place of the one that `decoded` gave; its rest as it was."""
    plain = _plain(data)
    start = _start(plain)
    if start is None:
        return b64encode(text.encode()).decode()
    rest = start[_text(start)[1] :] + b64decode(plain[_CUT:])
    return b64encode(text.encode(_codec(start)) + rest).decode()


def _essence(mime: Any) -> str:
    return mime.partition(";")[0].strip().lower() if isinstance(mime, str) else ""


def _plain(data: str) -> str:
    """The blob as most write it, if it is in the other alphabet, in lines, or without its padding."""
    if not len(data) % 4 and "\n" not in data and "-" not in data and "_" not in data:
        return data
    plain = "".join(data.split()).translate(_OTHERWISE).rstrip("=")
    return plain + "=" * (-len(plain) % 4)


def _start(plain: str) -> bytes | None:
    """The first bytes of a blob; None when it is not Base64 throughout."""
    try:
        return b64decode(plain, validate=True)[:_WHOLE]
    except (Error, ValueError):
        return None


def _text(start: bytes) -> tuple[str, int]:
    """The text, and of how many bytes: a character that the cut parted is left out."""
    return _DECODERS[_codec(start)](start, "replace", False)


def _codec(start: bytes) -> str:
    return _MARKED.get(start[:2], "utf-8")


def _reads_as_text(start: bytes) -> bool:
    try:
        text, _ = _DECODERS[_codec(start)](start[:_SNIFFED], "strict", False)
    except UnicodeDecodeError:
        return False
    return bool(text) and "\0" not in text
