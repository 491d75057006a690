"""Taking back what `connect` did: exactly, or entry by entry where the file has changed since."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bawn.discovery.documents import files
from bawn.discovery.documents.document import Document, Edit, KeyPath, Slot, splice
from bawn.discovery.documents.files import Snapshot, digest_of
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.inventory import open_document
from bawn.discovery.pointing.journal import Journal, Record, Rewritten


@dataclass(frozen=True, slots=True)
class Undo:
    """What taking back means for one file.

    `content` is what the file becomes, None for no file. `exact` says that it is byte for byte what
    it was. `kept` are records that cannot be taken back yet: their entries were altered since.
    """

    path: Path
    clients: tuple[str, ...]
    snapshot: Snapshot | None
    content: bytes | None
    exact: bool = True
    restored: tuple[str, ...] = ()
    left: tuple[tuple[str, str], ...] = ()
    kept: tuple[Record, ...] = ()


def plan_undo(path: Path, records: tuple[Record, ...]) -> Undo:
    """Work out how one file is taken back, newest record first.

    Raises:
        Unreadable: the file cannot be read, or does not parse any more.
    """
    snapshot = files.read(path)
    undo = Undo(path, tuple(dict.fromkeys(r.client for r in records)), snapshot, None)
    undo = replace(undo, content=snapshot.raw if snapshot else None)
    for record in reversed(records):
        undo = _take_back(undo, record)
    return undo


def apply(undo: Undo, journal: Journal) -> None:
    """Carry it out, if the file is still what it was when it was planned, and forget what is done.

    Raises:
        Unreadable: the file changed, or cannot be written; it is untouched.
        Misconfigured: the journal cannot be used.
    """
    with journal.locked():
        if undo.snapshot is not None and undo.content is None:
            _remove(undo.snapshot)
        elif undo.snapshot is not None and undo.content != undo.snapshot.raw:
            files.replace(undo.snapshot, undo.content or b"")
        journal.put(undo.path, undo.kept)


def _remove(snapshot: Snapshot) -> None:
    now = files.read(snapshot.target)
    if now is not None and now.raw != snapshot.raw:
        raise Unreadable("changed in the meantime: it was not removed")
    snapshot.target.unlink(missing_ok=True)


def _take_back(undo: Undo, record: Record) -> Undo:
    names = tuple(entry.name for entry in record.entries)
    if undo.content is None:
        gone = tuple((name, "the file is gone") for name in names)
        return undo if record.before is None else replace(undo, left=undo.left + gone)
    digest = digest_of(undo.content)
    if digest == record.after_digest:
        return replace(undo, content=record.before, restored=undo.restored + names)
    if digest == record.before_digest:
        return undo  # the change was recorded, and never made
    return _take_back_entries(undo, undo.content, record)


def _take_back_entries(undo: Undo, content: bytes, record: Record) -> Undo:
    altered: list[Rewritten] = []
    path = Path(record.path)
    undo = replace(undo, exact=False)
    for entry in record.entries:
        document = open_document(path, files.decode(content))
        slot = _slot(document, entry)
        if entry.written is None:
            undo, content = _put_back(undo, path, document, entry, content)
        elif slot is None:
            undo = replace(undo, left=(*undo.left, (entry.name, "removed since")))
        elif slot.value != entry.written or (
            (after := _without(path, document, slot, entry)) is None
        ):
            why = "altered since: it stays, and its original stays in the journal"
            undo = replace(undo, left=(*undo.left, (entry.name, why)))
            altered.append(entry)
        else:
            content = after.encode()
            undo = replace(undo, restored=(*undo.restored, entry.name))
    kept = undo.kept
    if altered:
        # No digest can match any more: from now on it is entry by entry.
        kept = (Record(record.client, record.path, None, "", "", tuple(altered)), *kept)
    return replace(undo, content=content, kept=kept)


def _put_back(
    undo: Undo, path: Path, document: Document, entry: Rewritten, content: bytes
) -> tuple[Undo, bytes]:
    """The content with an entry that was taken out, in the file's own style."""
    text = None
    if not any(slot.name == entry.name for slot in document.slots(entry.keys)):
        text = _with(path, document, entry)
    if text is None:
        why = "there is one of this name again, or no place for it: its original was in the journal"
        return replace(undo, left=(*undo.left, (entry.name, why))), content
    return replace(undo, restored=(*undo.restored, entry.name)), text.encode()


def _with(path: Path, document: Document, entry: Rewritten) -> str | None:
    try:
        edit = document.insertion(entry.keys, entry.name, entry.value or {})
        text = splice(document.text, [edit])
        after = open_document(path, text)
    except Unreadable:
        return None
    keys = (*entry.keys, entry.name)
    same = _pruned(document.data, keys) == _pruned(after.data, keys)
    return text if same and _slot(after, entry) is not None else None


def _slot(document: Document, entry: Rewritten) -> Slot | None:
    slots = document.slots(entry.keys)
    return next((slot for slot in slots if slot.name == entry.name and not slot.problem), None)


def _without(path: Path, document: Document, slot: Slot, entry: Rewritten) -> str | None:
    """The text with the original in the entry's place; None where that would change anything else."""
    try:
        edits = (
            document.removal(slot)
            if entry.original is None
            else (Edit(slot.start, slot.end, entry.original),)
        )
        text = splice(document.text, edits)
        after = open_document(path, text)
    except Unreadable:
        return None
    keys = (*entry.keys, entry.name)
    same = _pruned(document.data, keys) == _pruned(after.data, keys)
    restored = _slot(after, entry)
    return text if same and (restored is None) == (entry.original is None) else None


def _pruned(data: Any, path: KeyPath) -> Any:
    """The data without what is at a path, and without what is empty then."""
    if not isinstance(data, dict) or path[0] not in data:
        return data
    rest = {key: value for key, value in data.items() if key != path[0]}
    inner = _pruned(data[path[0]], path[1:]) if len(path) > 1 else {}
    return {**rest, path[0]: inner} if inner else rest
