"""Where the processes of one gate meet: files and sockets below `run/` of the state directory.

All of it is of one run of the gate: the supervisor makes it at its start and takes it away at its end.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from bawn.barrier.page import Barrier
from bawn.barrier.shelf import Shelf
from bawn.storage.directory import StateDirectory


class Places:
    """The names, made from the state directory."""

    def __init__(self, state: StateDirectory) -> None:
        self.state = state
        self.unix = state.socket("gate.sock")
        self.runner = state.socket("runner.sock")
        self.control = state.socket("control.sock")
        self.health = state.run / "health.json"
        self.listings = state.run / "listings"
        self.data = state.path / "data"
        self._page = state.run / "barrier"
        self._shelf = state.run / "editions"

    def worker(self, epoch: int, slot: int) -> Path:
        """The private socket of one worker, for the others."""
        return self.state.socket(f"worker-{epoch}-{slot}.sock")

    def shares(self, epoch: int) -> Path:
        """Where the workers of a crew tell each other how many connections they have."""
        return self.state.run / f"shares-{epoch}"

    def barrier(self) -> Barrier:
        """The barrier, to read.

        Raises:
            OSError: no gate runs.
        """
        return Barrier(self._page)

    def shelf(self) -> Shelf:
        """The editions and Views."""
        return Shelf(self._shelf)

    def begin(self) -> Barrier:
        """Make a place for a new run, whatever the last one left; returns the barrier, to write.

        Raises:
            OSError: it cannot be made.
        """
        self.clear()
        self._shelf.mkdir(mode=0o700)
        return Barrier.create(self._page)

    def clear(self, sockets: Iterable[Path] = ()) -> None:
        """Take away what is of one run, and these sockets."""
        shutil.rmtree(self._shelf, ignore_errors=True)
        for lock in (*self.state.run.glob("locked-*"), *self.state.run.glob(".locked-*")):
            shutil.rmtree(lock, ignore_errors=True)
        left = (*self.state.sockets("worker-*.sock"), *self.state.run.glob("shares-*"))
        for path in (self._page, self.health, self.listings, *left, *sockets):
            path.unlink(missing_ok=True)
