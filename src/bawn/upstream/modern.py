"""A server of 2026-07-28 over HTTP: stateless, so a call is one exchange."""

from __future__ import annotations

from itertools import count

from bawn.model import Answer, Outbound
from bawn.ports import Emit
from bawn.protocol import headers, versions
from bawn.upstream.exchange import Headers, Relay, Wire


class Modern:
    """Speaks the canonical form as it is."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._ids = count(1)

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """One exchange.

        Raises:
            Refused: an upstream.* reason.
        """
        id_ = next(self._ids)
        relay = Relay(outbound.params, id_, emit)
        _, answer = await self._wire.ask(
            id_, outbound.method, relay.params, wire_headers(outbound), relay
        )
        return answer

    async def aclose(self) -> None:
        """Nothing is held."""


_VERSION = (headers.VERSION, versions.MODERN.encode())


def wire_headers(outbound: Outbound) -> Headers:
    """The mirrored headers, regenerated from what is sent."""
    method = (headers.METHOD, outbound.method.encode())
    if outbound.name is None:
        return (_VERSION, method)
    return (_VERSION, method, (headers.NAME, headers.encode(outbound.name)))
