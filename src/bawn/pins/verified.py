"""What others than the steward have listed, of another process or session, held against the pins."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bawn.model import Json
from bawn.pins.canonical import Uncanonical
from bawn.pins.digest import Digests
from bawn.pins.ledger import Ledger
from bawn.pins.listed import Listed, name_of
from bawn.pins.record import Aspect, Change, Key, Record


def strangers(
    definitions: Mapping[Aspect, Sequence[Json]], record: Record, digests: Digests
) -> tuple[Listed, ...]:
    """Those definitions whose key has pins, and none of them is theirs.

    Of a key without pins nothing is said: nobody can call it. A definition that has no digest is a
    stranger with an empty one.
    """
    approved: dict[Key, set[str]] = {}
    for pin in record.pins:
        approved.setdefault(pin.key, set()).add(pin.digest)
    found: list[Listed] = []
    for aspect, several in definitions.items():
        for definition in several:
            name = name_of(aspect, definition)
            if name is None or (aspect, name) not in approved:
                continue
            listed = Listed(aspect, name, _digest(aspect, definition, digests), definition)
            if not listed.digest or listed.digest not in approved[listed.key]:
                found.append(listed)
    return tuple(found)


def note(record: Record, found: Iterable[tuple[Aspect, str, str, Json]], now: float) -> Record:
    """Let strangers wait for review; the same record if they do already, or were approved meanwhile."""
    ledger = Ledger(record)
    for aspect, name, digest, definition in found:
        pins = ledger.pins((aspect, name))
        if digest and pins and all(pin.digest != digest for pin in pins):
            ledger.wait(Change(aspect, name, digest, definition, now))
    return ledger.close()


def _digest(aspect: Aspect, definition: Json, digests: Digests) -> str:
    try:
        return digests.of(aspect, definition)
    except Uncanonical:
        return ""
