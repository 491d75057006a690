"""What a legacy session has told the gate since it began: its log level, and what it subscribed to.

It is kept in the store too, for whichever worker adopts the session.
"""

from __future__ import annotations

import contextlib
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final

import msgspec

from bawn.errors import Refused
from bawn.model import Call, Json, Principal
from bawn.ports import SessionNotes
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.protocol.sessions import LIFETIME

_REMEMBERED: Final = 4096
_PURPOSE: Final = "note"


class Note(msgspec.Struct):
    """What one session has told."""

    level: str | None = None
    uris: list[str] = msgspec.field(default_factory=list)


class Notes:
    """Remembers notes; what the store cannot give counts as nothing told. `clock`: seconds since the epoch."""

    def __init__(self, store: SessionNotes, sealer: Sealer, clock: Callable[[], float]) -> None:
        self._store = store
        self._sealer = sealer
        self._clock = clock
        self._notes: OrderedDict[str, Note] = OrderedDict()

    def level(self, call: Call) -> str | None:
        """The least log level that the session of this call wants, if it wants any."""
        return None if call.session is None else self.of(call).level

    def of(self, call: Call) -> Note:
        """The note of the session of this call."""
        key = named(call.principal, call.endpoint, call.session or "")
        note = self._notes.get(key)
        if note is None:
            note = self._notes[key] = self._found(key)
            if len(self._notes) > _REMEMBERED:
                self._notes.popitem(last=False)
        else:
            self._notes.move_to_end(key)
        return note

    def keep(self, call: Call, note: Note) -> None:
        """Remember what has changed in a note.

        Raises:
            Refused: store.unavailable, and then it holds in this worker alone.
        """
        key = named(call.principal, call.endpoint, call.session or "")
        self._notes[key] = note
        content: Json = msgspec.to_builtins(note)
        self._store.keep(key, self._clock() + LIFETIME, self._sealer.seal(_PURPOSE, content))

    def forget(self, key: str) -> None:
        """The session of this name has ended: what is kept of it may go."""
        note = self._notes.pop(key, None)
        if note is not None and (note.level is not None or note.uris):
            with contextlib.suppress(Refused):  # it goes in its time
                self._store.keep(key, self._clock(), self._sealer.seal(_PURPOSE, {}))

    def _found(self, key: str) -> Note:
        try:
            kept = self._store.find(key)
            return (
                Note() if kept is None else msgspec.convert(self._sealer.open(_PURPOSE, kept), Note)
            )
        except (Refused, Unsealed, msgspec.ValidationError):
            return Note()


def named(principal: Principal, endpoint: str | None, session: str) -> str:
    """A digest that names a session of this principal at this endpoint."""
    return sha256("\0".join((principal.key, endpoint or "", session)).encode()).hexdigest()
