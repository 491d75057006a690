"""Messages that another worker has to answer: passed on to it, or answered here when it is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from bawn.errors import GATE_NOT_READY, GATE_WORKER_LOST, Refused
from bawn.ports import Arrival, Elsewhere, Reply
from bawn.protocol import envelope, headers, replies, strict, versions
from bawn.transport.relay import Relay, Tell

_WAYS: Final = 4
"""How often a message that nobody is ready for looks for its worker anew."""
_MOMENT: Final = 0.02  # seconds between two attempts
_NOT_TAKEN: Final = 503  # a message that gets no answer can only be told by the status
_NOT_READY: Final = f'"{GATE_NOT_READY.id}"'.encode()

Here = Callable[[Arrival], Awaitable[Reply]]
"""How this worker answers."""


class Passing:
    """Finds the worker that answers; without a `relay` it is always this one."""

    def __init__(self, relay: Relay | None) -> None:
        self._relay = relay

    async def on(
        self, arrival: Arrival, method: str, path: str, slot: int, tell: Tell, here: Here
    ) -> Reply:
        """Let the worker in this slot answer; when it is not there, answer here.

        What is in force may change on the way. Then whoever was asked has done nothing, and says that it
        is not ready: the message finds its way anew.

        Raises:
            Refused: gate.worker_lost; or as `here` does.
        """
        settled = msgspec.structs.replace(arrival, settled=True)
        for _ in range(_WAYS):
            there = await self.forward(arrival, method, path, slot, tell)
            reply = there if there is not None else await here(settled)
            if not _not_ready(reply):
                break
            await asyncio.sleep(_MOMENT)
            try:
                return await here(arrival)
            except Elsewhere as elsewhere:
                slot = elsewhere.slot
        return reply

    async def forward(
        self, arrival: Arrival, method: str, path: str, slot: int, tell: Tell
    ) -> Reply | None:
        """The answer of the worker in this slot; None when it is not there."""
        if self._relay is None:
            return None
        return await self._relay.forward(arrival, method, path, slot, tell)


def lost(arrival: Arrival, refused: Refused) -> Reply:
    """The refusal of a call whose worker died, told as the answer to that call.

    Raises:
        Refused: it was refused for another reason, or was no call.
    """
    if refused.reason is not GATE_WORKER_LOST or not arrival.body:
        raise refused
    try:
        tree = strict.careful(arrival.body, strict.JsonLimits())
    except Refused:
        tree = None
    modern = arrival.headers.get(headers.VERSION) == versions.MODERN.encode()
    if not isinstance(tree, list):
        return _lost_one(refused, tree, modern=modern)
    bodies = [_lost_one(refused, each, modern=False).body for each in tree if _is_request(each)]
    return Reply(200, b"[%b]" % b",".join(bodies)) if bodies else Reply(202, b"")


def _lost_one(refused: Refused, tree: Any, *, modern: bool) -> Reply:
    # who answers what a server asked has an id too, but not one of its own
    if _is_request(tree):
        id_ = envelope.identifier(tree)
        return replies.refusal(refused, id_=id_, trace="", method="", modern=modern)
    reply = replies.refusal(refused, id_=None, trace="", method="", modern=modern)
    return msgspec.structs.replace(reply, status=_NOT_TAKEN)


def _is_request(tree: Any) -> bool:
    return isinstance(tree, dict) and "method" in tree and "id" in tree


def _not_ready(reply: Reply) -> bool:
    return reply.status == GATE_NOT_READY.status and _NOT_READY in reply.body
