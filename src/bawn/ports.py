"""The interfaces by which rooms meet; `app.py` fills each with an implementation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from typing import Any, Protocol

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


class Audit(Protocol):
    """The record without which nothing leaves."""

    def intent(self, call: Call, item: Item, decision: Decision) -> int:
        """Append that this call is about to leave; returns its number within the segment.

        Raises:
            Refused: audit.unavailable, and then the call must not leave.
        """

    def durable(self, intent: int) -> Awaitable[None] | None:
        """What to await before the call leaves, asked right after `intent`; None when there is nothing.

        Raises:
            Refused: audit.unavailable, here or when awaited, and then the call must not leave.
        """

    def outcome(self, intent: int, trace: str, status: str, seconds: float, size: int) -> None:
        """Append how an intent ended: `ok`, `error`, `cancelled` or a reason id. Never raises."""

    def refusal(self, call: Call, reason: str, detail: str) -> None:
        """Append that a call was refused before it left. Never raises."""


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """A message as the transport took it in: authenticated, bounded, and not yet read.

    `endpoint` is None for /mcp, else the server of /mcp/{server}; `headers` are by lower-case name,
    and none that steers the gate stood there twice. `project` comes from local peers only. `settled`
    says that this worker answers it, whoever owns it: another one has passed it on, or is gone.
    """

    principal: Principal
    endpoint: str | None
    headers: Mapping[bytes, bytes]
    body: bytes
    peer: Peer
    project: str | None = None
    settled: bool = False


class Reply(msgspec.Struct, frozen=True, gc=False):
    """What the transport sends back: JSON, or nothing for an accepted notification."""

    status: int
    body: bytes
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Elsewhere(Exception):
    """A message that another worker has to answer: the one in this slot. Never for settled ones."""

    def __init__(self, slot: int) -> None:
        super().__init__(slot)
        self.slot = slot


class Gate(Protocol):
    """The path of a call, as the transport sees it."""

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Answer one message; every failure is a Reply as well.

        Raises:
            Elsewhere: nothing was done; the message goes to another worker.
        """

    def open(self, arrival: Arrival) -> None:
        """See to it that the session which a legacy arrival names stands, and is this worker's.

        Raises:
            Refused: session.unknown, also when no session is named; store.unavailable, auth.*, gate.*
            Elsewhere: another worker owns it.
        """

    async def follow(self, arrival: Arrival, emit: Emit) -> Reply:
        """Tell a legacy session what changes, on its GET stream, until the session or the stream ends.

        Returns when the session has ended, the worker leaves or a newer stream of the session has
        taken over: the Reply counts only when nothing was emitted, and is then a refusal. Cancelled
        when the caller goes away.

        Raises:
            Elsewhere: another worker owns the session; nothing was emitted.
        """

    def end(self, arrival: Arrival) -> Reply:
        """End the session that the arrival's header names (its body counts for nothing).

        Raises:
            Elsewhere: as for `answer`.
        """


class Barrier(Protocol):
    """Whether this worker obeys what is in force; asked before each message."""

    def behind(self) -> bool:
        """Whether there is something to catch up with; costs next to nothing."""

    def catch_up(self) -> bool:
        """Take it in; False when this worker's configuration is no longer, or not yet, in force.

        Raises:
            Refused: gate.not_ready, when what is in force cannot be had.
        """


class Graves(Protocol):
    """Which handles were ended before their time, over all workers and restarts."""

    def bury(self, handle: str, until: float) -> None:
        """Remember that this handle is dead, until it would have expired (seconds since the epoch).

        Raises:
            Refused: store.unavailable.
        """

    def buried(self, handle: str) -> bool:
        """Whether it is dead.

        Raises:
            Refused: store.unavailable.
        """

    def once(self, handle: str, until: float) -> bool:
        """Use up a handle that serves once; False when it was used before, by whichever worker.

        Raises:
            Refused: store.unavailable, and then it counts as used.
        """


class SessionNotes(Protocol):
    """What legacy sessions have told the gate, over all workers; notes are sealed by who keeps them."""

    def find(self, session: str) -> str | None:
        """The note of the session with this digest.

        Raises:
            Refused: store.unavailable.
        """

    def keep(self, session: str, until: float, note: str) -> None:
        """Keep a note until then (seconds since the epoch), in the place of an earlier one.

        Raises:
            Refused: store.unavailable.
        """


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


class Meter(Protocol):
    """Counts calls; called once for each, on the hot path."""

    def call(self, server: str, method: str, status: str, seconds: float) -> None:
        """One call ended."""

    def refusal(self, reason: str) -> None:
        """Something was refused, by reason id."""
