"""The interfaces by which rooms meet; `app.py` fills each with an implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from bawn.model import Answer, Call, Decision, Item, Json, Outbound, Peer, Principal

Emit = Callable[[Json], Awaitable[None]]
"""Takes a notification (a whole JSON-RPC message) towards the caller, while its request is open."""


class Identity(Protocol):
    """Who is calling. Anything but a Principal is an exception: there is no anonymous default."""

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        """The principal when no I/O is needed (verified before, or a local peer), else None.

        Raises:
            Refused: the credentials are missing, or known to be bad or expired.
        """

    async def verify(self, authorization: bytes, now: float) -> Principal:
        """The principal of a token not seen before.

        Raises:
            Refused: the token is not good, or cannot be checked.
        """


class PolicyEngine(Protocol):
    """What a principal may do."""

    def decide(self, principal: Principal, item: Item) -> Decision:
        """Whether this principal may use this item; deny is the default."""

    def permission_set(self, principal: Principal) -> str:
        """A key that is equal for principals who may do the same things: lists are cached by it."""


class HttpRequest(msgspec.Struct, frozen=True, gc=False):
    """One request of our own making to an upstream; `url` is the whole of it.

    `headers` go out as given, after Host, Content-Length and Accept-Encoding, which the client sets.
    Deadlines are in seconds from now.
    """

    method: str
    url: str
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    first_byte: float
    total: float
    limit: int  # the largest body, or the largest single SSE event, in bytes


class HttpReply(msgspec.Struct, frozen=True):
    """A reply: `body` whole, or `events` when it is text/event-stream (then `body` is empty).

    Header names are lower-case. Each event is the joined `data` of one SSE event. Whoever gets
    `events` exhausts it or calls `aclose` on it.
    """

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes
    events: AsyncIterator[bytes] | None = None


class HttpClient(Protocol):
    """Sends requests to upstreams: no redirects, no retries, no cookies, no compression."""

    async def send(self, request: HttpRequest) -> HttpReply:
        """Send once and hold the reply (for event streams: until its header is there).

        Raises:
            Refused: upstream.unreachable when no byte of the request was written;
                upstream.outcome_unknown, .first_byte, .total, .invalid or .too_large afterwards.
        """

    async def aclose(self) -> None:
        """Close every connection."""


class Upstream(Protocol):
    """One MCP server, however it is reached and whatever version it speaks."""

    def call(self, outbound: Outbound, emit: Emit | None = None) -> Awaitable[Answer]:
        """Send one canonical request and hold its answer; to be awaited at once.

        Raises:
            Refused: an upstream.* reason.
        """

    async def aclose(self) -> None:
        """Let go of sessions and connections."""


class Audit(Protocol):
    """The record without which nothing leaves."""

    def intent(self, call: Call, item: Item, decision: Decision) -> int:
        """Append that this call is about to leave; returns its number within the segment.

        Raises:
            Refused: audit.unavailable, and then the call must not leave.
        """

    def outcome(self, intent: int, trace: str, status: str, seconds: float, size: int) -> None:
        """Append how an intent ended: `ok`, `error`, `cancelled` or a reason id. Never raises."""

    def refusal(self, call: Call, reason: str, detail: str) -> None:
        """Append that a call was refused before it left. Never raises."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A message as the transport took it in: authenticated, bounded, and not yet read.

    `endpoint` is None for /mcp, else the server of /mcp/{server}; `headers` are by lower-case name,
    and none that steers the gate stood there twice. `project` comes from local peers only.
    """

    principal: Principal
    endpoint: str | None
    headers: Mapping[bytes, bytes]
    body: bytes
    project: str | None = None


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the transport sends back: JSON, or nothing for an accepted notification."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Gate(Protocol):
    """The path of a call, as the transport sees it."""

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Answer one message; every failure is a Reply as well."""


class Meter(Protocol):
    """Counts calls; called once for each, on the hot path."""

    def call(self, server: str, method: str, status: str, seconds: float) -> None:
        """One call ended."""

    def refusal(self, reason: str) -> None:
        """Something was refused, by reason id."""
