"""Somebody who finds other people's handles, and tries every one of them with a good token of his own."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from bawn.model import Json
from tests.e2e.gossips import DYING, Book, Loot, Unexpected, reason
from tests.e2e.legacy_gossip import LegacyTeller
from tests.e2e.load import Person
from tests.e2e.modern_gossip import ModernTeller

UNKNOWN: Final = "session.unknown"


class Thief:
    """Tries what he finds; all of it has to be refused, and none of it may have an effect."""

    def __init__(self, book: Book, person: Person, address: tuple[str, int]) -> None:
        self.book = book
        self.person = person
        self._modern = ModernTeller(book, person, address, 8)
        self._legacy = LegacyTeller(book, person, address, 9, "2025-11-25")

    async def go(self) -> None:
        """One attempt."""
        tries = {
            "state": self._state, "task": self._task, "session": self._session,
            "event": self._event, "ask": self._ask, "handle": self._handle,
        }  # fmt: skip
        kind = random.choice(tuple(tries))
        found = self.book.steal(kind, self.person)
        if found is None:
            return
        await self._legacy.stand_by()
        await tries[kind](found)
        self.book.counts[f"stolen {kind}"] += 1

    def _wrong(self, what: str) -> None:
        self.book.fault(self.person, f"a thief's {what}")

    def _refused(self, refused: str, wanted: str, what: str) -> None:
        """Hold an answer against the refusal that is due; a worker that dies gives none."""
        if refused in DYING:
            raise Unexpected(f"theft: {refused}")
        if refused != wanted:
            self._wrong(f"{what} was answered {refused}")

    def _loot(self) -> Json:
        """What he would smuggle in."""
        return {"action": "accept", "content": {"said": f"{self.person.name} {self.person.data}"}}

    async def _state(self, found: Loot) -> None:
        """Somebody's very request with its state."""
        asked = found.params["arguments"]["asks"]
        responses = dict.fromkeys(asked, self._loot())
        flow, _ = await self._modern.ask(
            "tools/call",
            {**found.params, "requestState": found.handle, "inputResponses": responses},
        )
        refused = reason(await self._modern.whole(flow, "theft"))
        self._refused(refused, "state.invalid", f"state of {found.owner}")

    async def _task(self, found: Loot) -> None:
        verb = random.choice(("tasks/get", "tasks/update", "tasks/cancel", "subscriptions/listen"))
        if verb == "subscriptions/listen":
            params: Json = {"notifications": {"taskIds": [found.handle]}}
            flow, _ = await self._modern.ask(verb, params)
            try:
                first = await anext(flow.events())
                told = self._modern.heard(first.data, "theft")
                if told["params"]["notifications"].get("taskIds"):
                    self._wrong(f"listen to a task of {found.owner}")
            finally:
                flow.cut()
            return
        given = {"inputResponses": {"said": self._loot()}} if verb == "tasks/update" else {}
        flow, _ = await self._modern.ask(verb, {"taskId": found.handle, **given})
        refused = reason(await self._modern.whole(flow, "theft"))
        self._refused(refused, "task.unknown", f"task of {found.owner}")

    async def _session(self, found: Loot) -> None:
        verb = random.choice(("POST", "GET", "DELETE"))
        message: Json | None = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        flow = await self._legacy.send(message if verb == "POST" else None, found.params, verb=verb)
        refused = reason(await self._legacy.whole(flow, "theft"))
        self._refused(refused, UNKNOWN, f"{verb} in a session of {found.owner}")

    async def _event(self, found: Loot) -> None:
        """Somebody's event id, in a session of his own."""
        headers = {**self._legacy.session, "last-event-id": found.handle}
        flow = await self._legacy.send(None, headers, verb="GET")
        if not flow.streams:
            refused = await self._legacy.whole(flow, "theft")
            if reason(refused) == UNKNOWN:
                self._legacy.session = {}
            elif flow.status not in (400, 404):
                raise Unexpected(f"an event id was answered HTTP {flow.status} {refused}")
            return
        try:
            async with asyncio.timeout(0.3):  # his own stream begins anew, and says nothing
                async for event in flow.events():
                    if event.data:
                        self._legacy.heard(event.data, "theft")
                    if event.id.rpartition(".")[0] == found.handle.rpartition(".")[0]:
                        self._wrong(f"event id of {found.owner} led to that stream")
        except TimeoutError:
            pass
        finally:
            flow.cut()

    async def _ask(self, found: Loot) -> None:
        """Somebody's question, answered in his own session and in its own."""
        answer: Json = {"jsonrpc": "2.0", "id": found.handle, "result": self._loot()}
        own = await self._legacy.send(answer, self._legacy.session)
        if reason(await self._legacy.whole(own, "theft")) == UNKNOWN:
            self._legacy.session = {}
        if found.params:
            flow = await self._legacy.send(answer, found.params)
            refused = reason(await self._legacy.whole(flow, "theft"))
            self._refused(refused, UNKNOWN, f"answer in a session of {found.owner}")

    async def _handle(self, found: Loot) -> None:
        """Somebody's HTTP+SSE handle."""
        message: Json = {"jsonrpc": "2.0", "id": 1, "method": "ping"}
        flow = await self._legacy.send(message, {}, found.handle)
        refused = reason(await self._legacy.whole(flow, "theft"))
        self._refused(refused, UNKNOWN, f"message to a stream of {found.owner}")
