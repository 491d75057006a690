"""What is to be told on one stream, while its reader is slower than the news."""

from __future__ import annotations

import asyncio

from bawn.model import Json


class Mailbox:
    """The last word on each thing, in the order in which the things came up.

    It grows with what was subscribed to, not with how often that changes.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, Json] = {}
        self._came = asyncio.Event()
        self.ended = False

    def put(self, thing: str, told: Json) -> None:
        """Tell this of a thing, instead of what was not read yet."""
        self._waiting[thing] = told
        self._came.set()

    def waiting(self, thing: str) -> Json | None:
        """What is told of a thing and was not read yet."""
        return self._waiting.get(thing)

    def end(self) -> None:
        """Nothing more comes after what waits."""
        self.ended = True
        self._came.set()

    async def take(self) -> list[Json] | None:
        """What waits, as soon as there is something; None at the end."""
        await self._came.wait()
        self._came.clear()
        if self.ended:
            self._came.set()
        told = list(self._waiting.values())
        self._waiting.clear()
        return told or (None if self.ended else [])
