"""To which worker a caller's calls come, where a server has to meet them all in one place.

Over HTTP a server of a handshake version asks on a stream of its session, which one worker alone can
hold. All workers agree by the caller's digest, without a word; where that worker is gone, another
one steps in.
"""

from __future__ import annotations

from bawn.model import Principal
from bawn.policy.isolation import account


class Homes:
    """The homes of callers, as the worker in `slot` among `workers` sees them."""

    def __init__(self, slot: int, workers: int) -> None:
        self._slot = slot
        self._workers = workers
        self.many = workers > 1
        self.name = f"worker {slot}"

    def home(self, principal: Principal) -> int:
        """The slot of the caller's worker."""
        return int(account(principal)[:8], 16) % self._workers

    def away(self, principal: Principal) -> int | None:
        """The slot of the caller's worker, if it is another one."""
        home = self.home(principal)
        return None if home == self._slot else home
