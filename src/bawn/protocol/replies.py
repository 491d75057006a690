"""What the caller reads: results and errors in its era, with the HTTP status that goes with them.

Source: transports/streamable-http, "Response Status" (2026-07-28).
"""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil
from typing import Final

from bawn.errors import (
    HEADER_MISMATCH,
    HTTP_METHOD,
    INVALID_PARAMS,
    INVALID_REQUEST,
    MESSAGE_PARAMS,
    METHOD_NOT_FOUND,
    MISSING_CAPABILITY,
    PARSE_ERROR,
    UNSUPPORTED_VERSION,
    VERSION_UNSUPPORTED,
    Refused,
)
from bawn.model import Answer, Json
from bawn.ports import Reply
from bawn.protocol import envelope, legacy_client
from bawn.protocol.versions import MODERN

_STATUS: Final[Mapping[int, int]] = {
    PARSE_ERROR: 400,
    INVALID_REQUEST: 400,
    INVALID_PARAMS: 400,
    HEADER_MISMATCH: 400,
    MISSING_CAPABILITY: 400,
    UNSUPPORTED_VERSION: 400,
    METHOD_NOT_FOUND: 404,
}

_CALL_REASONS: Final = (
    "method.", "message.params", "target.", "cursor.", "resource.", "input.",
)  # fmt: skip
_SAME_CODE: Final = (MESSAGE_PARAMS, VERSION_UNSUPPORTED)
"""A bad parameter is no missing resource, and an unknown version tells no era."""

JSON_TYPE: Final = (b"content-type", b"application/json")


def answer(id_: str | int, method: str, value: Answer, version: str) -> Reply:
    """A server's answer as a client of this version gets it."""
    modern = version == MODERN
    if value.written is not None and modern:
        return Reply(200, envelope.written_result(id_, value.written))
    if value.result is not None:
        result = value.result if modern else legacy_client.result(method, value.result, version)
        return Reply(200, envelope.result(id_, result))
    error = value.error or {}
    if modern:
        return Reply(_STATUS.get(error["code"], 200), envelope.error(id_, error))
    if method == "tools/call" and error["code"] == MISSING_CAPABILITY:
        return _said(id_, error["message"])
    return Reply(200, envelope.error(id_, legacy_client.error(method, error)))


def _said(id_: str | int, text: str) -> Reply:
    """An error that a legacy client has no code for, as a result that the model can read."""
    result: Json = {"content": [{"type": "text", "text": text}], "isError": True}
    return Reply(200, envelope.result(id_, result))


def refusal(
    refused: Refused, *, id_: str | int | None, trace: str, method: str, modern: bool
) -> Reply:
    """A refusal of ours: the kind for the caller, with the ids by which the operator finds more."""
    reason = refused.reason
    data: Json = {**(refused.data or {}), "reason": reason.id, "trace": trace}
    error: Json = {"code": reason.code, "message": refused.message, "data": data}
    status = reason.status
    if not modern and id_ is not None:
        if method == "tools/call" and reason.code == MISSING_CAPABILITY:
            return _said(id_, refused.message)
        if reason not in _SAME_CODE:
            error = legacy_client.error(method, error)
        if status in (400, 404) and reason.id.startswith(_CALL_REASONS):
            status = (
                200  # SDKs of the handshake versions take another status for a broken transport
            )
    headers: tuple[tuple[bytes, bytes], ...] = (JSON_TYPE,)
    if reason is HTTP_METHOD:
        headers += ((b"allow", b"GET, POST, DELETE"),)  # RFC 9110, section 15.5.6
    if refused.challenge is not None:
        headers += ((b"www-authenticate", refused.challenge.encode("latin-1", "replace")),)
    if refused.retry_after is not None:  # RFC 9110, section 10.2.3
        headers += ((b"retry-after", str(ceil(refused.retry_after)).encode()),)
    return Reply(status, envelope.error(id_, error), headers)
