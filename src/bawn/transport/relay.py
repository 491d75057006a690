"""A message for another worker, carried whole over that worker's private socket.

Who the caller is goes along sealed: the worker that took the message in has authenticated it, and
judged its Host and Origin. The other one reads everything else anew.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from math import inf
from typing import Final
from urllib.parse import quote

import msgspec

from bawn.config import Limits
from bawn.errors import GATE_WORKER_LOST, UPSTREAM_UNREACHABLE, Refused
from bawn.model import Peer
from bawn.ports import Arrival, HttpClient, HttpReply, HttpRequest, Reply
from bawn.protocol import headers, versions
from bawn.protocol.sealing import Sealer, Unsealed
from bawn.transport.stream import INLINE, apart

HEADER: Final = b"bawn-relay"

Tell = Callable[[bytes, bytes], Awaitable[None]]
"""Takes an event, its id first; called with neither as soon as there is a stream."""

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
) | {HEADER, INLINE}
_LISTEN: Final = b"subscriptions/listen"


class Relay:
    """Sends messages to other workers, and knows what they send; `path_of` gives a slot's socket.

    What may last has a client of its own, `streams`: however many there are, calls find a connection.
    """

    def __init__(
        self,
        client: HttpClient,
        sealer: Sealer,
        path_of: Callable[[int], str],
        clock: Callable[[], float],
        limits: Limits,
        streams: HttpClient | None = None,
    ) -> None:
        self._client = client
        self._streams = streams or client
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
        self, arrival: Arrival, method: str, path: str, slot: int, tell: Tell
    ) -> Reply | None:
        """The other worker's answer; None when it could not be reached, and then nothing was sent.

        What comes as events is told, the answer too: then the reply is empty.

        Raises:
            Refused: gate.worker_lost, when it ended after the message had left.
        """
        lasting = _lasts(arrival, method)
        client = self._streams if lasting else self._client
        request = self._request(arrival, method, path, slot, lasting=lasting)
        try:
            reply = await client.send(request)
            if reply.events is not None:
                await _told(reply.events, tell, answered=method == "GET")
                return Reply(reply.status, b"")
        except Refused as refused:
            if refused.reason is UPSTREAM_UNREACHABLE:
                return None
            raise Refused(GATE_WORKER_LOST, detail=f"worker {slot}: {refused}") from refused
        try:
            return Reply(reply.status, reply.body, _sent_back(reply))
        finally:
            if reply.release is not None:
                reply.release()

    def _request(
        self, arrival: Arrival, method: str, path: str, slot: int, *, lasting: bool
    ) -> HttpRequest:
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
            (*kept, (HEADER, sealed), (INLINE, b"1")),
            arrival.body,
            self._seconds,  # signs of life come earlier
            inf if lasting else self._seconds,
            self._limit,
        )


def _sent_back(reply: HttpReply) -> tuple[tuple[bytes, bytes], ...]:
    return tuple([(name, reply.headers[name]) for name in _SENT_BACK if name in reply.headers])


def stands(arrival: Arrival, method: str) -> bool:
    """Whether what is asked for is a stream that stands."""
    return method == "GET" or (
        _is_modern(arrival) and arrival.headers.get(headers.METHOD) == _LISTEN
    )


def _lasts(arrival: Arrival, method: str) -> bool:
    """Whether nobody knows how long this takes: legacy clients may be asked back in a call."""
    if stands(arrival, method):
        return True
    return method == "POST" and headers.SESSION in arrival.headers and not _is_modern(arrival)


def _is_modern(arrival: Arrival) -> bool:
    return arrival.headers.get(headers.VERSION) == versions.MODERN.encode()


async def _told(events: AsyncIterator[bytes], tell: Tell, *, answered: bool) -> None:
    """Tell everything as it comes, until the other worker is done.

    Raises:
        Refused: gate.worker_lost, when the answer that is due was not among it; or as the client does.
    """
    try:
        await tell(b"", b"")
        async for data in events:
            id_, message = apart(data)
            answered = answered or _is_answer(message)
            await tell(id_, message)
    finally:
        # as async generators have, and the client's streams
        close = getattr(events, "aclose", None)
        if close is not None:
            await close()
    if not answered:
        raise Refused(GATE_WORKER_LOST, detail="its stream ended before the answer")


def _is_answer(message: bytes) -> bool:
    return bool(message) and "method" not in msgspec.json.decode(message)
