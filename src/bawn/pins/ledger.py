"""A record while it is being changed."""

from __future__ import annotations

from typing import Final

import msgspec

from bawn.pins.record import Change, Hold, Key, Pin, Record

FIRST_USE: Final = "first use"
"""Who approved what was there when its server was first seen."""

MOST: Final = 65_536
"""Keys on record of one server, approved and waiting: one that lists ever new names ends here.

The most that a server may list of every kind, all of it changed, takes less.
"""


class Ledger:
    """What is on record by key. `close` gives the record back: the very same if nothing has changed."""

    def __init__(self, record: Record) -> None:
        self._record = record
        self._pins: dict[Key, tuple[Pin, ...]] = {}
        for pin in record.pins:
            self._pins[pin.key] = (*self._pins.get(pin.key, ()), pin)
        self._waiting = {change.key: change for change in record.waiting}
        self._holds = {(hold.aspect, hold.name): hold for hold in record.holds}
        self._first = record.first
        self._changed = False

    @property
    def full(self) -> bool:
        """Whether there is no room for another key."""
        return len(self._pins) + len(self._waiting) >= MOST

    def pins(self, key: Key) -> tuple[Pin, ...]:
        """What was approved of this key."""
        return self._pins.get(key, ())

    def waiting(self, key: Key) -> Change | None:
        """The change of this key that waits, or was rejected."""
        return self._waiting.get(key)

    def changes(self) -> tuple[Change, ...]:
        """Everything that waits, or was rejected."""
        return tuple(self._waiting.values())

    def held(self, key: tuple[str, str]) -> bool:
        """Whether somebody has put this into quarantine."""
        return key in self._holds

    def begin(self, first: float) -> None:
        """Note when the server was listed first."""
        self._first = first
        self._changed = True

    def pin(self, pin: Pin, *, also: bool = False) -> None:
        """Approve a definition, in place of what was approved of its key or, with `also`, beside it."""
        kept = [each for each in self.pins(pin.key) if also and each.digest != pin.digest]
        self._pins[pin.key] = (*kept, pin)
        self._changed = True

    def wait(self, change: Change) -> bool:
        """Let a change wait, in place of an older one; False if that same definition does already."""
        waiting = self._waiting.get(change.key)
        if waiting is not None and waiting.digest == change.digest:
            return False
        self.put(change)
        return True

    def put(self, change: Change) -> None:
        """Let a change stand as it is now, with votes and all."""
        self._waiting[change.key] = change
        self._changed = True

    def forget(self, key: Key) -> None:
        """Let no change of this key wait any more."""
        if self._waiting.pop(key, None) is not None:
            self._changed = True

    def hold(self, hold: Hold) -> None:
        """Put into quarantine; who did so first stays on record."""
        if self._holds.setdefault((hold.aspect, hold.name), hold) is hold:
            self._changed = True

    def release(self, key: tuple[str, str]) -> None:
        """Take out of quarantine."""
        if self._holds.pop(key, None) is not None:
            self._changed = True

    def close(self) -> Record:
        """The record as it is now, of the next revision if it has changed."""
        if not self._changed:
            return self._record
        return msgspec.structs.replace(
            self._record,
            first=self._first,
            revision=self._record.revision + 1,
            pins=tuple(pin for pins in self._pins.values() for pin in pins),
            waiting=tuple(self._waiting.values()),
            holds=tuple(self._holds.values()),
        )
