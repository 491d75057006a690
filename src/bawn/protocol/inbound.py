"""A caller's message in canonical form, whichever version the caller speaks.

The version header decides the era: a modern one obliges the body to repeat it in `_meta`; a
handshake one, or none, is a legacy client. Nothing is inferred from earlier requests, except what a
legacy client's sealed session carries.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from bawn.errors import (
    HEADER_BODY,
    MESSAGE_PARAMS,
    METHOD_UNKNOWN,
    VERSION_UNSUPPORTED,
    Refused,
)
from bawn.model import Client, Json, Kind
from bawn.protocol import headers, versions
from bawn.protocol.envelope import Message
from bawn.protocol.rounds import RESPONSES, STATE
from bawn.protocol.versions import (
    LEVELS,
    META_CAPABILITIES,
    META_CLIENT,
    META_LOG_LEVEL,
    META_VERSION,
    METHODS,
    MODERN,
    Method,
)


class Request(msgspec.Struct, frozen=True, gc=False):
    """A request, what the gate knows of its method, and what the caller's software says of itself."""

    id: str | int
    method: Method
    params: Json
    client: Client
    modern: bool


class Notification(msgspec.Struct, frozen=True, gc=False):
    """Something told, which gets no answer."""

    method: str
    params: Json
    modern: bool


_OF_MODERN_ONES: Final = frozenset({STATE, RESPONSES})
LEGACY_DEFAULT: Final = "2025-03-26"
"""What a legacy client speaks that sends no version header (transports/streamable-http)."""


def read(
    message: Message, named: Mapping[bytes, bytes], session: Client | None
) -> Request | Notification:
    """Judge a message with its headers; `session` is what a legacy session says of its client.

    Raises:
        Refused: message.params, header.mismatch, version.unsupported or method.unknown.
    """
    token = message.meta.get("progressToken", "")
    if not isinstance(token, str) and type(token) is not int:
        raise Refused(MESSAGE_PARAMS, "`progressToken` must be a string or an integer")
    if is_modern(message.meta, named):
        return _modern(message, named)
    return _legacy(message, named, session)


def is_modern(meta: Json, named: Mapping[bytes, bytes]) -> bool:
    """Whether a request claims the stateless era, in its body or in its header."""
    return META_VERSION in meta or named.get(headers.VERSION) == _MODERN


_MODERN: Final = MODERN.encode()


def _modern(message: Message, named: Mapping[bytes, bytes]) -> Request | Notification:
    id_, params, meta = message.id, message.params, message.meta
    if id_ is None:
        return Notification(message.method, params, modern=True)
    version, capabilities = meta.get(META_VERSION), meta.get(META_CAPABILITIES)
    if not isinstance(version, str) or not isinstance(capabilities, dict):
        public = "`_meta` must carry protocolVersion and clientCapabilities"
        raise Refused(MESSAGE_PARAMS, public)
    headers.check(message, version, named)
    if meta.get(META_LOG_LEVEL, "info") not in LEVELS:
        raise Refused(MESSAGE_PARAMS, f"`{META_LOG_LEVEL}` must be one of {', '.join(LEVELS)}")
    if version != MODERN:
        raise unsupported(version)
    method = METHODS.get(message.method) or Method(message.method, kind=Kind.METHOD)
    if not method.modern:
        raise Refused(METHOD_UNKNOWN)
    info = meta.get(META_CLIENT)
    name = info.get("name") if isinstance(info, dict) else None
    client = Client(version, name if isinstance(name, str) else "", capabilities)
    return Request(id_, method, params, client, modern=True)


def _legacy(
    message: Message, named: Mapping[bytes, bytes], session: Client | None
) -> Request | Notification:
    version = spoken(named)
    if session is not None and headers.VERSION in named and session.version != version:
        raise Refused(HEADER_BODY, "MCP-Protocol-Version differs from the session's")
    client = session or Client(version)
    if message.id is None:
        return Notification(message.method, message.params, modern=False)
    method = METHODS.get(message.method)
    if method is None or not method.legacy:
        raise Refused(METHOD_UNKNOWN)
    if not _OF_MODERN_ONES.isdisjoint(message.params):
        raise Refused(MESSAGE_PARAMS, "requestState and inputResponses came with 2026-07-28")
    return Request(message.id, method, message.params, client, modern=False)


def spoken(named: Mapping[bytes, bytes]) -> str:
    """The version that a legacy client speaks by its header.

    Raises:
        Refused: version.unsupported.
    """
    header = named.get(headers.VERSION)
    if header is None:
        return LEGACY_DEFAULT
    if header.decode("latin-1") not in versions.HANDSHAKE:
        raise unsupported(header.decode("latin-1"))
    return header.decode()


def unsupported(requested: str) -> Refused:
    """The refusal of a version, with what is served instead."""
    data: Json = {"supported": list(versions.SUPPORTED), "requested": requested[:64]}
    return Refused(VERSION_UNSUPPORTED, data=data)
