"""Large bodies that a worker holds at once, and what share of them one principal may hold."""

from __future__ import annotations

from typing import Final

from bawn.budget import Budget

SHARE: Final = 4
"""A principal may hold the fourth part of everything."""


class Held:
    """Wraps the worker's budget in one for each principal, which stands before it."""

    def __init__(self, most: int) -> None:
        self.all: Final = Budget(most)
        self._share = max(1, most // SHARE)
        self._own: dict[str, Budget] = {}

    async def take(self, principal: str, size: int) -> None:
        """Take so many bytes when it is our turn; cancelled, nothing was taken."""
        own = self._own.setdefault(principal, Budget(self._share))
        try:
            await own.wait(size)
            try:
                # whoever holds of this one waits for nothing more, so nobody waits in a circle
                await self.all.wait(size)
            except BaseException:
                own.give(size)
                raise
        finally:
            self._forget(principal, own)

    def give(self, principal: str, size: int) -> None:
        """Give back what was taken."""
        own = self._own[principal]
        own.give(size)
        self._forget(principal, own)
        self.all.give(size)

    def count(self, size: int) -> None:
        """Count bytes that are there already, whether there is room for them or not."""
        self.all.held += min(size, self.all.most)

    def discount(self, size: int) -> None:
        """They are gone."""
        self.all.give(size)

    def _forget(self, principal: str, own: Budget) -> None:
        if not own.held:  # then nobody waits: any wish is granted when nothing is out
            self._own.pop(principal, None)
