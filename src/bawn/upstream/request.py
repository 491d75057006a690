"""What may stand in a request of ours: methods and header fields, the same for every client.

A field that ends early, or one that frames the message a second time, would let two readers see two
requests (RFC 9110, section 5.5; RFC 9112, section 11.2).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from bawn.errors import UPSTREAM_UNREACHABLE, Refused

METHODS_WITHOUT_BODY: Final = frozenset({"GET", "DELETE", "OPTIONS"})

_METHODS: Final = METHODS_WITHOUT_BODY | {"POST", "PUT", "PATCH"}  # no HEAD: its replies lie
_TOKEN: Final = frozenset(
    b"!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
)
_THE_CLIENTS: Final = frozenset(  # or for no one to send
    b"host content-length accept-encoding transfer-encoding connection expect upgrade te trailer".split()
)


def check_method(method: str) -> None:
    """Let through the methods that are carried.

    Raises:
        Refused: upstream.unreachable.
    """
    if method not in _METHODS:
        raise Refused(UPSTREAM_UNREACHABLE, detail=f"method {method!r} is not carried")


@lru_cache(maxsize=1024)
def field_lines(headers: tuple[tuple[bytes, bytes], ...]) -> bytes:
    """The header fields as they stand on the wire; the same ones come with every call of a tool.

    Raises:
        Refused: upstream.unreachable, for a name or value that must not be sent.
    """
    lines = b"".join([b": ".join(field) + b"\r\n" for field in headers])
    if len(lines.translate(None, b"\r\n\0")) != len(lines) - 2 * len(headers):
        raise Refused(UPSTREAM_UNREACHABLE, detail="a header to send has CR, LF or NUL in it")
    for name, _ in headers:
        if not _is_sendable(name):
            raise Refused(UPSTREAM_UNREACHABLE, detail=f"header {name!r} is not for callers to set")
    return lines


@lru_cache(maxsize=256)
def _is_sendable(name: bytes) -> bool:
    return bool(name) and _TOKEN.issuperset(name) and name.lower() not in _THE_CLIENTS
