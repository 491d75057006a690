"""A client of a handshake version among gossips: sessions, streams that break, batches."""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Final

from bawn.model import Json
from tests.e2e.gossips import CAPABILITIES, Book, Loot, Teller, Unexpected, reason, some
from tests.e2e.load import Person
from tests.e2e.modern_gossip import SERVERS, WATCHED
from tests.e2e.wire import Flow

BATCHES: Final = "2025-03-26"
OLDEST: Final = "2024-11-05"
PRIMED: Final = ("2025-11-25",)
"""Versions whose clients get an id before there is anything to tell."""

UNPRIMED: Final = 4.0
"""Seconds that others wait for their first event."""

ASKS: Final = {
    "2025-11-25": ("elicit", "sample", "roots"), BATCHES: ("sample", "roots"),
    OLDEST: ("sample", "roots"),
}  # fmt: skip


@asynccontextmanager
async def answering() -> AsyncIterator[list[asyncio.Task[None]]]:
    """Tasks beside what goes on here: none outlives it."""
    tasks: list[asyncio.Task[None]] = []
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class LegacyTeller(Teller):
    """Speaks a handshake version over Streamable HTTP, in one session as long as it stands."""

    def __init__(
        self, book: Book, person: Person, address: tuple[str, int], seat: int, version: str
    ) -> None:
        super().__init__(book, person, address, seat)
        self.version = version
        self.asks = ASKS[version]
        self.session: Json = {}
        self.told: dict[str, asyncio.Event] = {}
        self._beginning = asyncio.Lock()
        self._stands = asyncio.Event()
        self._seen = ""
        self._blind = 0.0  # when a stream was last left without an id to come back with
        self._life = seat

    async def stand_by(self) -> None:
        """Begin a session if there is none."""
        async with self._beginning:
            if not self.session:
                await self.begin()

    async def begin(self) -> None:
        """The handshake, and with it another seat."""
        self._seen = ""
        self._life += 100
        self.seat = f"seat-{self.number}-{self._life}"
        info = {"name": "gossip", "version": "1"}
        params: Json = {"protocolVersion": self.version, "capabilities": CAPABILITIES}
        flow = await self.send(self._request("initialize", {**params, "clientInfo": info}), {})
        session = flow.headers.get("mcp-session-id", "")
        answer = await self.whole(flow, "initialize")
        if not session:
            raise Unexpected(f"initialize: {answer}")
        self.session = {"mcp-session-id": session, "mcp-protocol-version": self.version}
        self.book.leave("session", Loot(self.person.name, session, dict(self.session)))
        await self.tell({"jsonrpc": "2.0", "method": "notifications/initialized"})
        await self.simple("logging/setLevel", {"level": "debug"})
        self.book.counts[f"session {self.version}"] += 1

    def _request(self, method: str, params: Json) -> Json:
        return {"jsonrpc": "2.0", "id": self.serial(), "method": method, "params": params}

    async def tell(self, message: Json | list[Json]) -> None:
        """Something that gets no answer: a notification, or what a server asked for."""
        flow = await self.send(message, self.session)
        answer = await self.whole(flow, "told")
        if flow.status != 202:
            self._lost(answer)
            raise Unexpected(f"told: HTTP {flow.status} {answer}")

    async def simple(self, method: str, params: Json) -> Json:
        """A request that is answered without any ado."""
        flow = await self.send(self._request(method, params), self.session)
        answer = await self.whole(flow, method)
        if "result" not in answer:
            self._lost(answer)
            raise Unexpected(f"{method}: {json.dumps(answer)[:300]}")
        return answer

    def _lost(self, answer: Json) -> None:
        if reason(answer) == "session.unknown":
            self.session = {}

    # ── calls, and what is asked in their midst ──

    async def talk(self) -> None:
        """A call of any server, with any questions; now and then its stream breaks on the way."""
        await self.stand_by()
        await self.told_by(random.choice(SERVERS), some(self.asks))

    async def told_by(self, server: str, asks: list[str], touch: str | None = None) -> None:
        """A call of `talk` and its answer."""
        mark = self.mark()
        request = self._call(server, mark, asks, touch)
        token = request["params"]["_meta"]["progressToken"]
        nonce = mark["nonce"] if server not in ("local", "seat") else None
        async with answering() as aside, aclosing(self._messages(request, nonce)) as messages:
            async for message in messages:
                if "method" not in message:
                    self._judged(message, request, mark, server, asks)
                    await asyncio.gather(*aside)
                    return
                if "id" in message:
                    aside.append(asyncio.create_task(self._answer(message, mark["nonce"])))
                elif message["params"].get("progressToken", token) != token:
                    self.book.fault(self.person, f"progress of another token: {message}")
        raise Unexpected(f"{server}: a stream without an answer")

    def _call(self, server: str, mark: Json, asks: Sequence[str], touch: str | None = None) -> Json:
        arguments = {"mark": mark, "asks": asks, **({"touch": touch} if touch else {})}
        meta = {"progressToken": f"token-{self.serial()}"}
        params = {"name": f"{server}__talk", "arguments": arguments, "_meta": meta}
        return self._request("tools/call", params)

    def _judged(
        self, answer: Json, request: Json, mark: Json, server: str, asks: Sequence[str]
    ) -> None:
        if answer.get("id") != request["id"]:
            self.book.fault(self.person, f"asked as {request['id']}, was answered {answer}")
        self._lost(answer)
        # others in the same process, too, are this principal's, and may have been asked instead
        self.judge(answer, mark, server, asks)
        self.book.counts[f"call {server}"] += 1

    async def _messages(self, request: Json, nonce: str | None) -> AsyncGenerator[Json, None]:
        """The messages of a call's stream, over its interruptions."""
        flow = await self.send(request, self.session)
        if not flow.streams:
            yield await self.whole(flow, "call", nonce)
            return
        breaks = random.random() < 0.4
        try:
            while True:
                last = ""
                async for event in flow.events():
                    last = event.id
                    self.book.leave("event", Loot(self.person.name, last))
                    if event.data:
                        yield self.heard(event.data, "call", nonce)
                    if breaks:
                        break
                else:
                    return
                breaks = False
                flow.cut()
                flow = await self._again(last)
                self.book.counts["resumed calls"] += 1
        finally:
            flow.cut()

    async def _again(self, last: str) -> Flow:
        flow = await self.send(None, {**self.session, "last-event-id": last}, verb="GET")
        if not flow.streams:
            raise Unexpected(f"not resumed: HTTP {flow.status} {await self.whole(flow, 'GET')}")
        return flow

    async def _answer(self, asked: Json, nonce: str) -> None:
        """Answer a question on another connection, after thieves had their chance."""
        self.book.leave("ask", Loot(self.person.name, str(asked["id"]), dict(self.session)))
        await asyncio.sleep(random.random() * 0.1)
        answer = {"jsonrpc": "2.0", "id": asked["id"], "result": self.answer(asked, nonce)}
        batch = self.version == BATCHES and random.random() < 0.5
        began = time.monotonic()
        try:
            await self.tell([answer] if batch else answer)
        except (Unexpected, OSError) as error:
            self.book.failed("an answer", began, str(error))
        else:
            self.book.counts["answers posted"] += 1

    async def batch(self) -> None:
        """Several calls as one message."""
        await self.stand_by()
        marks = {server: self.mark() for server in some(SERVERS, 2)}
        calls = {server: self._call(server, mark, ()) for server, mark in marks.items()}
        told = {"jsonrpc": "2.0", "method": "notifications/roots/list_changed"}
        flow = await self.send([*calls.values(), told, self._request("ping", {})], self.session)
        answers: list[Json] = []
        if flow.streams:
            async for event in flow.events():
                message = self.heard_all(event.data)
                answers = message if isinstance(message, list) else answers
            flow.cut()
        else:
            whole = await self.whole(flow, "batch")
            if "batch" not in whole:
                self._lost(whole)
                raise Unexpected(f"batch: {json.dumps(whole)[:300]}")
            answers = whole["batch"]
        by_id = {answer.get("id"): answer for answer in answers}
        if not by_id.keys() >= {call["id"] for call in calls.values()}:
            raise Unexpected(f"a batch was answered {json.dumps(answers)[:500]}")
        for server, call in calls.items():
            self._judged(by_id[call["id"]], call, marks[server], server, ())

    def heard_all(self, raw: bytes) -> Json | list[Json]:
        """A message of a batch's stream, or all its answers."""
        self.book.check(self.person, raw, "batch")
        message: Json | list[Json] = json.loads(raw)
        return message

    # ── what changes ──

    async def stand(self) -> None:
        """The session's own stream for a while; then it is broken off, and gone on with."""
        await self.stand_by()
        session, last = self.session, self._seen
        extra = {"last-event-id": last} if last else {}
        flow = await self.send(None, {**session, **extra}, verb="GET")
        if not flow.streams:
            self._seen = ""
            answer = await self.whole(flow, "GET")
            self._lost(answer)
            raise Unexpected(f"no stream: HTTP {flow.status} {answer}")
        if last:
            self.book.counts["resumed streams"] += 1
        self._stands.set()
        # without an id nobody could come back: what was on its way would be lost
        primed = self._seen or self.version in PRIMED
        await self._read(flow, random.uniform(0.3, 2.0) if primed else UNPRIMED)

    async def _read(self, flow: Flow, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                async for event in flow.events():
                    self._seen = event.id
                    self.book.leave("event", Loot(self.person.name, event.id))
                    if event.data:
                        self.told_of(self.heard(event.data, "GET"))
        except (TimeoutError, ConnectionError):
            pass  # ours, or a worker's end: it is gone on with
        finally:
            if not self._seen:
                self._blind = time.monotonic()
            flow.cut()

    def told_of(self, message: Json) -> None:
        """A notification on the session's own stream."""
        uri = (message.get("params") or {}).get("uri")
        if uri in self.told:
            self.told[uri].set()

    async def watch(self) -> None:
        """Subscribe to one's own note, touch it until that is told, and unsubscribe."""
        await self.stand_by()
        await self._stands.wait()
        server = random.choice(WATCHED)
        uri = self.uri(server)
        self.told[uri] = asyncio.Event()
        began = time.monotonic()
        await self.simple("resources/subscribe", {"uri": uri})
        await self.told_by(server, [], touch=uri)
        try:
            async with asyncio.timeout(15):
                await self.told[uri].wait()
        except TimeoutError:
            if self._blind < began:
                raise Unexpected(f"{server}: nothing was told of a change") from None
            self.book.counts["left a stream before it had an id"] += 1
        else:
            self.book.counts[f"update {server}"] += 1
        await self.simple("resources/unsubscribe", {"uri": uri})

    async def leave(self) -> None:
        """Begin a session, use it and end it: then it is nobody's any more."""
        await self.begin()
        await self.told_by(random.choice(("modern", "legacy")), some(self.asks))
        ended, self.session = self.session, {}
        flow = await self.send(None, ended, verb="DELETE")
        answer = await self.whole(flow, "DELETE")
        if flow.status != 200 or reason(answer) != "ok":
            raise Unexpected(f"DELETE: HTTP {flow.status} {answer}")
        flow = await self.send(self._request("ping", {}), ended)
        if reason(await self.whole(flow, "ping")) == "ok":
            self.book.fault(self.person, "a session that has ended still serves")
