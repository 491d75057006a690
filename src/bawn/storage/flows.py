"""What conversations have touched, and until when it counts, over all workers and restarts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final, NamedTuple

from bawn.storage.database import Database

SWEEP: Final = 60.0  # seconds between looks for what can be forgotten
SLICE: Final = 4096  # rows that one look forgets at most: it holds up the event loop
GRACE: Final = 3600.0
"""Seconds for which a row is kept after its time: a clock set back must not wash anything clean."""


class Touched(NamedTuple):
    """Until when each label counts, in seconds since the epoch; 0 where it was never touched."""

    untrusted: float = 0.0
    private: float = 0.0
    sends: float = 0.0
    changes: float = 0.0


class StoredFlows:
    """The table of conversations, by a digest that tells nobody's name.

    `clock` gives seconds since the epoch. One row for each conversation; the times in it only grow.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._next_sweep = 0.0
        self._last = 0.0

    @property
    def lineage(self) -> str:
        """Changes when the database was lost and begun afresh, and what was known is not there any more."""
        return self._database.lineage

    def find(self, conversation: str) -> Touched | None:
        """What this conversation has touched, counting or not.

        Raises:
            Refused: store.unavailable.
        """
        found = self._database.rows(
            "SELECT untrusted, private, sends, changes FROM flows WHERE conversation = ?",
            conversation,
        )
        return Touched(*found[0]) if found else None

    def touch(self, conversation: str, touched: Touched) -> None:
        """Let each label count until then at least; returns when any worker can find it.

        Raises:
            Refused: store.unavailable.
        """
        self._database.change(
            "INSERT INTO flows VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (conversation) DO UPDATE SET "
            "untrusted = max(untrusted, excluded.untrusted), "
            "private = max(private, excluded.private), "
            "sends = max(sends, excluded.sends), "
            "changes = max(changes, excluded.changes), "
            "until = max(until, excluded.until)",
            conversation, *touched, max(touched),
        )  # fmt: skip
        self._sweep()

    def _sweep(self) -> None:
        now = self._clock()
        if self._last <= now < self._next_sweep:
            return
        forgotten = self._database.change(
            "DELETE FROM flows WHERE conversation IN "
            "(SELECT conversation FROM flows WHERE until < ? LIMIT ?)",
            now - GRACE, SLICE,
        )  # fmt: skip
        self._last = now
        self._next_sweep = now if forgotten == SLICE else now + SWEEP
