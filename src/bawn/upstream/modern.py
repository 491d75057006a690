"""A server of 2026-07-28 over HTTP: stateless, so a call is one exchange."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from functools import lru_cache
from itertools import count
from typing import Final

from bawn.errors import LIMIT_LISTENS, UPSTREAM_FIRST_BYTE, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit
from bawn.protocol import headers, versions
from bawn.upstream.exchange import Headers, Relay, Wire


class Modern:
    """Speaks the canonical form as it is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids = count(1)
        self._listens = 0

    def call(self, outbound: Outbound, emit: Emit | None = None) -> Awaitable[Answer]:
        """One exchange.

        Raises:
            Refused: an upstream.* reason.
        """
        id_ = next(self._ids)
        relay = Relay(outbound.params, id_, emit)
        mirrored = wire_headers(outbound.method, outbound.name)
        if outbound.headers:
            mirrored += outbound.headers
        if outbound.method == "subscriptions/listen":
            return self._listen(id_, outbound, mirrored, emit)
        return self._wire.ask(id_, outbound.method, relay.params, mirrored, relay)

    async def _listen(
        self, id_: int, outbound: Outbound, mirrored: Headers, emit: Emit | None
    ) -> Answer:
        """A stream that lasts; its acknowledgement has the time that an answer has to begin."""
        if self._listens >= self._wire.limits.connections:
            raise Refused(LIMIT_LISTENS, detail="at one server")
        deadline = asyncio.timeout(self._wire.limits.first_byte)
        told = _Told(emit, deadline)
        self._listens += 1
        try:
            async with deadline:
                return await self._wire.ask(
                    id_, outbound.method, outbound.params, mirrored, told, lasting=True
                )
        except TimeoutError:
            raise Refused(UPSTREAM_FIRST_BYTE, detail="no acknowledgement in time") from None
        finally:
            self._listens -= 1

    async def aclose(self) -> None:
        """Nothing is held."""


class _Told:
    """What a listen is told, from its acknowledgement on; that ends the wait for it."""

    def __init__(self, emit: Emit | None, deadline: asyncio.Timeout) -> None:
        self._emit = emit
        self._deadline = deadline
        self._acknowledged = False

    async def __call__(self, message: Json) -> None:
        """Pass a notification on."""
        method = message.get("method")
        if "id" in message or not isinstance(method, str) or message.get("jsonrpc") != "2.0":
            return
        if method == "notifications/subscriptions/acknowledged" and not self._acknowledged:
            self._acknowledged = True
            self._deadline.reschedule(None)
        elif not self._acknowledged or method in _OF_CALLS:
            return
        if self._emit is not None:
            await self._emit(message)


_OF_CALLS: Final = frozenset({"notifications/message", "notifications/progress"})
_VERSION = (headers.VERSION, versions.MODERN.encode())


@lru_cache(1024)
def wire_headers(method: str, name: str | None) -> Headers:
    """The mirrored headers, regenerated from what is sent."""
    mirrored = (_VERSION, (headers.METHOD, method.encode()))
    return mirrored if name is None else (*mirrored, (headers.NAME, headers.encode(name)))
