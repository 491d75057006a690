"""Lists and their pages: deterministic, and cursors that only the gate can write."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bawn.errors import CURSOR_INVALID, Refused
from bawn.model import Endpoint, Item, Json, Kind
from bawn.protocol import legacy_client, lifecycle, versions
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.protocol.versions import IDENTIFIER, LIST_METHODS


def cursor_position(sealer: Sealer, cursor: object, scope: str) -> str:
    """After which name a cursor goes on; `scope` is the list, the endpoint and what is visible there.

    A cursor outlives a change of the list: it names the last entry seen, and the order is fixed.

    Raises:
        Refused: cursor.invalid, for a cursor of another list, caller class or gate too.
    """
    if not isinstance(cursor, str):
        raise Refused(CURSOR_INVALID, "`cursor` must be a string")
    try:
        after = sealer.open("cursor", cursor).get(scope)
    except Unsealed as error:
        raise Refused(CURSOR_INVALID) from error
    if not isinstance(after, str):
        raise Refused(CURSOR_INVALID)
    return after


def page(
    endpoint: Endpoint,
    kind: Kind,
    visible: Callable[[Item], bool],
    *,
    after: str | None,
    size: int,
) -> tuple[list[tuple[str, Item]], str | None]:
    """The next entries that the caller may see, and the name to go on after if there are more."""
    entries = [(name, item) for name, item in endpoint.items[kind].items() if visible(item)]
    start = 0 if after is None else sum(1 for name, _ in entries if name <= after)
    chosen = entries[start : start + size]
    more = start + size < len(entries)
    return chosen, chosen[-1][0] if more else None


def result(
    kind: Kind,
    entries: Sequence[tuple[str, Item]],
    ttl_ms: int,
    cursor: str | None,
    version: str,
) -> Json:
    """The result of a list method, as a client of this version can read it."""
    _, member = LIST_METHODS[kind]
    listed = [_definition(kind, name, item, version) for name, item in entries]
    made: Json = {member: listed}
    if cursor is not None:
        made["nextCursor"] = cursor
    if version == versions.MODERN:
        made |= {"resultType": "complete", "ttlMs": ttl_ms, "cacheScope": "private"}
        made["_meta"] = {versions.META_SERVER: lifecycle.SERVER_INFO}
    return made


def _definition(kind: Kind, name: str, item: Item, version: str) -> Json:
    definition = {**item.definition, IDENTIFIER[kind]: name}
    if version == versions.MODERN:
        return definition
    return legacy_client.definition(kind, definition, version)
