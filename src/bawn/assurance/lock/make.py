"""Making a lockfile: of what was approved, or of what servers offer now."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from bawn.assurance.lock.contents import BY, LockedServer, locked, tree_of, written
from bawn.assurance.lock.reach import reach_of
from bawn.config import Config, Server
from bawn.errors import Refused
from bawn.findings.evidence import Evidence
from bawn.launching.definition import launch_of
from bawn.launching.package import Resolution
from bawn.model import Json, Listing
from bawn.pins.canonical import Uncanonical
from bawn.pins.digest import digest
from bawn.pins.listed import ASPECTS, LAUNCH, name_of
from bawn.pins.record import Aspect, Pin, Record
from bawn.signing.lock import SIGNATURES
from bawn.telemetry.text import printable

_SHOWN: Final = 20  # lines of one server


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record of a server by its id; each of these raises Refused when it cannot be read."""

    records: Callable[[str], Record | None]
    packages: Callable[[str], Resolution | None]
    evidence: Callable[[str], tuple[Evidence, ...] | None]


NOTHING: Final = Known(lambda _: None, lambda _: None, lambda _: None)
"""Where no gate has run."""


@dataclass(slots=True)
class Made:
    """What is locked, and a line for each thing that is not."""

    servers: dict[str, LockedServer] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)

    def keep_times(self, before: Mapping[str, LockedServer]) -> None:
        """Leave evidence as it was that says the same as before, so that nothing is signed anew for a time."""
        for name, server in self.servers.items():
            said = {_said(each): each for each in (before[name].evidence if name in before else ())}
            evidence = tuple(said.get(_said(each), each) for each in server.evidence)
            self.servers[name] = msgspec.structs.replace(server, evidence=evidence)

    def content(self, before: Json | None) -> bytes:
        """The file. Signatures of the one before stay: the next one continues their versions."""
        signatures: Any = (before or {}).get(SIGNATURES, [])
        kept = signatures if isinstance(signatures, list) else []
        return written(tree_of(self.servers, kept))


def _said(evidence: Evidence) -> Evidence:
    return msgspec.structs.replace(evidence, at=0.0)


def of_records(config: Config, known: Known) -> Made:
    """What was approved of each server: nothing that waits, and nothing of one that cannot be read."""
    made = Made()
    for name, server in active(config):
        try:
            record, package = known.records(name), known.packages(name)
            evidence = known.evidence(name) or ()
        except Refused as refused:
            made.waiting.append(f"{name}: {refused.detail or refused.message}")
            continue
        if record is None or not record.pins:
            made.waiting.append(f"{name}: nothing of it was approved yet")
        elif _started_otherwise(server, package, record):
            made.waiting.append(f"{name}: its launch is not the one that was approved")
        else:
            made.servers[name] = locked(reach_of(server), record.pins, package, evidence)
            made.waiting += _limited(name, _waiting(record))
    return made


def of_listings(
    config: Config, listings: Mapping[str, Listing], known: Known, failed: Mapping[str, str]
) -> Made:
    """What servers offer now; `failed` tells why a server was not listed."""
    made = Made()
    for name, server in active(config):
        listing = listings.get(name)
        try:
            package, evidence = known.packages(name), known.evidence(name) or ()
        except Refused as refused:
            made.waiting.append(f"{name}: {refused.detail or refused.message}")
            continue
        if listing is None:
            made.waiting.append(f"{name}: not listed: {failed.get(name, 'it did not answer')}")
            continue
        pins, problems = pins_of(listing, server, package)
        made.servers[name] = locked(reach_of(server), pins, package, evidence)
        made.waiting += _limited(name, problems)
    return made


def pins_of(
    listing: Listing, server: Server, package: Resolution | None
) -> tuple[tuple[Pin, ...], list[str]]:
    """What a listing would be approved as, and what of it cannot be."""
    problems: list[str] = []
    found: dict[tuple[str, str], list[Pin]] = {}
    for aspect, name, definition in _offered(listing, server, package):
        if name is None:
            problems.append(f"a {aspect} has no name")
            continue
        try:
            pin = Pin(aspect, name, digest(aspect, definition), definition, 0.0, (BY,))
        except Uncanonical as error:
            problems.append(f"{aspect} {printable(name)}: {error}")
            continue
        several = found.setdefault(pin.key, [])
        if all(each.digest != pin.digest for each in several):
            several.append(pin)
    problems += [
        f"{aspect} {printable(name)}: listed more than once, with different definitions"
        for (aspect, name), several in found.items()
        if len(several) > 1
    ]
    return tuple(several[0] for several in found.values() if len(several) == 1), problems


def active(config: Config) -> Iterable[tuple[str, Server]]:
    """The servers that a gate would serve."""
    servers = sorted(config.servers.items())
    return [(name, server) for name, server in servers if server.status != "disabled"]


def _offered(
    listing: Listing, server: Server, package: Resolution | None
) -> Iterable[tuple[Aspect, str | None, Json]]:
    for kind, definitions in listing.definitions.items():
        aspect = ASPECTS.get(kind)
        if aspect is not None:
            for definition in definitions:
                yield aspect, name_of(aspect, definition), definition
    if listing.instructions:
        yield "instructions", "", {"text": listing.instructions}
    if server.command is not None:
        yield "launch", "", launch_of(server, package)


def _started_otherwise(server: Server, package: Resolution | None, record: Record) -> bool:
    pinned = [pin.digest for pin in record.pins if pin.key == LAUNCH]
    if server.command is None:
        return bool(pinned)
    try:
        return digest("launch", launch_of(server, package)) not in pinned
    except Uncanonical:
        return True


def _waiting(record: Record) -> list[str]:
    waits = [each for each in record.waiting if not each.rejected]
    lines = [f"{each.aspect} {printable(each.name)} waits for approval" for each in waits]
    return lines + [
        f"{each.aspect} {printable(each.name)} is in quarantine" for each in record.holds
    ]


def _limited(name: str, lines: list[str]) -> list[str]:
    more = len(lines) - _SHOWN
    told = lines if more <= 0 else [*lines[:_SHOWN], f"and {more} more"]
    return [f"{name}: {line}" for line in told]
