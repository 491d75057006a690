"""A server of 2026-07-28 over HTTP: stateless, so a call is one exchange."""

from __future__ import annotations

from collections.abc import Awaitable
from functools import lru_cache
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

    def call(self, outbound: Outbound, emit: Emit | None = None) -> Awaitable[Answer]:
        """One exchange.

        Raises:
            Refused: an upstream.* reason.
        """
        id_ = next(self._ids)
        relay = Relay(outbound.params, id_, emit)
        mirrored = wire_headers(outbound.method, outbound.name)
        return self._wire.ask(id_, outbound.method, relay.params, mirrored, relay)

    async def aclose(self) -> None:
        """Nothing is held."""


_VERSION = (headers.VERSION, versions.MODERN.encode())


@lru_cache(1024)
def wire_headers(method: str, name: str | None) -> Headers:
    """The mirrored headers, regenerated from what is sent."""
    mirrored = (_VERSION, (headers.METHOD, method.encode()))
    return mirrored if name is None else (*mirrored, (headers.NAME, headers.encode(name)))
