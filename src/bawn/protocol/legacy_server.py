"""Canonical → legacy server: the handshake, and what its messages mean in canonical form.

Sources: basic/versioning and transports/stdio (2026-07-28), basic/lifecycle (2025-11-25).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bawn import __version__
from bawn.errors import (
    HEADER_MISMATCH,
    INTERNAL_ERROR,
    MISSING_CAPABILITY,
    UNSUPPORTED_VERSION,
    UPSTREAM_INVALID,
    Refused,
)
from bawn.model import Json
from bawn.protocol import versions
from bawn.protocol.answers import canonical_error

_REQUEST_META: Final = frozenset(
    {
        versions.META_VERSION,
        versions.META_CAPABILITIES,
        versions.META_CLIENT,
        versions.META_LOG_LEVEL,
    }
)
_NOT_SENT: Final = frozenset({"inputResponses", "requestState", "task"})
"""What belongs to a retry; and `task`, by which 2025-11-25 asks for a task, which we never do."""

_MODERN_ERRORS: Final = frozenset({HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION})
_URL_ELICITATION: Final = -32042
_NOT_ASKED: Final = frozenset({"elicitationId", "task"})  # 2026-07-28 has neither


def initialize_params(offered: Json | None = None, version: str = __version__) -> Json:
    """What bawn introduces itself with; `version` is bawn's own, the protocol's is the newest.

    `offered` is what the server may ask back: a caller's, as `capabilities.offered` gives it.
    """
    return {
        "protocolVersion": versions.HANDSHAKE[0],
        "capabilities": offered or {},
        "clientInfo": {"name": "bawn", "version": version},
    }


def accept_initialize(result: Json) -> tuple[str, Json, str]:
    """The protocol version, capabilities and instructions of a server that was initialised.

    Raises:
        Refused: upstream.invalid when the version is not one of ours, or the shape is wrong.
    """
    version, capabilities = result.get("protocolVersion"), result.get("capabilities")
    if version not in versions.HANDSHAKE:
        spoken = ", ".join(versions.HANDSHAKE)
        raise Refused(
            UPSTREAM_INVALID,
            detail=f"initialize was answered with protocol version {version!r:.40}; "
            f"bawn speaks {spoken}",
        )
    if not isinstance(capabilities, dict):
        raise Refused(UPSTREAM_INVALID, detail="initialize was answered without `capabilities`")
    instructions = result.get("instructions")
    return version, capabilities, instructions if isinstance(instructions, str) else ""


def discover_params() -> Json:
    """The params of a canonical server/discover of our own."""
    return {
        "_meta": {
            versions.META_VERSION: versions.MODERN,
            versions.META_CAPABILITIES: {},
            versions.META_CLIENT: {"name": "bawn", "version": __version__},
        }
    }


def discover_request(id_: str | int) -> Json:
    """A canonical server/discover of our own: the probe that tells a server's era."""
    return {"jsonrpc": "2.0", "id": id_, "method": "server/discover", "params": discover_params()}


def discover_result(initialized: Json) -> Json:
    """What a legacy server would answer to server/discover, told from its initialize result.

    `supportedVersions` holds the one handshake version that was agreed on.

    Raises:
        Refused: upstream.invalid, as `accept_initialize`.
    """
    version, capabilities, instructions = accept_initialize(initialized)
    found: Json = {"supportedVersions": [version], "capabilities": capabilities}
    if instructions:
        found["instructions"] = instructions
    info = initialized.get("serverInfo")
    if isinstance(info, dict):
        found["_meta"] = {versions.META_SERVER: info}
    return to_canonical_result("server/discover", found)


def speaks_modern(message: Json) -> bool:
    """Whether the answer to a discover probe, or to initialize, comes from a 2026-07-28 server.

    A version error that lists other versions only is a legacy server's: it may yet initialise.
    """
    result, error = message.get("result"), message.get("error")
    if isinstance(result, dict):
        return _offers_modern(result.get("supportedVersions"))
    if not isinstance(error, dict) or error.get("code") not in _MODERN_ERRORS:
        return False
    data = error.get("data")
    supported = data.get("supported") if isinstance(data, dict) else None
    return not isinstance(supported, list) or _offers_modern(supported)


def _offers_modern(supported: Any) -> bool:
    return isinstance(supported, list) and versions.MODERN in supported


def to_legacy(method: str, params: Json) -> Json:
    """The params as a legacy server gets them: without what only 2026-07-28 has, or its tasks."""
    if not _NOT_SENT.isdisjoint(params):
        params = {key: value for key, value in params.items() if key not in _NOT_SENT}
    meta = params.get("_meta")
    if not isinstance(meta, dict):
        return params
    kept = {key: value for key, value in meta.items() if key not in _REQUEST_META}
    if kept:
        return {**params, "_meta": kept}
    return {key: value for key, value in params.items() if key != "_meta"}


def to_canonical_result(method: str, result: Json) -> Json:
    """A legacy server's result in canonical form; never cacheable, whatever it says."""
    canonical = {"resultType": "complete", **result}
    known = versions.METHODS.get(method)
    if known is not None and known.cacheable:
        canonical["ttlMs"] = 0
        canonical["cacheScope"] = "private"
    return canonical


def to_canonical_error(error: Mapping[str, Any]) -> Json:
    """A legacy server's error in the codes of 2026-07-28; message and data stay."""
    if error.get("code") in _MODERN_ERRORS:  # it cannot mean what it did not know
        return {**error, "code": INTERNAL_ERROR}
    return canonical_error(dict(error))


def url_elicitation(error: Mapping[str, Any]) -> Json | None:
    """What a legacy server's error -32042 asks, as an `input_required` result; None for any other.

    It has no state: the retry is the call again, which succeeds once the pages were visited.
    Source: client/elicitation, "URL Elicitation Required Error" (2025-11-25).
    """
    if error.get("code") != _URL_ELICITATION:
        return None
    data = error.get("data")
    listed = data.get("elicitations") if isinstance(data, dict) else None
    asked = [_page(one) for one in listed] if isinstance(listed, list) else []
    requests = {f"url-{number}": page for number, page in enumerate(asked, 1) if page is not None}
    return {"resultType": "input_required", "inputRequests": requests} if requests else None


def _page(elicitation: Any) -> Json | None:
    if not isinstance(elicitation, dict):
        return None
    url, message = elicitation.get("url"), elicitation.get("message")
    if not (isinstance(url, str) and isinstance(message, str)):
        return None
    params = {"mode": "url", "url": url, "message": message}
    return {"method": "elicitation/create", "params": params}


def to_canonical_ask(request: Mapping[str, Any]) -> Json:
    """What a legacy server asks in the midst of a call, as an entry of `inputRequests`."""
    asked: Json = {"method": request["method"]}
    params = request.get("params")
    if isinstance(params, dict):
        asked["params"] = {name: value for name, value in params.items() if name not in _NOT_ASKED}
    return asked
