"""What all workers have to know alike."""

from __future__ import annotations

from typing import Protocol


class Barrier(Protocol):
    """Whether this worker obeys what is in force; asked before each message."""

    def behind(self) -> bool:
        """Whether there is something to catch up with; costs next to nothing."""

    def catch_up(self) -> bool:
        """Take it in; False when this worker's configuration is no longer, or not yet, in force.

        Raises:
            Refused: gate.not_ready, when what is in force cannot be had.
        """


class Graves(Protocol):
    """Which handles were ended before their time, over all workers and restarts."""

    def bury(self, handle: str, until: float) -> None:
        """Remember that this handle is dead, until it would have expired (seconds since the epoch).

        Raises:
            Refused: store.unavailable.
        """

    def buried(self, handle: str) -> bool:
        """Whether it is dead.

        Raises:
            Refused: store.unavailable.
        """

    def once(self, handle: str, until: float) -> bool:
        """Use up a handle that serves once; False when it was used before, by whichever worker.

        Raises:
            Refused: store.unavailable, and then it counts as used.
        """


class SessionNotes(Protocol):
    """What legacy sessions have told the gate, over all workers; notes are sealed by who keeps them."""

    def find(self, session: str) -> str | None:
        """The note of the session with this digest.

        Raises:
            Refused: store.unavailable.
        """

    def keep(self, session: str, until: float, note: str) -> None:
        """Keep a note until then (seconds since the epoch), in the place of an earlier one.

        Raises:
            Refused: store.unavailable.
        """
