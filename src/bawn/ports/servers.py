"""Reaching MCP servers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from bawn.model import Answer, Json, Outbound
from bawn.ports.callers import Emit


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
    `events` exhausts it or calls `aclose` on it; whoever gets `release` calls it when done with
    `body`, whose bytes were taken from a budget.
    """

    status: int
    headers: Mapping[bytes, bytes]
    body: bytes
    events: AsyncIterator[bytes] | None = None
    release: Callable[[], None] | None = None


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

        A server that asks something back answers `input_required`; what legacy servers ask in the
        midst of a call is put so too, and the call is `parked`. `subscriptions/listen` is answered
        when the stream ends; its notifications, the acknowledgement first, go to `emit`.

        Raises:
            Refused: an upstream.* reason.
        """

    def stays(self, capabilities: Mapping[str, Any], *, shared: bool) -> bool:
        """Whether all calls of a caller that declares this should come to one worker.

        `shared` is for servers that all callers share.
        """

    async def aclose(self) -> None:
        """Let go of sessions and connections."""


class UpstreamSession(msgspec.Struct, frozen=True):
    """A session at a legacy server: its `initialize` result, the version and the id it gave, if any."""

    initialized: Json
    version: str
    id: str | None


class UpstreamSessions(Protocol):
    """The sessions at legacy servers that all workers share: (server, isolation key) → session.

    Both methods are quick and synchronous. A store that fails is as an empty one: the caller then
    begins a session of its own.
    """

    def find(self, server: str, isolation: str) -> UpstreamSession | None:
        """The session that stands for this key, whoever began it."""

    def offer(
        self, server: str, isolation: str, session: UpstreamSession, instead: UpstreamSession | None
    ) -> UpstreamSession:
        """Let this session stand if the one that stands is `instead`; returns the one that stands now."""
