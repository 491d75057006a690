"""What leaves towards a server: our own bytes, written from what was decided on."""

from __future__ import annotations

from typing import Final

from bawn.model import Call, Item, Json, Kind, Outbound
from bawn.protocol import legacy_client, templates
from bawn.protocol.versions import IDENTIFIER, Method

LONGEST: Final = 8192
"""Characters of a name or URI: longer ones are neither offered nor found."""

_RENAMED: Final = frozenset({Kind.TOOL, Kind.PROMPT})


def request(
    call: Call, method: Method, item: Item, isolation: str, principal: str = ""
) -> Outbound:
    """The call in the server's own names, with the caller's metadata and nothing of its credentials."""
    params = call.params.copy()
    params["_meta"] = legacy_client.canonical_meta(params.get("_meta") or {}, call.client)
    named, name = method.named, None
    if named is not None:
        # a template's item stands for whichever URI the caller asked: only names are mapped back
        if item.kind in _RENAMED:
            params[named] = item.name
        name = params[named]
    return Outbound(
        item.server, method.name, params, isolation, call.trace, name, call.project, principal
    )


def identifier(kind: Kind, definition: Json) -> str | None:
    """What names a definition, if it is named at all, and not beyond reason."""
    name = definition.get(IDENTIFIER[kind])
    if not isinstance(name, str) or not 0 < len(name) <= LONGEST:
        return None
    if kind is Kind.TEMPLATE and name.count("{") > templates.EXPRESSIONS:
        return None
    return name
