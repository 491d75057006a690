"""The correlation id, and the trace context that goes on to servers.

What the caller says in `_meta` wins over its HTTP headers. A context that is malformed is none, and
its state goes with it; what goes on has the caller's trace and a span of ours.

Sources: W3C Trace Context, sections 3.2 to 3.4; W3C Baggage, section 3.3; basic/index `_meta`.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from typing import Any, Final

from bawn.model import Json

PARENT: Final = "traceparent"
STATE: Final = "tracestate"
BAGGAGE: Final = "baggage"

_CONTEXT: Final = frozenset({PARENT, STATE, BAGGAGE})
_HEX: Final = frozenset("0123456789abcdef")
_FLAGS: Final = 0x03  # sampled, and a random id; what else there is must not be passed on
_LONGEST: Final = {STATE: 2048, BAGGAGE: 8192}  # characters
_VISIBLE: Final = frozenset(string.printable) - frozenset("\t\n\r\x0b\x0c")


def trace_id(meta: Json, headers: Mapping[bytes, bytes], fresh: Callable[[], int]) -> str:
    """32 hex digits: of the caller's trace, else of the 128 random bits that `fresh` gives."""
    if PARENT in meta or b"traceparent" in headers:
        given = _given(meta, headers)
        if given is not None:
            return given[3:35]
    return fresh().to_bytes(16, "big").hex()


def child(meta: Json, headers: Mapping[bytes, bytes], span: Callable[[], int]) -> str | None:
    """The `traceparent` to send on: the caller's trace, and a span of the 64 bits that `span` gives.

    None when the caller gave no valid one.
    """
    if PARENT not in meta and b"traceparent" not in headers:
        return None
    given = _given(meta, headers)
    if given is None:
        return None
    flags = int(given[53:55], 16) & _FLAGS
    return f"00-{given[3:35]}-{span() or 1:016x}-{flags:02x}"


def gathered(meta: Json, headers: Mapping[bytes, bytes]) -> Json:
    """A request's `_meta` with the context that only its HTTP headers have."""
    if PARENT in meta:
        return meta
    given = {name: _header(headers, name) for name in (PARENT, STATE, BAGGAGE)}
    return {**{name: value for name, value in given.items() if value is not None}, **meta}


def carried(meta: Json, *, parent: str | None = None, baggage: bool) -> Json:
    """A request's `_meta` with the context that goes on: `parent` is what `child` gave.

    Without one the state goes too. `baggage` says whether the server is trusted with the caller's.
    """
    if parent is None and _CONTEXT.isdisjoint(meta):
        return meta
    made = {key: value for key, value in meta.items() if key not in _CONTEXT}
    if parent is not None:
        made[PARENT] = parent
        if PARENT in meta and (state := _text(STATE, meta.get(STATE))) is not None:
            made[STATE] = state
    if baggage and (packed := _text(BAGGAGE, meta.get(BAGGAGE))) is not None:
        made[BAGGAGE] = packed
    return made


def fields(
    meta: Json, headers: Mapping[bytes, bytes], *, parent: str | None, baggage: bool
) -> tuple[tuple[bytes, bytes], ...]:
    """The header fields that say the same; `meta` and `headers` are the caller's own."""
    made = []
    if parent is not None:
        made.append((PARENT.encode(), parent.encode()))
        state = meta.get(STATE) if PARENT in meta else _header(headers, STATE)
        if (text := _text(STATE, state)) is not None:
            made.append((STATE.encode(), text.encode()))
    if baggage:
        given = meta[BAGGAGE] if BAGGAGE in meta else _header(headers, BAGGAGE)
        if (text := _text(BAGGAGE, given)) is not None:
            made.append((BAGGAGE.encode(), text.encode()))
    return tuple(made)


def _given(meta: Json, headers: Mapping[bytes, bytes]) -> str | None:
    """The caller's `traceparent`, if it is one: version, trace-id, parent-id and flags, in hex."""
    parent = meta[PARENT] if PARENT in meta else _header(headers, PARENT)
    if not isinstance(parent, str) or len(parent) < 55:
        return None
    if parent[2] != "-" or parent[35] != "-" or parent[52] != "-":
        return None
    version, trace, span, flags = parent[:2], parent[3:35], parent[36:52], parent[53:55]
    if not all(map(_HEX.issuperset, (version, trace, span, flags))):
        return None
    if version == "ff" or trace == "0" * 32 or span == "0" * 16:
        return None
    # later versions may add to it, behind another hyphen
    if len(parent) > 55 and (version == "00" or parent[55] != "-"):
        return None
    return parent


def _header(headers: Mapping[bytes, bytes], name: str) -> str | None:
    value = headers.get(name.encode())
    return None if value is None else value.decode("latin-1")


def _text(name: str, value: Any) -> str | None:
    """A value that can stand in a header field, and is not beyond reason."""
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST[name]:
        return None
    return value if _VISIBLE.issuperset(value) else None
