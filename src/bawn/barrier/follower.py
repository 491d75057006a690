"""A worker's side of the barrier: it obeys an edition before it admits anything under it."""

from __future__ import annotations

import logging
from collections.abc import Callable

import msgspec

from bawn.barrier.edition import Cuts, Edition, decode
from bawn.barrier.page import Barrier, TornError
from bawn.barrier.shelf import Shelf
from bawn.barrier.views import load
from bawn.errors import GATE_NOT_READY, Refused
from bawn.model import View

log = logging.getLogger("bawn.barrier")


class Follower:
    """Knows whether this worker, of this epoch, obeys what is in force.

    `on_view`, `on_cuts` and `on_ring` are called with what has changed, before anything else happens.
    """

    def __init__(self, barrier: Barrier, shelf: Shelf, epoch: int) -> None:
        self._barrier = barrier
        self._shelf = shelf
        self._epoch = epoch
        self._word = barrier.word
        self._obeyed = -1
        self._read = -1
        self.edition: Edition | None = None
        self._obeys: Edition | None = None
        self.on_view: Callable[[View], None] = lambda view: None
        self.on_cuts: Callable[[Cuts], None] = lambda cuts: None
        self.on_ring: Callable[[], None] = lambda: None

    def behind(self) -> bool:
        """Whether something is in force that this worker has not taken in."""
        return self._word[0] != self._obeyed

    def catch_up(self) -> bool:
        """Take in what is in force; False when this worker's configuration is not, and never will be.

        Raises:
            Refused: gate.not_ready, when it cannot be had.
        """
        while True:
            number = self._word[0]
            try:
                return self._take_in()
            except Refused:
                # what was superseded while it was read may have left the shelf
                if self._word[0] == number:
                    raise

    def _take_in(self) -> bool:
        edition = self._look()
        if edition.epoch != self._epoch:
            return False
        if edition is not self._obeys:
            self._obey(edition)
        self._obeyed = self._read
        return True

    def _look(self) -> Edition:
        number = self._word[0]
        if number == self._read and self.edition is not None:
            return self.edition
        if number == 0:
            raise Refused(GATE_NOT_READY)
        try:
            read, digest = self._barrier.read()
            self.edition = decode(self._shelf.get(digest.hex()))
        except (TornError, msgspec.MsgspecError) as error:
            raise Refused(GATE_NOT_READY, detail=f"what is in force: {error!r}") from None
        self._read = read
        return self.edition

    def _obey(self, edition: Edition) -> None:
        before = self._obeys
        if edition.view is not None and (before is None or before.view != edition.view):
            self.on_view(load(self._shelf.get(edition.view)))
        if before is None or before.ring != edition.ring:
            self.on_ring()
        if before is None or (before.cuts, before.doubted) != (edition.cuts, edition.doubted):
            self.on_cuts(Cuts(edition.cuts, edition.doubted))
        self._obeys = edition
        log.debug("an edition is obeyed", extra={"number": self._read, "epoch": edition.epoch})
