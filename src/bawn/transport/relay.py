"""A message for another worker, carried whole over that worker's private socket.

Who the caller is goes along sealed: the worker that took the message in has authenticated it, and
judged its Host and Origin. The other one reads everything else anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final
from urllib.parse import quote

import msgspec

from bawn.config import Limits
from bawn.errors import GATE_WORKER_LOST, UPSTREAM_UNREACHABLE, Refused
from bawn.model import Peer
from bawn.ports import Arrival, Emit, HttpClient, HttpReply, HttpRequest, Reply
from bawn.protocol.sealing import Sealer, Unsealed

HEADER: Final = b"bawn-relay"

_PURPOSE: Final = "relay"
_EXPIRY: Final = 30.0  # seconds
_PATIENCE: Final = 5.0  # seconds beyond what the other worker has for the call
_MARGIN: Final = 1 << 20  # bytes of an answer around the result in it
_SENT_BACK: Final = (
    b"content-type",
    b"mcp-session-id",
    b"www-authenticate",
    b"retry-after",
    b"allow",
)
_HOP: Final = frozenset(  # RFC 9110, section 7.6.1; and what the client sets or the seal replaces
    b"connection keep-alive proxy-connection proxy-authenticate proxy-authorization te trailer "
    b"transfer-encoding upgrade expect host content-length accept-encoding content-encoding "
    b"forwarded x-forwarded-for x-forwarded-host x-forwarded-proto".split()
) | {HEADER}


class Relay:
    """Sends messages to other workers, and knows what they send; `path_of` gives a slot's socket."""

    def __init__(
        self,
        client: HttpClient,
        sealer: Sealer,
        path_of: Callable[[int], str],
        clock: Callable[[], float],
        limits: Limits,
    ) -> None:
        self._client = client
        self._sealer = sealer
        self._path_of = path_of
        self._clock = clock
        self._seconds = limits.total + _PATIENCE
        self._limit = limits.result + _MARGIN

    def peer(self, sealed: bytes | None) -> Peer | None:
        """The caller that another worker speaks for; None unless it has just sealed this."""
        try:
            content = self._sealer.open(_PURPOSE, (sealed or b"").decode("latin-1"))
        except Unsealed:
            return None
        return Peer(content["a"], content["u"]) if self._clock() < content["x"] else None

    async def forward(
        self, arrival: Arrival, method: str, path: str, slot: int, emit: Emit
    ) -> Reply | None:
        """The other worker's answer; None when it could not be reached, and then nothing was sent.

        Raises:
            Refused: gate.worker_lost, when it ended after the message had left.
        """
        request = self._request(arrival, method, path, slot)
        try:
            reply = await self._client.send(request)
            if reply.events is not None:
                return Reply(reply.status, await _last(reply.events, emit))
        except Refused as refused:
            if refused.reason is UPSTREAM_UNREACHABLE:
                return None
            raise Refused(GATE_WORKER_LOST, detail=f"worker {slot}: {refused}") from refused
        try:
            return Reply(reply.status, reply.body, _sent_back(reply))
        finally:
            if reply.release is not None:
                reply.release()

    def _request(self, arrival: Arrival, method: str, path: str, slot: int) -> HttpRequest:
        caller = {
            "a": arrival.peer.address,
            "u": arrival.peer.uid,
            "x": self._clock() + _EXPIRY,
        }
        sealed = self._sealer.seal(_PURPOSE, caller).encode()
        named = {t.strip() for t in arrival.headers.get(b"connection", b"").lower().split(b",")}
        kept = [f for f in arrival.headers.items() if f[0] not in _HOP and f[0] not in named]
        return HttpRequest(
            method,
            f"http+unix://{quote(self._path_of(slot), safe='')}{path}",
            (*kept, (HEADER, sealed)),
            arrival.body,
            self._seconds,
            self._seconds,
            self._limit,
        )


def _sent_back(reply: HttpReply) -> tuple[tuple[bytes, bytes], ...]:
    return tuple([(name, reply.headers[name]) for name in _SENT_BACK if name in reply.headers])


async def _last(events: AsyncIterator[bytes], emit: Emit) -> bytes:
    """The message that ends the stream; those before it are told as they come.

    Raises:
        Refused: gate.worker_lost, when none ends it; or as the client does.
    """
    try:
        async for data in events:
            message = msgspec.json.decode(data)
            if "method" not in message:
                return data
            await emit(message)
    finally:
        close = getattr(
            events, "aclose", None
        )  # as async generators have, and the client's streams
        if close is not None:
            await close()
    raise Refused(GATE_WORKER_LOST, detail="its stream ended before the answer")
