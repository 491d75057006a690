"""The keys that handles are sealed with, as a worker uses them, and their renewal by the supervisor."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from functools import partial
from hashlib import blake2b
from typing import Final

from bawn.errors import GATE_NOT_READY, Misconfigured, Refused
from bawn.protocol.sealing import Sealer
from bawn.protocol.sessions import LIFETIME
from bawn.storage.database import Database
from bawn.storage.directory import StateDirectory
from bawn.storage.ring import Ring

log = logging.getLogger("bawn.supervisor")

ROTATE: Final = 7 * 24 * 3600.0
"""Seconds that a key seals before another one does; it opens for as long as what it sealed lives."""

KEEP: Final = 2 * LIFETIME + 3600.0
"""Seconds for which a key opens that seals no more: an approval may be given and used in two days."""

_LOOK: Final = 3600.0
_DIGESTS: Final = "approvals.key"


class Seals:
    """Two sealers on one ring. `handles` are for callers: whoever loses the tombstones, loses them too.

    `relay` is for what workers tell each other, and does not depend on the store.
    """

    def __init__(self, ring: Ring, database: Database) -> None:
        self._ring = ring
        self._database = database
        self._keys = keys = ring.keys(time.time())

        def nonce() -> bytes:
            return os.urandom(12)

        self.relay = Sealer(keys, nonce)
        self.handles = Sealer(self._bound(keys), nonce)

    def renew(self) -> None:
        """Read the ring again.

        Raises:
            Refused: gate.not_ready, when it cannot be read: the keys of before may be forgotten ones.
        """
        try:
            self._keys = self._ring.keys(time.time())
        except Misconfigured as problem:
            raise Refused(GATE_NOT_READY, detail=f"the sealing keys: {problem}") from None
        self.relay.use(self._keys)
        self.rebind()

    def rebind(self) -> None:
        """Bind the handles to the store that is there now."""
        self.handles.use(self._bound(self._keys))

    def _bound(self, keys: list[bytes]) -> list[bytes]:
        lineage = self._database.lineage.encode()
        return [
            blake2b(lineage, digest_size=32, key=key, person=b"bawn handles").digest()
            for key in keys
        ]


def digest_key(state: StateDirectory) -> bytes:
    """The key of the digests that approvals are found by: the same for all processes, and for good.

    Raises:
        Misconfigured: it cannot be read or made.
    """
    return state.key(_DIGESTS, partial(os.urandom, 32))


async def keep_fresh(ring: Ring, renewed: Callable[[], None]) -> None:
    """Rotate the ring when it is time, for as long as the gate runs."""
    while True:
        try:
            if await asyncio.to_thread(ring.due, time.time(), ROTATE):
                await asyncio.to_thread(ring.rotate, time.time(), keep=KEEP)
                renewed()
                log.info("a new key seals handles from here on")
        except (Misconfigured, OSError) as problem:
            log.error("the sealing keys cannot be renewed: %s", problem)
        await asyncio.sleep(_LOOK)
