"""Callers who want to be told: streams of modern clients, and those of legacy sessions.

That a list has changed follows from the View; what servers tell of resources and tasks comes by their
feeds. Who may not use a thing any more is not told of it any more.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Mapping
from time import time
from typing import Final

from bawn.barrier.edition import Cuts
from bawn.errors import LIMIT_LISTENS, Refused
from bawn.feeds.board import Board
from bawn.feeds.mailbox import Mailbox
from bawn.model import Item, Json, Principal, View
from bawn.ports import Emit
from bawn.protocol.listening import Filter

log = logging.getLogger("bawn.gateway")

TICK: Final = 0.25
"""Seconds between looks at what is in force, while somebody wants to be told."""

LISTS: Final = ("tools", "prompts", "resources")


class Stream:
    """One caller's stream: the lists it wants to hear of, and the items it subscribed to."""

    def __init__(self, principal: Principal, endpoint: str | None, lists: frozenset[str]) -> None:
        self.principal = principal
        self.endpoint = endpoint
        self.lists = lists
        self.mailbox = Mailbox()
        self.items: dict[str, Item] = {}  # by URI
        self.started: dict[str, Item] = {}  # what the tasks that it hears of were started by
        self.seen: Mapping[str, str] = {}

    @property
    def over(self) -> bool:
        """Whether nothing more will be told here."""
        return self.mailbox.ended

    def changed(self, changes: Mapping[str, str]) -> None:
        """Tell of the lists that differ from those last seen."""
        for name in self.lists:
            if changes.get(name) != self.seen.get(name):
                self.tell(name)
        self.seen = changes

    def tell(self, name: str) -> None:
        """Tell that a list has changed."""
        told: Json = {"method": f"notifications/{name}/list_changed", "params": {}}
        self.mailbox.put(f"list {name}", told)


class Streams:
    """All streams of a worker. `catch_up` takes in what is in force; False when that is not us."""

    def __init__(self, board: Board, most: int, catch_up: Callable[[], bool]) -> None:
        self.board = board
        self._most = most
        self._catch_up = catch_up
        self._streams: set[Stream] = set()
        self._held: Counter[str] = Counter()
        self._view: View | None = None
        self._ticking: asyncio.Task[None] | None = None

    def begin(self, principal: Principal, endpoint: str | None, lists: frozenset[str]) -> Stream:
        """A new stream, to be ended.

        Raises:
            Refused: limit.listens.
        """
        if self._held[principal.key] >= self._most:
            raise Refused(LIMIT_LISTENS, f"{self._most} are open")
        stream = Stream(principal, endpoint, lists)
        served = self._view.served(endpoint, principal.tenant) if self._view is not None else None
        stream.seen = served.changes if served is not None else {}
        self._streams.add(stream)
        self._held[principal.key] += 1
        if self._ticking is None or self._ticking.done():
            self._ticking = asyncio.create_task(self._tick())
        return stream

    def end(self, stream: Stream) -> None:
        """End a stream, and what it subscribed to."""
        stream.mailbox.end()
        self.board.leave(stream.mailbox)
        if stream in self._streams:
            self._streams.discard(stream)
            self._held[stream.principal.key] -= 1
            if not self._held[stream.principal.key]:
                del self._held[stream.principal.key]

    async def pour(
        self, stream: Stream, emit: Emit, stamped: Callable[[Json], Json | None]
    ) -> None:
        """Tell the caller what comes up, until the stream ends or its credential expires.

        What is stamped with None is not told.
        """
        left = stream.principal.expires - time()
        try:
            async with asyncio.timeout(None if left == float("inf") else max(left, 0.0)):
                while (told := await stream.mailbox.take()) is not None:
                    for each in told:
                        message = stamped(each)
                        if message is not None:
                            await emit(message)
        except TimeoutError:
            log.info("a stream outlived its credential")

    # ── what is in force changes ──

    def swap(self, view: View) -> None:
        """Tell of the lists that are others now."""
        self._view = view
        for stream in self._streams:
            endpoint = view.served(stream.endpoint, stream.principal.tenant)
            if endpoint is not None:
                stream.changed(endpoint.changes)

    def cut(self, cuts: Cuts) -> None:
        """End what the operator has switched off."""
        for stream in tuple(self._streams):
            try:
                cuts.check_caller(stream.principal, stream.endpoint)
                for item in (*stream.items.values(), *stream.started.values()):
                    cuts.check_item(item)
            except Refused:
                self.end(stream)

    def retire(self) -> None:
        """End all streams: their callers come again, and find others to serve them.

        What is in force there may differ, so every list may have changed.
        """
        for stream in tuple(self._streams):
            for name in stream.lists:
                stream.tell(name)
            self.end(stream)

    async def aclose(self) -> None:
        """Stop looking."""
        self.retire()
        if self._ticking is not None:
            self._ticking.cancel()
        await self.board.aclose()

    async def _tick(self) -> None:
        """Calls look at what is in force; streams have none, so somebody has to look for them."""
        while self._streams:
            await asyncio.sleep(TICK)
            try:
                if not self._catch_up():
                    self.retire()
            except Refused as refused:
                log.warning("streams end: %s", refused)
                self.retire()


def lists_of(wanted: Filter) -> frozenset[str]:
    """The lists that a filter names."""
    flags = {"tools": wanted.tools, "prompts": wanted.prompts, "resources": wanted.resources}
    return frozenset(name for name, flag in flags.items() if flag)
