"""What of each listing serves: held against the record of what was approved, which is written here."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

from bawn.app import locked
from bawn.config import Config
from bawn.drift.cues import Names
from bawn.drift.detected import alarming
from bawn.drift.verdict import judge
from bawn.errors import INTEGRITY_LOCK, INTEGRITY_STORE, Reason, Refused
from bawn.launching.definition import launch_of
from bawn.launching.package import Resolution
from bawn.model import Json, Kind, Listing, Withheld
from bawn.pins.canonical import Uncanonical
from bawn.pins.digest import Digests
from bawn.pins.guard import Admission, Rules, admit
from bawn.pins.launch import admit_launch, launch_waits
from bawn.pins.record import WHOLE, Aspect, Record
from bawn.protocol.strict import encode
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles

log = logging.getLogger("bawn.integrity")

_NAMED: Final = (Kind.TOOL, Kind.PROMPT)
_SHOWN: Final = 20  # lines that are said of one server
_LONGEST: Final = 128  # characters of a name in them
_JUDGED: Final = 64 << 10
_PATIENCE: Final = 1.0
"""Bytes of a definition, and seconds for all of a server, up to which its changes are classed at a look: the
rest waits for people. Nothing else is looked at meanwhile."""


class Keeping:
    """Admits listings, for the steward alone: it writes what is first seen, and what has changed.

    The configuration is the one that the owner has agreed to. With `lock`, the directory of what serves by
    bawn.lock, nothing is written: that serves, and nothing else.
    """

    def __init__(
        self,
        state: StateDirectory,
        config: Config,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        *,
        lock: str = "",
    ) -> None:
        self._config = config
        self._clock = clock
        self._timer = timer
        self._records = ServerFiles(state.pins, Record)
        self._packages = ServerFiles(state.packages, Resolution)
        self._lock = ServerFiles(Path(lock), Record) if lock else None
        self._digests = Digests()
        self._rules = Rules(
            review=config.approval == "review",
            first_use=config.drift.first_use,
            auto=frozenset(config.drift.auto),
        )
        self._names: dict[str, frozenset[str]] = {}
        self._others: Names | None = None
        self._kinds: dict[tuple[Aspect, int, bytes], str] = {}  # of the changes of one look
        self._spent = 0.0
        self.told: dict[str, tuple[str, ...]] = {}
        """For each server what is to be said of it, a line each."""

    def approved(self, listing: Listing) -> Listing:
        """What of a listing serves, and what is withheld. A record that cannot be read withholds all."""
        server = listing.server
        self._names[server] = frozenset(_names(listing))
        self._others, self._spent = None, 0.0
        self._kinds.clear()
        try:
            if self._lock is not None:
                return self._locked(listing, self._lock)
            admission = self._admitted(listing)
        except (Refused, Uncanonical) as error:
            self._say(server, (str(error),))
            return withheld(listing, INTEGRITY_STORE)
        self._say(server, _lines(admission))
        return admission.listing if _serves(admission.record) else _bare(admission.listing)

    def _locked(self, listing: Listing, lock: ServerFiles[Record]) -> Listing:
        """What serves by the lockfile, but for what is in quarantine."""
        server = listing.server
        record = lock.read(server)
        if record is None:
            self._say(server, ("it is not as bawn.lock has it, so nothing of it serves",))
            return withheld(listing, INTEGRITY_LOCK)
        record = locked.effective(record, self._records.current(server))
        judge = partial(self._kind_of, server)
        admission = admit(
            listing, record, locked.RULES, self._clock(), judge, self._digests, self._alarms
        )
        self._say(server, _lines(admission, "is not as bawn.lock has it"))
        found = locked.relabelled(admission.listing)
        return found if _serves(admission.record) else _bare(found)

    def _admitted(self, listing: Listing) -> Admission:
        server = listing.server
        record = self._records.current(server)
        admission = self._judged(listing, record)
        if admission.record is record:
            return admission

        def change(current: Record | None) -> Record | None:
            after = self._judged(listing, current).record
            return None if after is current else after

        # once more, alone over all processes: somebody may have approved or found something
        self._records.update(server, change)
        return self._judged(listing, self._records.current(server))

    def _judged(self, listing: Listing, record: Record | None) -> Admission:
        now, server = self._clock(), listing.server
        launch = self._launch(server)
        if launch is not None:
            review = self._rules.review
            record = admit_launch(server, launch, record, review=review, consented=True, now=now)
        kind_of = partial(self._kind_of, server)
        return admit(listing, record, self._rules, now, kind_of, self._digests, self._alarms)

    def _kind_of(self, server: str, old: Json | None, new: Json, aspect: Aspect) -> str:
        """As what a change might be approved without anybody; none, where there is no time to tell."""
        key = (aspect, id(new), encode(old))
        if key in self._kinds:
            return self._kinds[key]
        began, kind = self._timer(), ""
        if self._spent < _PATIENCE and len(encode(new)) <= _JUDGED:
            self._others = self._others or self._spoken_of(server)
            kind = judge(old, new, aspect, self._others).kind
        self._spent += self._timer() - began
        self._kinds[key] = kind
        return kind

    def _alarms(self, definition: Json, aspect: Aspect) -> bool:
        """Whether detectors find something, for which it is not trusted at first use."""
        return self._config.inspection.definitions == "quarantine" and alarming(definition, aspect)

    def _spoken_of(self, server: str) -> Names:
        """The names that a definition of this server may speak of."""
        tenants = self._config.tenants
        mine = tenants.get(server)
        others = (
            names
            for name, names in self._names.items()
            if name != server and tenants.get(name) == mine
        )
        return Names(self._names[server], frozenset().union(*others))

    def _launch(self, name: str) -> Json | None:
        """How a local server is started, as far as that can be pinned."""
        server = self._config.servers.get(name)
        if server is None or server.command is None:
            return None
        return launch_of(server, self._packages.read(name))

    def _say(self, server: str, lines: tuple[str, ...]) -> None:
        """Log what is new to be said of a server."""
        before = self.told.get(server, ())
        self.told[server] = lines
        for line in lines:
            if line not in before:
                log.warning("%s: %s", server, line)


def withheld(listing: Listing, reason: Reason) -> Listing:
    """Nothing of a server serves, by one reason."""
    several: Mapping[Kind, tuple[Withheld, ...]] = {
        kind: tuple(Withheld(definition, reason.id) for definition in definitions)
        for kind, definitions in listing.definitions.items()
    }
    nothing: Mapping[Kind, tuple[Json, ...]] = dict.fromkeys(listing.definitions, ())
    return _bare(replace(listing, definitions=nothing, withheld=several))


def _serves(record: Record) -> bool:
    held = any(hold.aspect == WHOLE for hold in record.holds)
    return not held and not launch_waits(record)


def _bare(listing: Listing) -> Listing:
    """A server that offers nothing: what no list names cannot be asked of it either."""
    return replace(listing, capabilities={}, instructions="")


def _names(listing: Listing) -> list[str]:
    several = [each for kind in _NAMED for each in listing.definitions.get(kind, ())]
    return [str(each["name"]) for each in several if "name" in each]


def _lines(admission: Admission, wait: str = "waits for approval") -> tuple[str, ...]:
    waiting = [change for change in admission.record.waiting if not change.rejected]
    lines = [f"{each.aspect} {each.name[:_LONGEST]!r} {wait}" for each in waiting]
    holds = [
        f"{each.aspect} {each.name[:_LONGEST]!r} is in quarantine"
        for each in admission.record.holds
    ]
    every = (*lines, *holds, *admission.problems)
    more = len(every) - _SHOWN
    return every if more <= 0 else (*every[:_SHOWN], f"and {more} more")
