"""A local server, reached through the runner: canonical on this side, whatever it speaks itself.

The runner says the server's era with each answer. What the caller offers matters to legacy servers
alone, so once a server is known to be modern its calls go the short way, and park nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from itertools import count
from typing import Any, Final
from urllib.parse import quote

from bawn.errors import INTERNAL_ERROR, REASONS, UPSTREAM_STATUS, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit, HttpRequest
from bawn.protocol import capabilities, legacy_server, strict, versions
from bawn.upstream.exchange import Headers, OnMessage, Relay, Wire
from bawn.upstream.parking import Asks, Parking

_LISTEN: Final = "subscriptions/listen"
_ERA: Final = b"bawn-era"
_MODERN: Final = b"modern"
_NOT_ASKED: Final[Json] = {
    "error": {"code": INTERNAL_ERROR, "message": "The client cannot be asked now"}
}


class Local:
    """Implements `ports.Upstream` for a `command`."""

    def __init__(self, wire: Wire) -> None:
        limits = wire.limits
        # answers need connections too, so what waits for them must leave some
        half = limits.model_copy(update={"connections": max(1, limits.connections // 2)})
        address = f"{wire.url}/answers"
        self._wire = wire
        self._answers = Wire(wire.server, wire.client, address, wire.headers, limits)
        self._parking = Parking(wire.server, half)
        self._ids = count(1)
        self._modern = False

    async def call(self, outbound: Outbound, emit: Emit | None = None) -> Answer:
        """One exchange with the runner, which starts the server when needed.

        Raises:
            Refused: an upstream.* reason, the runner's own included; state.lost, limit.parked.
        """
        if outbound.parked:
            return await self._parking.resume(outbound, emit)
        offers = self._offers(outbound)
        if offers and outbound.method != _LISTEN:
            return await self._parking.run(
                outbound, emit, partial(self._exchange, outbound, offers)
            )
        headers = runner_headers(outbound.isolation, outbound.project, outbound.principal, offers)
        id_ = next(self._ids)
        if outbound.method == _LISTEN:
            heard = partial(_heard, emit)
            request = self._wire.request(
                id_, outbound.method, outbound.params, headers, lasting=True
            )
            return await self._ask(request, id_, heard, lasting=True)
        relay = Relay(outbound.params, id_, emit)
        request = self._wire.request(id_, outbound.method, relay.params, headers)
        return await self._ask(request, id_, relay)

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Fills `ports.Upstream`: the runner brings all workers to one process."""
        return False

    async def aclose(self) -> None:
        """Give up what waits for its caller; the runner owns the processes."""
        await self._parking.aclose()

    def _offers(self, outbound: Outbound) -> bytes:
        """What may be asked of the caller, as the runner reads it; empty for nothing."""
        if self._modern:
            return b""
        declared = (outbound.params.get("_meta") or {}).get(versions.META_CAPABILITIES)
        if not declared:
            return b""
        offered = capabilities.offered(declared, shared=outbound.isolation == "shared")
        return strict.encode(offered) if offered else b""

    async def _ask(
        self, request: HttpRequest, id_: int, on_message: OnMessage, *, lasting: bool = False
    ) -> Answer:
        reply = await self._wire.client.send(request)
        if (era := reply.headers.get(_ERA)) is not None:
            self._modern = era == _MODERN
        answer = await self._wire.read(reply, id_, on_message, lasting=lasting)
        if answer.error is not None:
            _raise_runners_own(answer)
        return answer

    async def _exchange(self, outbound: Outbound, offers: bytes, emit: Emit, asks: Asks) -> Answer:
        """Fills `parking.Exchange`: a call during which a legacy server may ask."""
        id_ = next(self._ids)
        relay = Relay(outbound.params, id_, emit)
        whose = runner_headers(outbound.isolation, outbound.project, outbound.principal)

        async def on_message(message: Json) -> None:
            method, ask = message.get("method"), message.get("id")
            if isinstance(ask, str) and isinstance(method, str):
                answer = partial(self._answer, whose, ask)
                if not asks.ask(ask, legacy_server.to_canonical_ask(message), answer):
                    await answer(_NOT_ASKED)
            elif method == "notifications/cancelled":
                asks.withdraw((message.get("params") or {}).get("requestId"))
            else:
                await relay(message)

        headers = runner_headers(outbound.isolation, outbound.project, outbound.principal, offers)
        request = self._wire.request(id_, outbound.method, relay.params, headers, lasting=True)
        return await self._ask(request, id_, on_message, lasting=True)

    async def _answer(self, whose: Headers, ask: str, outcome: Json) -> None:
        """Bring an answer to the runner, which knows what the server asked by this id.

        Raises:
            Refused: an upstream.* reason.
        """
        body = strict.encode({"jsonrpc": "2.0", "id": ask, **outcome})
        reply = await self._answers.post(body, whose)
        if reply.status not in (202, 404):  # 404: the server has withdrawn it, or the call is over
            raise Refused(UPSTREAM_STATUS, detail=f"the runner took no answer: HTTP {reply.status}")


async def _heard(emit: Emit | None, message: Json) -> None:
    """Notifications of a stream on their way to whoever listens."""
    if emit is not None and "id" not in message:
        await emit(message)


@lru_cache(1024)
def runner_headers(
    isolation: str, project: str | None, principal: str, offers: bytes = b""
) -> Headers:
    """Whose process the runner shall take, on whose account, and what that may ask."""
    found: Headers = ((b"bawn-isolation", isolation.encode()),)
    if project is not None:
        found += ((b"bawn-project", quote(project).encode()),)
    if principal:
        found += ((b"bawn-principal", principal.encode()),)
    if offers:
        found += ((b"bawn-offers", offers),)
    return found


def _raise_runners_own(answer: Answer) -> None:
    """Rebuild the runner's refusal; it sees to it that no server's error looks like one."""
    data = (answer.error or {}).get("data")
    reason = REASONS.get(str(data.get("reason"))) if isinstance(data, dict) else None
    if reason is not None and isinstance(data, dict):
        raise Refused(reason, detail=str(data.get("detail", "")))
