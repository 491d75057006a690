"""JSON that means the same to everybody who reads it.

What is decided on must be what is sent, so a body with two readings (duplicate keys, numbers that
lose value, lone surrogates) is refused or, in results, mended visibly. Decoding is fast when our
encoding of the tree is the body itself, which proves that nothing was dropped; anything else takes
the careful way. Equal in value means: same tree, exact integers, same doubles, same code points.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from bawn.errors import MESSAGE_JSON, MESSAGE_LIMITS, Refused
from bawn.model import Json

encode = msgspec.json.encode
_decode = msgspec.json.decode

REPLACEMENT: Final = "\ufffd"

DIGITS: Final = 1_000
"""Digits of an integer: reading one takes time by their square, so longer ones are refused. Every process that reads
messages has the same limit: what one has read and kept, the others have to be able to read."""

OFF_LOOP: Final = 32 * 1024
"""Bodies above this many bytes are given to `careful` on a thread: it would hold up other calls."""

_SHORT: Final = 4096  # bytes, below which counting is cheaper than searching
_FEW: Final = 200  # commas


@dataclass(frozen=True, slots=True)
class JsonLimits:
    """Bounds of one message: nesting, and values (counted as commas and opening brackets).

    Bodies of up to `short` bytes cannot hold more values.
    """

    depth: int = 64
    nodes: int = 100_000
    short: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "short", min(_SHORT, self.nodes - 1))


def canonical(body: bytes, limits: JsonLimits) -> Any:
    """The tree, if `body` is exactly how we would write it and small; else None (take `careful`).

    JSON null also gives None, and `careful` then answers for it.
    """
    # nearly every body is short, and has no more brackets in all than may be nested
    if (len(body) > limits.short or body.count(b"{") + body.count(b"[") > limits.depth) and not (
        _few(body, limits) or _within(body, limits)
    ):
        return None
    try:
        tree = _decode(body)
        return tree if encode(tree) == body else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def careful(body: bytes, limits: JsonLimits, *, mend: bool = False) -> Any:
    """The tree of any acceptable JSON text; with `mend`, lone surrogates become U+FFFD.

    Costs up to tens of microseconds for each KB: callers take large bodies off the event loop.

    Raises:
        Refused: message.json or message.limits, saying what was wrong and never quoting it.
    """
    _check_limits(body, limits)
    tree = _but_for_blanks(body)
    if tree is not None:
        return tree
    try:
        tree = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
        return _well_formed(tree, mend)
    except Refused:
        raise
    except UnicodeDecodeError as error:
        raise Refused(MESSAGE_JSON, "it is not valid UTF-8") from error
    except json.JSONDecodeError as error:
        where = f"{error.msg} at line {error.lineno}, column {error.colno}"
        raise Refused(MESSAGE_JSON, where) from error
    except RecursionError as error:
        raise Refused(MESSAGE_LIMITS) from error
    except ValueError as error:  # CPython's limit on the digits of an integer
        raise Refused(MESSAGE_JSON, "it has an integer of too many digits") from error


def _but_for_blanks(body: bytes) -> Any:
    """The tree, if `body` without the blanks between its tokens is how we would write it; else None.

    Many write JSON with a space after each comma and colon: this costs half of reading it with care.
    """
    try:
        tree = _decode(body)
        return tree if encode(tree) == msgspec.json.format(body, indent=-1) else None
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _well_formed(tree: Any, mend: bool) -> Any:
    try:
        encode(tree)
    except UnicodeEncodeError as error:
        if not mend:
            raise Refused(MESSAGE_JSON, "it has a lone surrogate in a string") from error
        return _mended(tree)
    return tree


def _few(body: bytes, limits: JsonLimits) -> bool:
    """Whether a long body has so few brackets and commas that it plainly keeps the limits.

    Searching for the first few bytes of a kind is many times faster than counting them all.
    """
    half = limits.depth // 2
    return (
        limits.depth + _FEW < limits.nodes
        and _holds_at_most(body, b"{", half)
        and _holds_at_most(body, b"[", half)
        and _holds_at_most(body, b",", _FEW)
    )


def _holds_at_most(body: bytes, byte: bytes, most: int) -> bool:
    position = -1
    for _ in range(most + 1):
        position = body.find(byte, position + 1)
        if position < 0:
            return True
    return False


def _within(body: bytes, limits: JsonLimits) -> bool:
    """Whether the body surely keeps the limits, told from counts that are never too low."""
    openings = body.count(b"{") + body.count(b"[")
    if openings + body.count(b",") >= limits.nodes:
        return False
    if openings <= limits.depth:
        return True
    structure = _structure(body, limits)
    return structure is not None and _depth(structure) <= limits.depth


def _check_limits(body: bytes, limits: JsonLimits) -> None:
    if _within(body, limits):
        return
    structure = _structure(body, limits)
    if structure is None or _count(structure) >= limits.nodes:
        raise Refused(MESSAGE_LIMITS, f"more than {limits.nodes} values")
    if _depth(structure) > limits.depth:
        raise Refused(MESSAGE_LIMITS, f"deeper than {limits.depth} levels")


def _count(structure: bytes) -> int:
    return structure.count(b"{") + structure.count(b"[") + structure.count(b",")


def _structure(body: bytes, limits: JsonLimits) -> bytes | None:
    """The body without its strings, by C-speed operations only.

    None when it has more strings than the most values and their keys: each would cost memory.
    """
    unescaped = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    if unescaped.count(b'"') > 4 * limits.nodes:
        return None
    return b"".join(unescaped.split(b'"')[::2])


_NOT_BRACKETS: Final = bytes(sorted(set(range(256)) - set(b"[]{}")))


def _depth(structure: bytes) -> int:
    depth = deepest = 0
    for byte in structure.translate(None, _NOT_BRACKETS):
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        else:
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> Json:
    tree = dict(pairs)
    if len(tree) != len(pairs):
        raise Refused(MESSAGE_JSON, "an object has the same key twice")
    return tree


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise Refused(MESSAGE_JSON, "it has a number out of range")
    return number


def _no_constant(text: str) -> float:
    raise Refused(MESSAGE_JSON, f"{text} is not JSON")


def _mended(tree: Any) -> Any:
    """The tree with every lone surrogate replaced, keys included; depth is bounded by the limits."""
    if isinstance(tree, str):
        # surrogate pairs were joined by the decoder: what is left stands alone
        return "".join(REPLACEMENT if "\ud800" <= c <= "\udfff" else c for c in tree)
    if isinstance(tree, list):
        return [_mended(value) for value in tree]
    if isinstance(tree, dict):
        return _unique([(_mended(key), _mended(value)) for key, value in tree.items()])
    return tree
