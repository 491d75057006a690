"""What the workers of one crew ask each other for, over their private sockets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

import msgspec

from bawn.app.places import Places
from bawn.errors import Refused
from bawn.ports import HttpClient, HttpRequest
from bawn.telemetry import figures
from bawn.telemetry.figures import Figures

PATH: Final = "/figures"
_PATIENCE: Final = 1.0
_LONGEST: Final = 16 << 20


class Siblings:
    """The workers of this crew; `own` gives the figures of the one in `slot`, which is this one."""

    def __init__(
        self,
        client: HttpClient,
        places: Places,
        epoch: int,
        slot: int,
        workers: int,
        own: Callable[[], Figures],
    ) -> None:
        self._client = client
        self._places = places
        self._epoch = epoch
        self._slot = slot
        self._workers = workers
        self.own = own

    async def figures(self) -> dict[str, Figures]:
        """The figures of every worker that answers, by its slot."""
        found = await asyncio.gather(*map(self._of, range(self._workers)))
        return {str(slot): each for slot, each in enumerate(found) if each is not None}

    async def _of(self, slot: int) -> Figures | None:
        if slot == self._slot:
            return self.own()
        socket = quote(str(self._places.worker(self._epoch, slot)), safe="")
        request = HttpRequest(
            "GET", f"http+unix://{socket}{PATH}", (), b"", _PATIENCE, _PATIENCE, _LONGEST
        )
        try:
            reply = await self._client.send(request)
            return figures.decode(reply.body) if reply.status == 200 else None
        except (Refused, msgspec.MsgspecError):
            return None  # it is just being started again
