"""Mirrored headers: they repeat the body, are checked against it, and are never trusted.

Source: transports/streamable-http, "Standard Headers" (2026-07-28).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from bawn.errors import HEADER_BODY, Refused
from bawn.protocol.envelope import Message
from bawn.protocol.versions import METHODS

VERSION: Final = b"mcp-protocol-version"
METHOD: Final = b"mcp-method"
NAME: Final = b"mcp-name"
SESSION: Final = b"mcp-session-id"
ROUTING: Final = frozenset(
    {VERSION, METHOD, NAME, SESSION, b"authorization", b"content-type", b"host", b"origin"}
    | {b"bawn-project"}
)

_OPEN: Final = "=?base64?"
_CLOSE: Final = "?="


def single(headers: list[tuple[bytes, bytes]]) -> dict[bytes, bytes]:
    """The headers by name; one that steers the gate may stand there only once.

    Raises:
        Refused: header.mismatch for a repeated routing header.
    """
    named = dict(headers)
    if len(named) != len(headers):
        seen: set[bytes] = set()
        for name, _ in headers:
            if name in seen and name in ROUTING:
                raise Refused(HEADER_BODY, f"{name.decode('latin-1')} stands there twice")
            seen.add(name)
    return named


def check(message: Message, version: str, headers: Mapping[bytes, bytes]) -> None:
    """Refuse a modern request whose headers do not repeat its body.

    Raises:
        Refused: header.mismatch, naming the header.
    """
    if headers.get(VERSION) != version.encode():
        raise Refused(HEADER_BODY, "MCP-Protocol-Version differs from the body")
    if headers.get(METHOD) != message.method.encode():
        raise Refused(HEADER_BODY, "Mcp-Method differs from the body, or is missing")
    method = METHODS.get(message.method)
    if method is None or method.named is None:
        return
    expected, given = message.params.get(method.named), headers.get(NAME)
    if not isinstance(expected, str):
        return  # the parameter itself is refused further on, more precisely
    # what others could read differently is decoded even when the bytes are equal
    if given == expected.encode() and given.isascii() and given[:2] != b"=?":
        return
    if given is None or decode(given) != expected:
        raise Refused(HEADER_BODY, "Mcp-Name differs from the body, or is missing")


def decode(value: bytes) -> str | None:
    """The text of a header value, unwrapped from base64 if it is so; None when malformed."""
    try:
        text = value.decode("ascii")
        if not _wrapped(text):
            return text
        if len(text) < len(_OPEN) + len(_CLOSE):
            return None  # the two share their question mark
        payload = text[len(_OPEN) : -len(_CLOSE)]
        raw = base64.b64decode(payload, validate=True)
        return raw.decode("utf-8") if base64.b64encode(raw).decode() == payload else None
    except (binascii.Error, UnicodeDecodeError):
        return None


def encode(text: str) -> bytes:
    """The header value for a text: as it is when printable ASCII survives, else base64."""
    plain = text.isascii() and text.isprintable() and text == text.strip()
    if plain and not _wrapped(text):
        return text.encode()
    return f"{_OPEN}{base64.b64encode(text.encode()).decode()}{_CLOSE}".encode()


def _wrapped(text: str) -> bool:
    return text.startswith(_OPEN) and text.endswith(_CLOSE)
