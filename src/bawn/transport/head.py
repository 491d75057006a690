"""The header section of a request, read strictly and read twice.

What two readers could take for two requests is refused (RFC 9112, section 11.2): our own reading is
stricter than the grammar, and llhttp has to find the same in the same bytes. Callers repeat their
header section from one request to the next, so the last ones read are remembered whole: the same
bytes mean the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import msgspec
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from bawn.errors import (
    HEADER_BODY,
    HTTP_ENCODING,
    HTTP_EXPECT,
    HTTP_FRAMING,
    HTTP_HEADER,
    HTTP_METHOD,
    HTTP_ONE_HOST,
    HTTP_SYNTAX,
    HTTP_TARGET,
    HTTP_UPGRADE,
    HTTP_VERSION,
    Reason,
    Refused,
)
from bawn.protocol.headers import ROUTING

END: Final = b"\r\n\r\n"
_REMEMBERED: Final = 1024
_SHORT: Final = 2048  # bytes of a header section that is worth remembering
_METHOD: Final = 16

_TEXT: Final = bytes({*range(0x20, 0x100), 0x09} - {0x7F})  # all that may stand in a line
_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VISIBLE: Final = bytes(set(range(0x21, 0x7F)) - set(b"#"))
_VERSIONS: Final = {b"HTTP/1.1": True, b"HTTP/1.0": False}
_NOT_SERVED: Final = frozenset({b"CONNECT", b"TRACE"})
_ONCE: Final[Mapping[bytes, Reason]] = {
    **dict.fromkeys(ROUTING | {b"content-encoding", b"expect", b"bawn-relay"}, HEADER_BODY),
    b"content-length": HTTP_FRAMING,
    b"transfer-encoding": HTTP_FRAMING,
    b"host": HTTP_ONE_HOST,
}

Fields = tuple[tuple[bytes, bytes], ...]


class Head(msgspec.Struct, frozen=True, gc=False):
    """What a header section says. It is shared by all requests that say the same.

    `headers` are by lower-case name, repeated ones joined as RFC 9110, section 5.3 says; none that steers
    the gate stood there twice. `length` is None for a body in chunks. `keep_alive` is the caller's
    wish, `awaits` that it holds its body back until it is told to go on.
    """

    method: bytes
    target: bytes
    fields: Fields
    headers: Mapping[bytes, bytes]
    length: int | None
    modern: bool  # HTTP/1.1
    keep_alive: bool
    awaits: bool


class HeadReader:
    """Reads header sections of at most `size` bytes and `count` fields."""

    def __init__(self, size: int, count: int) -> None:
        self.size: Final = size
        self._count = count
        self._remembered = lru_cache(_REMEMBERED)(self._read)

    def read(self, block: bytes) -> Head:
        """The meaning of the bytes up to and with the empty line.

        Raises:
            Refused: http.* or header.mismatch.
        """
        return self._remembered(block) if len(block) <= _SHORT else self._read(block)

    def too_large(self) -> Refused:
        """The refusal of a header section that is longer."""
        return Refused(HTTP_HEADER, f"at most {self.size} bytes")

    def _read(self, block: bytes) -> Head:
        if len(block) > self.size:
            raise self.too_large()
        lines = block[: -len(END)].split(b"\r\n")
        if len(lines) - 1 > self._count:
            raise Refused(HTTP_HEADER, f"at most {self._count} fields")
        if block.translate(None, _TEXT) != b"\r\n" * (len(lines) + 1):
            raise _syntax("a control character, or a line end that is not CR LF")
        method, target, modern = _request_line(lines[0])
        fields = tuple([_field(line) for line in lines[1:]])
        headers = _by_name(fields)
        if not headers.get(b"host"):
            raise Refused(HTTP_ONE_HOST)
        length = _length(headers, modern)
        _check_upgrade(headers)
        _witness(block, target, fields)
        return Head(
            method,
            target,
            fields,
            headers,
            length,
            modern,
            modern and b"close" not in _tokens(headers, b"connection"),
            _awaits(headers) and modern,
        )


def _syntax(detail: str) -> Refused:
    return Refused(HTTP_SYNTAX, detail=detail)


def _request_line(line: bytes) -> tuple[bytes, bytes, bool]:
    """Method, target and whether it is HTTP/1.1 (RFC 9112, section 3)."""
    parts = line.split(b" ")
    if len(parts) != 3:
        raise _syntax(f"the request line is {line[:80]!r}")
    method, target, version = parts
    modern = _VERSIONS.get(version)
    if modern is None:
        raise Refused(HTTP_VERSION) if version[:5] == b"HTTP/" else _syntax("no version of HTTP")
    if not method.isalpha() or not method.isupper() or len(method) > _METHOD:
        raise _syntax(f"the method is {method[:80]!r}")
    if method in _NOT_SERVED:
        raise Refused(HTTP_METHOD)
    if target[:1] != b"/" or target.translate(None, _VISIBLE):
        raise Refused(HTTP_TARGET, detail=f"the target is {target[:80]!r}")
    return method, target, modern


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Name in lower case, and value without the blanks around it (RFC 9112, section 5)."""
    name, colon, value = line.partition(b":")
    if not name or not colon or name.translate(None, _TOKEN):
        raise _syntax("a header line is no `name: value`, or is folded")
    name = name.lower()
    if name == b"transfer-encoding":  # not every reader knows that these blanks mean nothing
        return name, value.lstrip(b" ")
    return name, value.strip(b" \t")


def _by_name(fields: Fields) -> dict[bytes, bytes]:
    headers = dict(fields)
    if len(headers) == len(fields):
        return headers
    headers = {}
    for name, value in fields:
        if name not in headers:
            headers[name] = value
            continue
        reason = HEADER_BODY if name[:4] == b"mcp-" else _ONCE.get(name)
        if reason is not None:
            raise Refused(reason, f"{name.decode()} stands there twice")
        headers[name] += b", " + value
    return headers


def _length(headers: Mapping[bytes, bytes], modern: bool) -> int | None:
    """How long the body is, in the one way in which it may be said (RFC 9112, section 6)."""
    coding, length = headers.get(b"transfer-encoding"), headers.get(b"content-length")
    if coding is not None:
        if coding != b"chunked" or length is not None or not modern:
            raise Refused(HTTP_FRAMING, detail="Transfer-Encoding is not `chunked` alone")
        return None
    if length is None:
        return 0
    if not length.isdigit() or len(length) > 15 or (length[0] == ord("0") and len(length) > 1):
        raise Refused(HTTP_FRAMING, detail=f"Content-Length is {length[:40]!r}")
    return int(length)


def _check_upgrade(headers: Mapping[bytes, bytes]) -> None:
    if b"upgrade" in headers and b"upgrade" in _tokens(headers, b"connection"):
        raise Refused(HTTP_UPGRADE)
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise Refused(HTTP_ENCODING)


def _awaits(headers: Mapping[bytes, bytes]) -> bool:
    expected = headers.get(b"expect")
    if expected is not None and expected.lower() != b"100-continue":
        raise Refused(HTTP_EXPECT)
    return expected is not None


def _tokens(headers: Mapping[bytes, bytes], name: bytes) -> list[bytes]:
    return [token.strip(b" \t") for token in headers.get(name, b"").lower().split(b",")]


class _Witness:
    """What llhttp finds."""

    def __init__(self) -> None:
        self.target = b""
        self.fields: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self.target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        name = name.lower()
        blanks = b" " if name == b"transfer-encoding" else b" \t"
        self.fields.append((name, value.strip(blanks)))


def _witness(block: bytes, target: bytes, fields: Fields) -> None:
    """Refuse what llhttp refuses, or reads otherwise than we do."""
    witness = _Witness()
    try:
        HttpRequestParser(witness).feed_data(block)
    except HttpParserUpgrade:
        raise Refused(HTTP_UPGRADE) from None
    except HttpParserError as error:
        raise _syntax(f"llhttp: {error}") from None
    if witness.target != target or tuple(witness.fields) != fields:
        raise _syntax("two readers disagree on the header")
