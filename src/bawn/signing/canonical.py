"""What is signed has one writing: RFC 8785. A second way to write the same is refused."""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final, TypeVar

import msgspec
import rfc8785

from bawn.errors import Refused
from bawn.protocol.strict import JsonLimits, careful
from bawn.signing.unverified import Unverified

LARGEST: Final = 1 << 20
"""Bytes of one signed payload: statements take hundreds, roots with every key a few thousand."""

_FILE: Final = JsonLimits(depth=256, nodes=10_000_000)

T = TypeVar("T")


def encode(value: object) -> bytes:
    """The canonical writing of a statement or root, as a Struct."""
    return rfc8785.dumps(msgspec.to_builtins(value))


def decode(payload: bytes, kind: type[T]) -> T:
    """A value from its canonical writing.

    Raises:
        Unverified: malformed: too large, not JSON, not the canonical writing (which also keeps out
            duplicate keys and anything after the end), or not of this shape.
    """
    if len(payload) > LARGEST:
        raise Unverified("malformed", f"what is signed is larger than {LARGEST} bytes")
    try:
        tree = msgspec.json.decode(payload)
        if rfc8785.dumps(tree) != payload:
            raise Unverified("malformed", "what is signed is not in canonical form (RFC 8785)")
        return msgspec.convert(tree, kind)
    except msgspec.MsgspecError as error:
        raise Unverified("malformed", f"what is signed has the wrong shape: {error}") from None
    except (rfc8785.CanonicalizationError, UnicodeError, RecursionError):
        raise Unverified("malformed", "what is signed is not acceptable JSON") from None


def form(value: Any) -> bytes:
    """The canonical writing of any JSON value; integers beyond 2^53 are written with all their digits.

    RFC 8785 leaves those out, and schemas have them as bounds.

    Raises:
        ValueError: it is not JSON.
    """
    if isinstance(value, dict):
        members = sorted(value.items(), key=lambda each: each[0].encode("utf-16-be"))
        return b"{%b}" % b",".join(form(name) + b":" + form(inner) for name, inner in members)
    if isinstance(value, list):
        return b"[%b]" % b",".join(map(form, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value).encode()
    return rfc8785.dumps(value)


def read(content: bytes, what: str) -> Any:
    """The tree of a file that holds signatures, in any writing that has one meaning.

    Raises:
        Unverified: malformed.
    """
    try:
        return careful(content, _FILE)
    except Refused as error:
        raise Unverified("malformed", f"{what}: {error.public or error.message}") from None


def digest(content: bytes) -> str:
    """SHA-256 in hex."""
    return sha256(content).hexdigest()
