"""The names of the members of an archive that is given inline: names alone, and within bounds.

Sources: APPNOTE.TXT 6.3.10 (zip: local and central headers both, for programs trust either), POSIX pax/ustar and
GNU tar (long names and link targets included).
"""

from __future__ import annotations

import base64
import binascii
import bz2
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from io import BytesIO
from typing import Final

MARKS: Final = (
    "UEsDB",
    "UEsFB",
    "H4sI",
    "QlpoO",
    "/Td6WFoA",
    "_Td6WFoA",
    "c3Rhc",
    "KLUv/",
    "N3q8ry",
)
"""How archives begin (or `ustar`, at its place in a header) when they are written in base64."""

_PACKED: Final = 4 << 20
_UNPACKED: Final = 8 << 20
_MEMBERS: Final = 10_000
_LOCAL: Final = b"PK\x03\x04"
_CENTRAL: Final = b"PK\x01\x02"


def is_archive(text: str) -> bool:
    """Whether a text may be an archive in base64."""
    start = text.lstrip()[:64]
    body = start.partition("base64,")[2] or start
    return body.startswith((*MARKS[:6], *MARKS[7:])) or "c3Rhc" in text[:512]


def members(text: str) -> Iterator[str]:
    """Names and link targets of its members, as far as they can be read."""
    raw = _raw(text)
    if raw.startswith(b"PK"):
        yield from _zipped(raw)
        return
    try:
        yield from _tarred(_unpacked(raw))
    except (tarfile.TarError, EOFError, ValueError, zlib.error, lzma.LZMAError, OSError):
        return


def _raw(text: str) -> bytes:
    body = text.partition("base64,")[2] if text.lstrip().startswith("data:") else text
    packed = "".join(body[:_PACKED].split()).replace("-", "+").replace("_", "/").rstrip("=")
    whole = packed[: len(packed) - len(packed) % 4] if len(packed) % 4 == 1 else packed
    try:
        return base64.b64decode(whole + "=" * (-len(whole) % 4))
    except (binascii.Error, ValueError):
        return b""


def _unpacked(raw: bytes) -> bytes:
    if raw.startswith(b"\x1f\x8b"):
        return zlib.decompressobj(31).decompress(raw, _UNPACKED)
    if raw.startswith(b"BZh"):
        return bz2.BZ2Decompressor().decompress(raw, _UNPACKED)
    if raw.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(raw, _UNPACKED)
    return raw


def _zipped(raw: bytes) -> Iterator[str]:
    for mark, length_at, name_at in ((_LOCAL, 26, 30), (_CENTRAL, 28, 46)):
        index = raw.find(mark)
        for _ in range(_MEMBERS):
            if index < 0:
                break
            length = int.from_bytes(raw[index + length_at : index + length_at + 2], "little")
            yield raw[index + name_at : index + name_at + length].decode(errors="replace")
            index = raw.find(mark, index + 4)


def _tarred(raw: bytes) -> Iterator[str]:
    with tarfile.open(fileobj=BytesIO(raw), mode="r:") as archive:
        for _ in range(_MEMBERS):
            member = archive.next()
            if member is None:
                return
            yield member.name
            if member.linkname:
                yield member.linkname
