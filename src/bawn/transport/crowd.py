"""How many connections a worker has, in all and from one address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable


class Crowd:
    """At most `most` connections, and `each` of one address; `tell` hears of every change."""

    tell: Callable[[int], None] | None = None

    def __init__(self, most: int, each: int) -> None:
        self._most = most
        self._each = each
        self._by_address: Counter[str] = Counter()
        self.connections = 0

    def enter(self, address: str | None) -> bool:
        """Let a connection in if there is room; without an address, it counts for none."""
        if self.connections >= self._most or (address is not None and not self.begin(address)):
            return False
        self._count(1)
        return True

    def leave(self, address: str | None) -> None:
        """It has ended."""
        self._count(-1)
        if address is not None:
            self.end(address)

    def begin(self, address: str) -> bool:
        """Count one for this address: a connection, or a request of a caller behind a proxy."""
        if self._by_address[address] >= self._each:
            return False
        self._by_address[address] += 1
        return True

    def end(self, address: str) -> None:
        """One less."""
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def _count(self, change: int) -> None:
        self.connections += change
        if self.tell is not None:
            self.tell(self.connections)
