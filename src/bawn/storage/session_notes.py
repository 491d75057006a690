"""What legacy sessions have told the gate, for whichever worker serves them next."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bawn.storage.database import Database

SWEEP: Final = 3600.0  # seconds between looks for what can be forgotten


class StoredNotes:
    """`ports.SessionNotes` in the database; `clock` gives seconds since the epoch."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._clock = clock
        self._swept = 0.0

    def find(self, session: str) -> str | None:
        """The note of this session.

        Raises:
            Refused: store.unavailable.
        """
        found = self._database.rows("SELECT note FROM session_notes WHERE session = ?", session)
        return str(found[0][0]) if found else None

    def keep(self, session: str, until: float, note: str) -> None:
        """Keep a note until its session would have expired, in the place of an earlier one.

        Raises:
            Refused: store.unavailable.
        """
        self._database.change(
            "INSERT INTO session_notes VALUES (?, ?, ?) "
            "ON CONFLICT (session) DO UPDATE SET until = excluded.until, note = excluded.note",
            session, until, note,
        )  # fmt: skip
        now = self._clock()
        if abs(now - self._swept) > SWEEP:
            self._swept = now
            self._database.change("DELETE FROM session_notes WHERE until < ?", now)
