"""What was approved of servers, for processes that verify what others than the steward have listed."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from bawn.errors import INTEGRITY_DRIFT, INTEGRITY_LOCK
from bawn.model import Json
from bawn.pins.digest import Digests
from bawn.pins.record import Aspect, Record
from bawn.pins.verified import note, strangers
from bawn.pins.verifying import Stranger, Verifying
from bawn.storage.directory import StateDirectory
from bawn.storage.files import ServerFiles

log = logging.getLogger("bawn.integrity")


class Approved:
    """The records of one state directory; `told` is called with a server of which something was found.

    With `lock`, they are those of that directory instead: what bawn.lock has, to which nothing is added.
    """

    def __init__(
        self,
        state: StateDirectory,
        told: Callable[[str], None],
        most: int,
        *,
        always: bool,
        lock: str = "",
    ) -> None:
        self._files = ServerFiles(Path(lock) if lock else state.pins, Record)
        self._locked = bool(lock)
        self._told = told
        self._most = most
        self._always = always
        self._digests = Digests()

    @property
    def always(self) -> bool:
        """Whether every call has to be verified."""
        return self._always

    def verifying(self, server: str) -> Verifying:
        """For one process or session of this server."""
        reason = INTEGRITY_LOCK if self._locked else INTEGRITY_DRIFT
        approvals = _OfServer(self, server)
        return Verifying(approvals, self._most, always=self._always, reason=reason)

    def record(self, server: str) -> Record | None:
        """What is on record of a server, read again when its file was replaced.

        Raises:
            Refused: integrity.store.
        """
        return self._files.current(server)

    def strangers(
        self, aspect: Aspect, definitions: Sequence[Json], record: Record
    ) -> Iterable[Stranger]:
        """Those that are not as any approved one of their name."""
        return strangers({aspect: definitions}, record, self._digests)

    def found(self, server: str, several: Sequence[Stranger]) -> None:
        """Put changes on record, unless they wait already.

        Raises:
            Refused: integrity.store.
        """
        if self._locked:
            for aspect, name, _, _ in several:
                log.warning("%s: a process or session has another %s %r", server, aspect, name)
            return
        now = time.time()

        def noted(record: Record | None) -> Record | None:
            after = None if record is None else note(record, several, now)
            return None if after is record else after

        if self._files.update(server, noted) is not None:
            self._told(server)


class _OfServer:
    """Fills `verifying.Approvals`."""

    def __init__(self, approved: Approved, server: str) -> None:
        self._approved = approved
        self._server = server

    def record(self) -> Record | None:
        return self._approved.record(self._server)

    def strangers(
        self, aspect: Aspect, definitions: Sequence[Json], record: Record
    ) -> Iterable[Stranger]:
        return self._approved.strangers(aspect, definitions, record)

    def found(self, strangers: Sequence[Stranger]) -> None:
        self._approved.found(self._server, strangers)
