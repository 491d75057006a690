"""Canonical → legacy client: what a client with a handshake version can understand.

Legacy requests need no counterpart here: their params are canonical once the caller's metadata
stands beside them, and `canonical_meta` writes that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bawn.errors import (
    HEADER_MISMATCH,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MISSING_CAPABILITY,
    RESOURCE_NOT_FOUND_LEGACY,
    UNSUPPORTED_VERSION,
)
from bawn.model import Client, Json
from bawn.protocol import versions
from bawn.protocol.versions import META_CAPABILITIES

_MODERN_MEMBERS: Final = ("resultType", "ttlMs", "cacheScope")
_MODERN_ERRORS: Final = frozenset({HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION})
_OBJECT: Final[Json] = {"type": "object"}


def canonical_meta(meta: Json, client: Client) -> Json:
    """A request's `_meta` as a modern client would have sent it to a server that may ask nothing back.

    No capability is declared: what a server asks back cannot be relayed to the caller yet.
    """
    if versions.META_VERSION in meta:
        return meta if meta.get(META_CAPABILITIES) == {} else {**meta, META_CAPABILITIES: {}}
    return {
        **meta,
        versions.META_VERSION: versions.MODERN,
        META_CAPABILITIES: {},
        versions.META_CLIENT: {"name": client.name or "unknown", "version": ""},
    }


def result(method: str, value: Json) -> Json:
    """A canonical result as a legacy client gets it."""
    legacy = {key: member for key, member in value.items() if key not in _MODERN_MEMBERS}
    meta = legacy.get("_meta")
    if isinstance(meta, dict) and versions.META_SERVER in meta:
        rest = {key: member for key, member in meta.items() if key != versions.META_SERVER}
        legacy.pop("_meta")
        if rest:
            legacy["_meta"] = rest
    if method == "tools/call" and not isinstance(legacy.get("structuredContent", {}), dict):
        del legacy[
            "structuredContent"
        ]  # before 2026-07-28 it had to be an object; the text copy stays
    return legacy


def tool(definition: Json) -> Json:
    """A tool definition as a legacy client gets it: without an output schema that is no object's."""
    schema = definition.get("outputSchema", _OBJECT)
    if isinstance(schema, dict) and schema.get("type") == "object":
        return definition
    return {key: value for key, value in definition.items() if key != "outputSchema"}


def error(method: str, value: Mapping[str, Any]) -> Json:
    """A canonical error in the codes of the handshake versions."""
    code = value.get("code")
    if method == "resources/read" and code == INVALID_PARAMS:
        return {**value, "code": RESOURCE_NOT_FOUND_LEGACY}
    if code in _MODERN_ERRORS:  # they mean nothing before 2026-07-28
        return {**value, "code": INVALID_REQUEST}
    return dict(value)
