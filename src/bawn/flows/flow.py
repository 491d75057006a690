"""What conversations have touched: monotone until it expires, and known to any worker at once.

Only what is known to have been touched is remembered here; that something was not is read from the
store each time, as another worker may have touched it a moment ago. A label counts for `lifetime`
after the last call that touched it, and for a quarter more at most: that is how long a row is written
ahead, so that a busy conversation is not written with every call.

Clocks: one that is set back lets labels count for longer, never for less. One that leaps ahead by more
than the lifetime ends them, as the passing of time does. When the store turns out to have been begun afresh,
nobody knows what was touched: for a lifetime, everything counts as touched at the workers that saw it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from bawn.model import Label
from bawn.storage.flows import StoredFlows, Touched

AHEAD: Final = 1.25
"""Lifetimes for which a touch is written."""

_REMEMBERED: Final = 16_384
_ALL: Final = frozenset(Label)
_NONE: Final[frozenset[Label]] = frozenset()
_ORDER: Final = tuple(Label(name) for name in Touched._fields)


class Flow:
    """`ports.Flows` over the store; `lifetime` is in seconds, `clock` gives them since the epoch."""

    def __init__(
        self, stored: StoredFlows, lifetime: float, clock: Callable[[], float] = time.time
    ) -> None:
        self._stored = stored
        self._lifetime = lifetime
        self._clock = clock
        self._lineage = stored.lineage
        self._written: dict[tuple[str, frozenset[Label]], float] = {}
        """Until when a touch need not be written again."""
        self._full: dict[str, float] = {}
        """Until when a conversation has touched everything there is."""
        self._lost = 0.0
        """Until when nobody knows what was touched."""

    def touched(self, conversation: str) -> frozenset[Label]:
        """What it has touched, as far as that has not expired.

        Raises:
            Refused: store.unavailable.
        """
        now = self._clock()
        if now < self._full.get(conversation, 0.0) and self._lineage == self._stored.lineage:
            return _ALL
        found = self._stored.find(conversation)
        self._check_lineage(now)
        if now < self._lost:
            return _ALL
        if found is None:
            return _NONE
        labels = frozenset(label for label, until in zip(_ORDER, found, strict=True) if now < until)
        if labels == _ALL:
            self._room()
            self._full[conversation] = min(found)
        return labels

    def touch(self, conversation: str, labels: frozenset[Label]) -> None:
        """Remember that it touches these now; returns when any worker knows.

        Raises:
            Refused: store.unavailable.
        """
        now = self._clock()
        key = (conversation, labels)
        if now < self._written.get(key, 0.0) and self._lineage == self._stored.lineage:
            return
        if not labels:
            return
        until = now + AHEAD * self._lifetime
        self._stored.touch(
            conversation, Touched(*(until if label in labels else 0.0 for label in _ORDER))
        )
        self._check_lineage(now)
        self._room()
        self._written[key] = until - self._lifetime

    def _check_lineage(self, now: float) -> None:
        """Forget what the store has forgotten: it has to be written again."""
        if self._lineage != self._stored.lineage:
            self._lineage = self._stored.lineage
            self._lost = now + self._lifetime
            self._written.clear()
            self._full.clear()

    def _room(self) -> None:
        for cache in (self._written, self._full):
            if len(cache) >= _REMEMBERED:
                cache.clear()
