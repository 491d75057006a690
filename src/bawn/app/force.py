"""What is in force: a crew's View and epoch, the cuts and the key ring, joined into editions.

This is the barrier's only writer. What can fail comes first; what puts an edition in force is one write to
memory, so that an error never leaves half of a change for later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from bawn.app.crew import Crew
from bawn.app.cuts import CutList
from bawn.app.places import Places
from bawn.app.process import ChildFailedError
from bawn.barrier import edition
from bawn.barrier.edition import Cut, Edition
from bawn.barrier.page import DIGEST, Barrier

log = logging.getLogger("bawn.supervisor")

AGAIN: Final = 1.0
"""Seconds until what could not be written down is tried again."""


class Force:
    """Every worker obeys what is put in force here before it admits its next message."""

    def __init__(self, places: Places, cuts: CutList) -> None:
        self.cuts = cuts
        self.crew: Crew | None = None
        """Whose configuration is in force, as soon as it has a View."""
        self._places = places
        self._shelf = places.shelf()
        self._barrier: Barrier | None = None
        self._ring = 0
        self._served: str | None = None  # the View in force

    def open(self) -> None:
        """Begin with nothing in force.

        Raises:
            OSError: there is no place for it.
        """
        self._barrier = self._places.begin()

    def close(self) -> None:
        """Nothing is put in force any more."""
        if self._barrier is not None:
            self._barrier.close()
            self._barrier = None

    # ── crews and their Views ──

    def prepare(self, crew: Crew) -> str:
        """Make sure that this crew can be put in force; returns what `put` needs.

        Raises:
            ChildFailedError: it has no View.
            OSError: the edition could not be written.
        """
        if crew.view is None or not self._shelf.has(crew.view):
            raise ChildFailedError("the view of the new steward is not there any more")
        return self._written(crew, self.cuts.all)

    def put(self, crew: Crew, name: str) -> None:
        """Put a crew in force, under the edition that was prepared."""
        self.crew = crew
        self._publish(crew, name)

    def drop(self, crew: Crew) -> None:
        """A crew will not be put in force."""
        if crew.view is not None:
            self._shelf.drop(crew.view)

    def on_view(self, crew: Crew) -> None:
        """A crew has a new View, or others of its servers are in doubt."""
        if crew is not self.crew or self._barrier is None:
            return
        if crew.view is not None and not self._shelf.has(crew.view):
            log.error("a view that is not there is not put in force: %s", crew.view)
            crew.view = self._served
            return
        try:
            self._publish(crew, self._written(crew, self.cuts.all))
        except OSError as problem:
            log.error("the new view cannot be put in force yet: %s", problem)
            asyncio.get_running_loop().call_later(AGAIN, self.on_view, crew)

    # ── cuts and keys ──

    def cut(self, cut: Cut) -> bool:
        """Switch something off; whether that is written down.

        To cut everything takes no room on the disk; it is written down when there is some.

        Raises:
            OSError: it could not be written down; nothing has changed.
        """
        log.warning("cut: %s %s", cut.kind, cut.name, extra={"why": cut.why})
        cuts = self.cuts.plus(cut)
        try:
            self._put_cuts(cuts)
        except OSError as problem:
            log.error("the cut cannot be written down: %s", problem)
            if cut.kind != "gate":
                raise
            self._shut(cuts)
            return False
        return True

    def restore(self, wanted: Callable[[Cut], bool]) -> int:
        """Switch on again what is wanted; returns how many cuts that lifted.

        Raises:
            OSError: it could not be written down; nothing has changed.
        """
        lifted = [cut for cut in self.cuts.all if wanted(cut)]
        self._put_cuts(self.cuts.minus(wanted))
        for cut in lifted:
            log.warning("restored: %s %s", cut.kind, cut.name)
        return len(lifted)

    def renew_ring(self) -> None:
        """Have every worker read the sealing keys again.

        Raises:
            OSError: they do so with the next change only.
        """
        self._ring += 1
        self._put_cuts(self.cuts.all)

    def _put_cuts(self, cuts: tuple[Cut, ...]) -> None:
        name = self._written(self.crew, cuts) if self.crew is not None else None
        if cuts != self.cuts.all:
            self.cuts.keep(cuts)
        if self.crew is not None and name is not None:
            self._publish(self.crew, name)

    def _shut(self, cuts: tuple[Cut, ...]) -> None:
        """Put in force what nobody can read, so that every worker refuses everything."""
        self.cuts.all = cuts
        if self._barrier is not None:
            self._barrier.publish(bytes(DIGEST))
        asyncio.get_running_loop().call_later(AGAIN, self._write_down)

    def _write_down(self) -> None:
        """Keep the cuts that are in force and not written down."""
        try:
            self.cuts.keep(self.cuts.all)
            self._put_cuts(self.cuts.all)
        except OSError:
            asyncio.get_running_loop().call_later(AGAIN, self._write_down)

    # ── editions ──

    def _written(self, crew: Crew, cuts: tuple[Cut, ...]) -> str:
        """An edition for this crew, written down and not in force; returns its name.

        Raises:
            OSError: it could not be written.
        """
        whole = Edition(crew.epoch, crew.size, crew.view, cuts, self._ring, crew.doubted)
        return self._shelf.put(edition.encode(whole))

    def _publish(self, crew: Crew, name: str) -> None:
        if self._barrier is not None:
            self._barrier.publish(bytes.fromhex(name))
            self._served = crew.view
            self._shelf.keep(*((name,) if crew.view is None else (crew.view, name)))
