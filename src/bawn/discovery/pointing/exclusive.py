"""Leaving a client with bawn alone: its other servers are switched off where it can do that, else taken out.

Everything that is taken out stands in the journal, so that `disconnect` brings it back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bawn.discovery.clients import Client, Place
from bawn.discovery.documents.document import Document, Slot, splice
from bawn.discovery.inventory import ClientFile, open_document
from bawn.discovery.pointing.rewrite import (
    AGGREGATE,
    MANAGED,
    Change,
    Gate,
    Left,
    Plan,
    document_of,
    edits_of,
    is_ours,
    verify,
)

_DISABLED: Final[Mapping[str, Any]] = {"disabled": True}
_NOT_ENABLED: Final[Mapping[str, Any]] = {"enabled": False}

SWITCHES: Final[Mapping[str, Mapping[str, Any]]] = {
    "windsurf": _DISABLED,
    "kiro": _DISABLED,
    "antigravity": _DISABLED,
    "amazon-q": _DISABLED,
    "cline": _DISABLED,
    "roo": _DISABLED,
    "codex": _NOT_ENABLED,
    "opencode": _NOT_ENABLED,
    "zed": _NOT_ENABLED,
}
"""The field that switches a server off, by client. Sources: the pages that `known/` names.

Clients that are not here have none in their files: their entries are taken out.
"""


def has_ours(files: Sequence[ClientFile]) -> bool:
    """Whether a client's own files (not a project's) have an entry of bawn that is switched on."""
    return any(
        is_ours(file.client, slot.value) and entry.scope == "user" and not entry.disabled
        for file in files
        for slot, entry in file.found
    )


def plan_exclusive(file: ClientFile, gate: Gate, place: Place | None = None) -> Plan:
    """Switch off every entry that is not bawn's; with a `place`, add or renew bawn's own there.

    Raises:
        Unreadable: the file cannot be edited safely.
    """
    document = document_of(file)
    changes: list[Change] = []
    left: list[Left] = []
    for slot, entry in file.found:
        if is_ours(file.client, slot.value) or entry.disabled or _is_own_place(slot, place):
            continue
        if entry.scope == "managed":
            left.append(Left(slot.name, MANAGED))
        elif slot.problem:
            left.append(Left(slot.name, slot.problem))
        else:
            changes.append(Change(slot.keys, slot.name, _off(file.client, slot), slot))
    if place is not None:
        changes.append(_own(file, document, gate, place))
    after = _carried_out(file, document, changes)
    verify(document, after, changes)
    return Plan(
        file.client, file.path, file.snapshot, document, tuple(changes), (), tuple(left), after.text
    )


def _is_own_place(slot: Slot, place: Place | None) -> bool:
    return place is not None and slot.keys == place.keys and slot.name == AGGREGATE


def _off(client: Client, slot: Slot) -> dict[str, Any] | None:
    switch = SWITCHES.get(client.id)
    return {**slot.value, **switch} if switch is not None else None


def _own(file: ClientFile, document: Document, gate: Gate, place: Place) -> Change:
    slot = next((s for s in document.slots(place.keys) if s.name == AGGREGATE), None)
    return Change(place.keys, AGGREGATE, gate.entry(file.client, None), slot)


def _carried_out(file: ClientFile, document: Document, changes: Sequence[Change]) -> Document:
    """Make the changes one after the other: edits beside each other would get in each other's way."""
    for change in changes:
        slots = document.slots(change.keys) if change.slot is not None else ()
        slot = next((slot for slot in slots if slot.name == change.name), None)
        edits = edits_of(document, change._replace(slot=slot))
        document = open_document(file.path, splice(document.text, edits))
    return document
