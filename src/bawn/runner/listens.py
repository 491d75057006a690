"""Streams of notifications: `subscriptions/listen`, for processes of either era.

Changed lists are heard from every child of a server, whoever it works for: what it says of its lists
is said of the server. Changed resources and tasks are those of the listener's own child.

Source: basic/patterns/subscriptions (2026-07-28).
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.model import Answer, Json
from bawn.protocol import listening
from bawn.runner.caller import Caller

UPDATED: Final = "notifications/resources/updated"
RESOURCES: Final = "resourceSubscriptions"
LISTS: Final[Mapping[str, str]] = {
    f"notifications/{kind}/list_changed": f"{kind}ListChanged"
    for kind in ("tools", "prompts", "resources")
}
"""For each notification of a changed list: what it is called in a filter."""

_EARLY: Final = 256
"""Notifications that wait for their acknowledgement."""


class Listen:
    """One stream: nothing goes out before its acknowledgement; a listener that is slow is cut.

    `lists` are the changed lists it wants, `uris` its resources, and `rest` all it wants besides the
    lists, which is for the process itself: of resources and tasks `most` at most.

    Raises:
        Refused: message.params.
    """

    def __init__(self, params: Json, caller: Caller, most: int) -> None:
        wanted = listening.read(params, most)
        named = listening.written(wanted)
        self._caller = caller
        self.params = params
        self.uris = wanted.uris
        self.lists = [name for name in LISTS.values() if name in named]
        self.rest = {name: value for name, value in named.items() if name not in self.lists}
        self.over: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._early: list[Json] | None = []

    async def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """What the work ends with, or the stream itself if that is over first.

        Raises:
            Refused: what the work raises; upstream.outcome_unknown when the listener was cut.
        """
        task = asyncio.create_task(work)
        try:
            await asyncio.wait({task, self.over}, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else self.over.result()
        finally:
            if not task.done():
                task.cancel()
                await asyncio.wait({task})

    def acknowledge(self, honoured: Json, message: Json | None = None) -> None:
        """Say what is honoured, in the process's own words if there are any; then all that waited."""
        early, self._early = self._early or (), None
        given = message or {"jsonrpc": "2.0", "method": listening.ACKNOWLEDGED, "params": {}}
        self._tell({**given, "params": {**given["params"], "notifications": honoured}})
        for held in early:
            self._tell(held)

    def hear(self, message: Json) -> None:
        """Pass a notification on."""
        if self._early is None:
            self._tell(message)
        elif len(self._early) < _EARLY:
            self._early.append(message)
        else:
            self._cut()

    def end(self) -> None:
        """The server is no longer served as it was: the stream ends, and its listener asks anew."""
        if not self.over.done():
            self.over.set_result(Answer(result={"resultType": "complete"}))

    def _tell(self, message: Json) -> None:
        if not self.over.done() and not self._caller.tell(message):
            self._cut()

    def _cut(self) -> None:
        if not self.over.done():
            self.over.set_exception(Refused(UPSTREAM_OUTCOME, detail="the listener is too slow"))
            self.over.exception()  # nobody may be there to see it


class Changes:
    """The changed lists of one server: how many there were, and who hears of them."""

    def __init__(self) -> None:
        self.count = 0
        self.listeners: set[Listen] = set()

    def note(self, method: str) -> None:
        """A child said so."""
        self.count += 1
        for listen in self.listeners:
            if LISTS[method] in listen.lists:
                listen.hear({"jsonrpc": "2.0", "method": method})

    def end(self) -> None:
        """End every stream."""
        for listen in self.listeners:
            listen.end()
