"""A worker asks that what is on record of a server be put in force: by the owner's own door."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Final

from bawn.app.places import Places
from bawn.errors import GATE_NOT_READY, Refused

log = logging.getLogger("bawn.worker")

_PATIENCE: Final = 20.0


class Looking:
    """Speaks to the supervisor of the gate."""

    def __init__(self, places: Places) -> None:
        self._path = places.control
        self._asking: set[asyncio.Task[None]] = set()

    def ask(self, server: str) -> None:
        """Have it done, and do not wait; what fails is logged, and done with the next look."""
        task = asyncio.create_task(self._quietly(server))
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def done(self, server: str) -> None:
        """When this returns, what is on record of a server is in force on every worker.

        Raises:
            Refused: gate.not_ready: it is on record, and will be in force soon.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                told = await self._exchange({"do": "pins", "server": server})
        except (OSError, TimeoutError, ValueError) as error:
            raise Refused(GATE_NOT_READY, detail=f"not in force yet: {error!r}") from None
        if "done" not in told:
            raise Refused(GATE_NOT_READY, detail=str(told.get("error", "not in force yet")))

    async def _exchange(self, order: dict[str, str]) -> dict[str, object]:
        reader, writer = await asyncio.open_unix_connection(str(self._path))
        try:
            writer.write(json.dumps(order).encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline())
        finally:
            writer.close()
        return answer if isinstance(answer, dict) else {}

    async def _quietly(self, server: str) -> None:
        try:
            await self.done(server)
        except Refused as refused:
            log.error("what was found of a server is not in force yet: %s", refused)
