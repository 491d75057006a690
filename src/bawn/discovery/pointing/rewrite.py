"""Pointing a client at the gate: which entries change, what they become, and writing that down."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from bawn.config.server import Server
from bawn.discovery.clients import Client, Place, Scope
from bawn.discovery.documents import files
from bawn.discovery.documents.document import Document, Edit, KeyPath, Slot, splice
from bawn.discovery.documents.files import Snapshot, digest_of
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.entry import launch_of
from bawn.discovery.inventory import ClientFile, open_document
from bawn.discovery.pointing.journal import Journal, Record, Rewritten
from bawn.discovery.taking.matching import server_of

AGGREGATE = "bawn"
MANAGED = "managed by the administrator"


class Gate(NamedTuple):
    """How clients start us: the program, the configuration (both absolute), and its servers."""

    program: str
    config: Path
    servers: Mapping[str, Server]

    def entry(self, client: Client, server: str | None) -> dict[str, Any]:
        """The client's entry for one server, or for all of them."""
        program, *args = self.command(server)
        return client.stdio_entry(program, args)

    def command(self, server: str | None) -> list[str]:
        """The command by which one server, or all of them, are reached."""
        words = [self.program, "stdio", "--config", str(self.config)]
        return [*words, "--server", server] if server else words


class Change(NamedTuple):
    """One entry's new value, None to take it out; `slot` is None for an entry that is added."""

    keys: KeyPath
    name: str
    entry: dict[str, Any] | None
    slot: Slot | None


class Left(NamedTuple):
    """An entry that stays as it is, and why; `unknown` when no server of ours has its name."""

    name: str
    why: str
    unknown: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What would be done to one file. Nothing, when there are no changes."""

    client: Client
    path: Path
    snapshot: Snapshot | None
    document: Document
    changes: tuple[Change, ...] = ()
    edits: tuple[Edit, ...] = ()
    left: tuple[Left, ...] = ()
    after: str = ""


def plan_in_place(file: ClientFile, gate: Gate, wanted: Collection[str]) -> Plan:
    """Point each entry at the server of its name, if that is among those wanted.

    Raises:
        Unreadable: the file cannot be edited safely.
    """
    document = document_of(file)
    changes: list[Change] = []
    left: list[Left] = []
    for slot, entry in file.found:
        if is_ours(file.client, slot.value) and slot.name == AGGREGATE:
            continue
        found = _changed(file.client, slot, entry.scope, gate, wanted)
        if isinstance(found, Left):
            left.append(found)
        else:
            changes.append(found)
    return _planned(file, document, changes, left)


def plan_entries(file: ClientFile, gate: Gate, wanted: Mapping[tuple[KeyPath, str], str]) -> Plan:
    """Point exactly these entries, by key path and name, at these servers.

    Raises:
        Unreadable: the file cannot be edited safely.
    """
    document = document_of(file)
    changes: list[Change] = []
    left: list[Left] = []
    for slot, entry in file.found:
        server = wanted.get((slot.keys, slot.name))
        if server is None:
            continue
        if entry.scope == "managed":
            left.append(Left(slot.name, MANAGED))
        elif slot.problem:
            left.append(Left(slot.name, slot.problem))
        else:
            changes.append(change_of(file.client, slot, gate.entry(file.client, server)))
    return _planned(file, document, changes, left)


def _changed(
    client: Client, slot: Slot, scope: Scope, gate: Gate, wanted: Collection[str]
) -> Change | Left:
    launch = launch_of(client, slot.value)
    server = server_of(slot.name, launch, gate.servers, gate.config.parent)
    if is_ours(client, slot.value):
        server = _server_in(launch.command) or server
    if server is None or server not in gate.servers:
        return Left(slot.name, "not in bawn's configuration", unknown=True)
    if server not in wanted:
        return Left(slot.name, "not asked for")
    if scope == "managed":
        return Left(slot.name, MANAGED)
    if slot.problem:
        return Left(slot.name, slot.problem)
    change = change_of(client, slot, gate.entry(client, server))
    return Left(slot.name, "connected already") if change.entry == slot.value else change


def _server_in(command: tuple[str, ...]) -> str | None:
    """The server that an entry of ours names: it stays, whatever the entry is called."""
    at = command.index("--server") + 1 if "--server" in command else len(command)
    return command[at] if at < len(command) else None


def plan_aggregate(file: ClientFile, gate: Gate, place: Place) -> Plan:
    """Add one entry for all servers, or renew it.

    Raises:
        Unreadable: the file cannot be edited safely.
    """
    document = document_of(file)
    entry = gate.entry(file.client, None)
    slots = {slot.name: slot for slot in document.slots(place.keys)}
    slot = slots.get(AGGREGATE)
    if slot is None:
        return _planned(file, document, [Change(place.keys, AGGREGATE, entry, None)], [])
    if slot.problem:
        return _planned(file, document, [], [Left(AGGREGATE, slot.problem)])
    change = change_of(file.client, slot, entry)
    if change.entry == slot.value:
        return _planned(file, document, [], [Left(AGGREGATE, "connected already")])
    return _planned(file, document, [change], [])


def is_ours(client: Client, value: Any) -> bool:
    """Whether an entry starts bawn."""
    command = launch_of(client, value).command
    return len(command) > 1 and Path(command[0]).name == "bawn" and command[1] == "stdio"


def apply(plan: Plan, journal: Journal) -> None:
    """Write the plan down and carry it out, if the file is still what it was when it was planned.

    Raises:
        Unreadable: the file changed, or cannot be written; it is untouched.
        Misconfigured: the journal cannot be used; the file is untouched.
    """
    content = plan.after.encode()
    target = plan.snapshot.target if plan.snapshot else plan.path
    with journal.locked():
        records = journal.read().get(target, ())
        # First the journal: a crash in between leaves a record of a change that was never made, which
        # `disconnect` recognises; the other way round the original would be lost.
        journal.put(target, (*records, _record(plan, content)))
        try:
            _write(plan, target, content)
        except Unreadable:
            journal.put(target, records)
            raise


def _write(plan: Plan, target: Path, content: bytes) -> None:
    if plan.snapshot is not None:
        files.replace(plan.snapshot, content)
    elif files.read(target) is not None:
        raise Unreadable("appeared in the meantime: nothing was written, look at it first")
    else:
        files.write(target, content, 0o600)


def document_of(file: ClientFile) -> Document:
    """The document of a file that may be edited.

    Raises:
        Unreadable: it cannot be used, or its link leads out of the project.
    """
    if file.document is None:
        raise Unreadable(file.error)
    if file.strays:
        raise Unreadable("a link that leads out of the project: it is not followed")
    return file.document


def change_of(client: Client, slot: Slot, entry: dict[str, Any]) -> Change:
    """The change of an entry into another, with what says how the user wants the server treated."""
    kept = {key: slot.value[key] for key in client.keeps if key in slot.value}
    return Change(slot.keys, slot.name, {**entry, **kept}, slot)


def _planned(file: ClientFile, document: Document, changes: list[Change], left: list[Left]) -> Plan:
    edits = [edit for change in changes for edit in edits_of(document, change)]
    after = splice(document.text, edits)
    verify(document, open_document(file.path, after), changes)
    return Plan(
        file.client,
        file.path,
        file.snapshot,
        document,
        tuple(changes),
        tuple(edits),
        tuple(left),
        after,
    )


def edits_of(document: Document, change: Change) -> tuple[Edit, ...]:
    """The edits that make one change.

    Raises:
        Unreadable: the file has no place for it, or it cannot be told from the rest.
    """
    if change.slot is None:
        return (document.insertion(change.keys, change.name, change.entry or {}),)
    if change.entry is None:
        return document.removal(change.slot)
    return (document.replacement(change.slot, change.entry),)


def verify(before: Document, after: Document, changes: Collection[Change]) -> None:
    """Hold that an edit did what it should, and nothing else, by what the file means.

    Raises:
        Unreadable: it would have done something else.
    """
    expected = before.data
    for change in changes:
        expected = _with(expected, (*change.keys, change.name), change.entry)
    if after.data != expected:
        raise Unreadable("its form is not one that can be edited safely: it is left as it is")


def _with(data: Any, path: KeyPath, entry: Mapping[str, Any] | None) -> Any:
    """The data with another value at a path, or without one; what is on the way is copied, nothing else."""
    if not path:
        return dict(entry or {})
    if entry is None and len(path) == 1:
        return {key: value for key, value in data.items() if key != path[0]}
    inner = data.get(path[0]) if isinstance(data, dict) else None
    return {**(data if isinstance(data, dict) else {}), path[0]: _with(inner, path[1:], entry)}


def _record(plan: Plan, content: bytes) -> Record:
    before = plan.snapshot.raw if plan.snapshot else None
    entries = tuple(
        Rewritten(
            change.keys,
            change.name,
            change.entry,
            plan.document.text[change.slot.start : change.slot.end] if change.slot else None,
            change.slot.value if change.slot and change.entry is None else None,
        )
        for change in plan.changes
    )
    digest = "" if before is None else digest_of(before)
    path = str(plan.path)
    return Record(plan.client.id, path, before, digest, digest_of(content), entries)
