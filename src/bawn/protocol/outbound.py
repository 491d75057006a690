"""What leaves towards a server: our own bytes, written from what was decided on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from bawn.errors import TARGET_UNKNOWN, Refused
from bawn.model import Call, Json, Kind, Outbound
from bawn.protocol import legacy_client, templates, trace, versions
from bawn.protocol.versions import IDENTIFIER

Headers = tuple[tuple[bytes, bytes], ...]

LONGEST: Final = 8192
"""Characters of a name or URI: longer ones are neither offered nor found."""

_TRACE: Final = frozenset({"traceparent", "tracestate", "baggage"})
_OF_LEGACY_ONES: Final = "task"
"""By this parameter 2025-11-25 asks for a task, which no server is offered there."""


def request(
    method: str,
    params: Json,
    call: Call,
    server: str,
    isolation: str,
    principal: str = "",
    name: str | None = None,
    headers: Headers = (),
    *,
    parked: bool = False,
    declined: Mapping[str, Any] | None = None,
    level: str | None = None,
    baggage: bool = False,
) -> Outbound:
    """A call as it leaves: with the caller's metadata, and nothing of its credentials.

    `params` are in the server's own names, `level` is what a legacy session wants to hear of logs.
    """
    meta = legacy_client.canonical_meta(params.get("_meta") or {}, call.client)
    if level is not None:
        meta = {**meta, versions.META_LOG_LEVEL: level}
    if call.parent is not None or not _TRACE.isdisjoint(meta):
        meta = trace.carried(meta, parent=call.parent, baggage=baggage)
        headers = (*headers, *trace.fields(meta, {}, parent=call.parent, baggage=baggage))
    params = {**params, "_meta": meta}
    if _OF_LEGACY_ONES in params and call.session is not None:
        del params[_OF_LEGACY_ONES]
    return Outbound(
        server, method, params, isolation, call.trace, name, call.project, principal,
        headers, parked, declined or {},
    )  # fmt: skip


def unknown(kind: Kind) -> Refused:
    """The one refusal for what does not exist and for what this caller may not use."""
    return Refused(TARGET_UNKNOWN, f"no such {kind}")


def identifier(kind: Kind, definition: Json) -> str | None:
    """What names a definition, if it is named at all, and not beyond reason."""
    name = definition.get(IDENTIFIER[kind])
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
        return None
    if kind is Kind.TEMPLATE and name.count("{") > templates.EXPRESSIONS:
        return None
    return name
