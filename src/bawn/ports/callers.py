"""The path of a call, as the transport sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Protocol

import msgspec

from bawn.model import Json, Peer, Principal

Emit = Callable[[Json], Awaitable[None]]
"""Takes a notification (a whole JSON-RPC message) towards the caller, while its request is open."""


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
