"""What the operator has switched off, kept over restarts: a kill switch that a restart lifts is none."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final

import msgspec

from bawn.barrier.edition import Cut
from bawn.config.atomic import replace
from bawn.errors import Misconfigured
from bawn.storage import StateDirectory, read_private

log = logging.getLogger("bawn.supervisor")

UNREADABLE: Final = "the list of cuts could not be read: until you know better, everything is cut"

_decode: Final = msgspec.json.Decoder(tuple[Cut, ...]).decode


class CutList:
    """The cuts, in a private file of the state directory. One that cannot be read cuts everything."""

    def __init__(self, state: StateDirectory) -> None:
        self._path = state.path / "cuts.json"
        try:
            self.all = _decode(read_private(self._path))
        except FileNotFoundError:
            self.all = ()
        except (OSError, msgspec.MsgspecError, UnicodeError, Misconfigured) as problem:
            log.error("%s: %s; `bawn incident restore --all` begins a new one", self._path, problem)
            self.all = (Cut("gate", "", 0.0, UNREADABLE),)

    def plus(self, cut: Cut) -> tuple[Cut, ...]:
        """The cuts with this one; one of the same thing is replaced."""
        rest = (c for c in self.all if (c.kind, c.name) != (cut.kind, cut.name))
        return (*rest, cut)

    def minus(self, wanted: Callable[[Cut], bool]) -> tuple[Cut, ...]:
        """The cuts without those that are wanted."""
        return tuple(cut for cut in self.all if not wanted(cut))

    def keep(self, cuts: tuple[Cut, ...]) -> None:
        """These are the cuts from now on.

        Raises:
            OSError: they could not be written, and those of before stay.
        """
        replace(self._path, msgspec.json.encode(cuts))
        self.all = cuts
