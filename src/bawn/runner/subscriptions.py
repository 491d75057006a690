"""Which resources one legacy process is asked to tell of, counted by how many listen.

Source: server/resources, "Subscriptions" (2025-11-25).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

from bawn.errors import UPSTREAM_FIRST_BYTE, UPSTREAM_TOTAL, Refused
from bawn.model import Answer, Json
from bawn.protocol.listening import whole
from bawn.runner.listens import Listen

Ask: TypeAlias = Callable[[str, Json], Awaitable[Answer]]


@dataclass(slots=True, eq=False)
class _Held:
    asked: asyncio.Task[bool]  # whether the process agreed
    count: int = 0


class Subscriptions:
    """The subscriptions at one process. `ask` sends it a request."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._held: dict[str, _Held] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self.listeners: set[Listen] = set()

    async def hold(self, uris: Sequence[str]) -> list[str]:
        """Have the process tell of these; those it agreed to, each to be released once.

        Raises:
            Refused: the process ended.
        """
        holding = [asyncio.create_task(self._hold(uri)) for uri in uris]
        try:
            agreed = await asyncio.gather(*holding)
        except BaseException:
            for task in holding:
                task.cancel()
            ended = await asyncio.gather(*holding, return_exceptions=True)
            self.release([uri for uri, yes in zip(uris, ended, strict=True) if yes is True])
            raise
        return [uri for uri, yes in zip(uris, agreed, strict=True) if yes]

    def release(self, uris: list[str]) -> None:
        """Nobody of those who asked for these wants them any more."""
        for uri in uris:
            self._release(uri, self._held[uri])

    def updated(self, message: Json) -> None:
        """A resource changed: tell those who listen to it, or to what it is a part of."""
        uri = message["params"].get("uri")
        if isinstance(uri, str):
            for listen in self.listeners:
                if whole(listen.uris, uri) is not None:
                    listen.hear(message)

    async def _hold(self, uri: str) -> bool:
        held = self._held.get(uri)
        if held is None:
            held = self._held[uri] = _Held(asyncio.create_task(self._subscribe(uri)))
        held.count += 1
        try:
            agreed = await asyncio.shield(held.asked)
        except BaseException:
            self._release(uri, held)
            raise
        if not agreed:
            self._release(uri, held)
        return agreed

    def _release(self, uri: str, held: _Held) -> None:
        held.count -= 1
        if held.count:
            return
        del self._held[uri]
        task = asyncio.create_task(self._unsubscribe(uri, held))
        self._leaving.add(task)
        task.add_done_callback(self._leaving.discard)

    async def _subscribe(self, uri: str) -> bool:
        try:
            answer = await self._ask("resources/subscribe", {"uri": uri})
        except Refused as refused:
            if refused.reason in (UPSTREAM_FIRST_BYTE, UPSTREAM_TOTAL):
                return False
            raise
        return answer.result is not None

    async def _unsubscribe(self, uri: str, held: _Held) -> None:
        with suppress(Refused):  # it is gone, or does not listen: there is nothing to undo then
            if await held.asked and uri not in self._held:
                await self._ask("resources/unsubscribe", {"uri": uri})
