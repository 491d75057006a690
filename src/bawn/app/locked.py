"""bawn.lock in force: read and verified once by the supervisor, so that all processes serve the same.

What it says next comes into force with `bawn reload` by the owner, as a whole or not at all.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from dataclasses import replace as replaced
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec

from bawn.assurance.lock import contents, reading
from bawn.assurance.lock.reading import Lock
from bawn.assurance.lock.serving import served
from bawn.config.atomic import replace
from bawn.config.load import Loaded
from bawn.errors import (
    INTEGRITY_DRIFT,
    INTEGRITY_LOCK,
    INTEGRITY_SIGNATURE,
    INTEGRITY_UNAPPROVED,
    Misconfigured,
)
from bawn.model import Listing, Withheld
from bawn.packages.store import resolutions
from bawn.pins.guard import Rules
from bawn.pins.listed import ASPECTS
from bawn.pins.record import Record
from bawn.protocol.versions import LIST_METHODS
from bawn.signing import chain, editing
from bawn.signing import lock as signing
from bawn.signing.root import names
from bawn.signing.seen import Seen
from bawn.signing.unverified import Unverified
from bawn.storage.directory import StateDirectory
from bawn.storage.files import KNOWN, ServerFiles

_REFUSED: Final = "refused"

RULES: Final = Rules(review=True, first_use=0.0, auto=frozenset())
"""By a lockfile nothing is approved without it."""


@dataclass(frozen=True, slots=True)
class Locked:
    """What serves by a lockfile, and why each other server does not.

    `digest` is that of the lockfile's content, `signers` name whose signatures were verified, if any had to.
    """

    path: Path
    digest: str
    signers: tuple[str, ...]
    refused: Mapping[str, str]
    records: Mapping[str, Record] = field(compare=False)
    withheld: Mapping[str, Record] = field(compare=False)

    @property
    def _name(self) -> str:
        """A name for what serves: the same for the same."""
        told = msgspec.json.encode([self.digest, sorted(self.records)])
        return f"locked-{sha256(told).hexdigest()[:32]}"

    def put(self, run: Path) -> Path:
        """The directory below `run` that holds, for all processes, what serves of each server.

        Raises:
            OSError: it cannot be written.
        """
        place = run / self._name
        if place.is_dir():
            return place
        fresh = Path(tempfile.mkdtemp(prefix=".locked-", dir=run))
        try:
            _write(fresh, self.records)
            (fresh / _REFUSED).mkdir(mode=0o700)
            _write(fresh / _REFUSED, self.withheld)
            fresh.rename(place)
        except BaseException:
            shutil.rmtree(fresh, ignore_errors=True)
            raise
        return place

    def told(self) -> dict[str, Any]:
        """For people and programs that ask how the gate is."""
        return {
            "file": str(self.path),
            "digest": self.digest,
            "signers": list(self.signers),
            "refused": dict(self.refused),
        }


def read(loaded: Loaded, state: StateDirectory, *, wanted: bool) -> Locked | None:
    """The lockfile beside a configuration, if it is `wanted` or has to be; else None.

    Raises:
        Misconfigured: there is none, it cannot be used, or it is not signed as it has to be.
    """
    signed = loaded.config.signing
    if signed.required and signed.root is None:
        raise Misconfigured(
            "signing: `required` needs `root`, the file with the trust root; `bawn sign init` makes one"
        )
    if not wanted and not signed.required:
        return None
    path = loaded.base / contents.NAME
    try:
        lock = reading.read(path)
    except FileNotFoundError:
        raise Misconfigured(
            f"{path}: no such file, and nothing else serves; write it with `bawn lock`"
        ) from None
    signers = () if signed.root is None else _signers(loaded, state, lock, path)
    found = served(loaded.config, lock, resolutions(state).read)
    return Locked(path, lock.digest, signers, found.refused, found.records, found.withheld)


def refused(lock: str) -> list[Listing]:
    """What was locked of servers that are refused, for who asks for it to be told why: from such a directory.

    Raises:
        Refused: integrity.store.
    """
    files = ServerFiles(Path(lock) / _REFUSED, Record)
    records = (files.read(name) for name in sorted(files.known()))
    return [_listing(each) for each in records if each is not None]


def _listing(record: Record) -> Listing:
    definitions = {
        kind: tuple(pin.definition for pin in record.pins if pin.aspect == ASPECTS.get(kind))
        for kind in LIST_METHODS
    }
    return Listing(record.server, "", {}, "", definitions, 0)


def _write(place: Path, records: Mapping[str, Record]) -> None:
    for name, record in records.items():
        replace(place / f"{name}.json", msgspec.json.encode(record), durable=False)
    known = "".join(f"{name}\n" for name in sorted(records))
    replace(place / KNOWN, known.encode(), durable=False)


def effective(locked: Record, own: Record | None) -> Record:
    """What serves of a server by the lock, but for what somebody has put into quarantine here."""
    return locked if own is None else msgspec.structs.replace(locked, holds=own.holds)


def relabelled(listing: Listing) -> Listing:
    """The listing in which whatever waits for approval is not what the lockfile has."""
    withheld = {
        kind: tuple(map(_relabelled, several)) for kind, several in listing.withheld.items()
    }
    return replaced(listing, withheld=withheld)


def _relabelled(withheld: Withheld) -> Withheld:
    waits = withheld.reason in (INTEGRITY_DRIFT.id, INTEGRITY_UNAPPROVED.id)
    return Withheld(withheld.definition, INTEGRITY_LOCK.id) if waits else withheld


def _signers(loaded: Loaded, state: StateDirectory, lock: Lock, path: Path) -> tuple[str, ...]:
    root = loaded.base / Path(str(loaded.config.signing.root)).expanduser()
    try:
        content = editing.read(root)
    except FileNotFoundError:
        raise Misconfigured(
            f"{root}: no such file; expected the trust root that `signing.root` names"
        ) from None
    seen, now = Seen(state.path / "signing.json"), time.time()
    try:
        trusted = chain.load(content, now, seen)
        statement = signing.verify(lock.tree, trusted, now, seen)
    except Unverified as error:
        raise Misconfigured(
            f"{path}: {INTEGRITY_SIGNATURE.id}: {error.detail}; `bawn sign verify` shows who has signed "
            "it, `bawn sign lock` signs it"
        ) from None
    return names(trusted, statement.signers)
