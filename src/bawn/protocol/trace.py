"""The correlation id: the caller's W3C trace-id where there is one, else a fresh one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from bawn.model import Json

_HEX: Final = frozenset("0123456789abcdef")


def trace_id(meta: Json, headers: Mapping[bytes, bytes], fresh: Callable[[], int]) -> str:
    """32 hex digits; `fresh` gives 128 random bits. The body wins over the header (W3C Trace Context)."""
    if "traceparent" in meta or b"traceparent" in headers:
        given = _given(meta, headers)
        if given is not None:
            return given
    return fresh().to_bytes(16, "big").hex()


def _given(meta: Json, headers: Mapping[bytes, bytes]) -> str | None:
    parent = meta.get("traceparent")
    if not isinstance(parent, str):
        parent = headers.get(b"traceparent", b"").decode("latin-1")
    # version "-" trace-id "-" parent-id "-" flags
    if len(parent) >= 55 and parent[2] == "-" and parent[35] == "-":
        trace = parent[3:35]
        if _HEX.issuperset(trace) and trace != "0" * 32:
            return trace
    return None
