"""What is held back and past its time is destroyed, hour by hour, whether or not anything else is held."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, Protocol

from bawn.errors import Refused

log = logging.getLogger("bawn.steward")

EVERY: Final = 3600.0
"""Seconds between two looks."""


class Swept(Protocol):
    """What has things past their time."""

    def sweep(self) -> int:
        """Destroy them; how many."""


async def sweeping(store: Swept, every: float = EVERY) -> None:
    """Sweep until cancelled, off the loop. A store that cannot be swept now is swept the next time."""
    while True:
        try:
            count = await asyncio.to_thread(store.sweep)
        except Refused as problem:
            log.error("what is past its time cannot be destroyed: %s", problem.detail)
        else:
            if count:
                log.info("%d answers that were held back are past their time: destroyed", count)
        await asyncio.sleep(every)
