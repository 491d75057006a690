"""A server that tells of changes, as the tests of streams need it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit
from tests.fakes import fine
from tests.gate import House


class Telling:
    """Answers `subscriptions/listen`: it honours what `honours` gives of what is wanted."""

    def __init__(self, house: House, server: str = "files") -> None:
        self.honours: Callable[[Json], Json] = lambda wanted: wanted
        self.emits: list[Emit] = []
        self.was_joined = asyncio.Event()
        self.left = asyncio.Event()
        self.ended = asyncio.Event()
        house.upstreams[server].behave = self

    async def __call__(self, outbound: Outbound, emit: Emit | None) -> Answer:
        """How the server behaves."""
        if outbound.method != "subscriptions/listen" or emit is None:
            return await fine(outbound, emit)
        honoured = self.honours(outbound.params["notifications"])
        method = "notifications/subscriptions/acknowledged"
        await emit({"jsonrpc": "2.0", "method": method, "params": {"notifications": honoured}})
        self.emits.append(emit)
        self.was_joined.set()
        try:
            await self.ended.wait()
        finally:
            self.emits.remove(emit)
            if not self.emits:
                self.left.set()
        return Answer(result={"resultType": "complete"})

    async def tell(self, method: str, params: Json) -> None:
        """Tell this on every stream."""
        for emit in tuple(self.emits):
            await emit({"jsonrpc": "2.0", "method": method, "params": params})
