"""A client of HTTP+SSE among gossips: everything comes on one stream."""

from __future__ import annotations

import asyncio
import random

from bawn.model import Json
from tests.e2e.gossips import CAPABILITIES, Book, Loot, Unexpected, some
from tests.e2e.legacy_gossip import OLDEST, LegacyTeller, answering
from tests.e2e.load import Person
from tests.e2e.modern_gossip import SERVERS, WATCHED
from tests.e2e.wire import Flow


class OldTeller(LegacyTeller):
    """Speaks 2024-11-05 over HTTP+SSE."""

    def __init__(self, book: Book, person: Person, address: tuple[str, int], seat: int) -> None:
        super().__init__(book, person, address, seat, OLDEST)
        self._path = ""
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._aside: list[asyncio.Task[None]] = []

    async def live(self) -> None:
        """One stream: the handshake, and some deeds on it."""
        self._life += 100
        self.seat = f"seat-{self.number}-{self._life}"
        flow = await self.send(None, {"accept": "text/event-stream"}, "/sse", "GET")
        if not flow.streams:
            raise Unexpected(f"no stream: HTTP {flow.status} {await self.whole(flow, 'SSE')}")
        async with answering() as self._aside:
            try:
                await self._lived(flow)
            finally:
                flow.cut()
                for answer in self._answers.values():
                    answer.cancel()
                self._answers.clear()

    async def _lived(self, flow: Flow) -> None:
        self._path = (await anext(flow.events())).data.decode()
        self.book.leave("handle", Loot(self.person.name, self._path))
        self._aside.append(asyncio.create_task(self._hear(flow)))
        info = {"name": "gossip", "version": "1"}
        params: Json = {"protocolVersion": self.version, "capabilities": CAPABILITIES}
        await self._asked("initialize", {**params, "clientInfo": info})
        await self._post({"jsonrpc": "2.0", "method": "notifications/initialized"})
        await self._asked("logging/setLevel", {"level": "debug"})
        for _ in range(random.randint(2, 8)):
            await random.choice((self._talk, self._talk, self._watch))()
            if self.book.over.is_set():
                break

    async def _hear(self, flow: Flow) -> None:
        """Read the stream."""
        try:
            async for event in flow.events():
                self._take(self.heard(event.data, "SSE"))
        except ConnectionError as broken:
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(broken)

    def _take(self, message: Json) -> None:
        id_ = message.get("id")
        if "method" not in message:
            answer = self._answers.pop(id_, None) if isinstance(id_, int) else None
            if answer is None:
                self.book.fault(self.person, f"an answer to nothing: {message}")
            elif not answer.done():
                answer.set_result(message)
        elif id_ is not None:
            self.book.leave("ask", Loot(self.person.name, str(id_), {}))
            self._aside.append(asyncio.create_task(self._answered(message)))
        else:
            self.told_of(message)

    async def _answered(self, asked: Json) -> None:
        nonce = f"call-{self.number}-0"
        await self._post({"jsonrpc": "2.0", "id": asked["id"], "result": self.answer(asked, nonce)})
        self.book.counts["answers posted over SSE"] += 1

    async def _post(self, message: Json) -> None:
        flow = await self.send(message, {}, self._path)
        answer = await self.whole(flow, "SSE post")
        if flow.status != 202:
            raise Unexpected(f"posted: HTTP {flow.status} {answer}")

    async def _sent(self, request: Json) -> Json:
        waiting: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._answers[request["id"]] = waiting
        await self._post(request)
        return await waiting

    async def _asked(self, method: str, params: Json) -> None:
        answer = await self._sent(self._request(method, params))
        if "result" not in answer:
            raise Unexpected(f"{method}: {answer}")

    async def _talk(self, server: str = "", touch: str | None = None) -> None:
        server = server or random.choice(SERVERS)
        asks = some(self.asks) if touch is None else []
        mark = self.mark()
        request = self._call(server, mark, asks, touch)
        self._judged(await self._sent(request), request, mark, server, asks)
        self.book.counts["calls over SSE"] += 1

    async def _watch(self) -> None:
        server = random.choice(WATCHED)
        uri = self.uri(server)
        told = self.told[uri] = asyncio.Event()
        await self._asked("resources/subscribe", {"uri": uri})
        await self._talk(server, touch=uri)
        try:
            async with asyncio.timeout(30):
                await told.wait()
        except TimeoutError:
            raise Unexpected(f"{server}: nothing was told of a change") from None
        self.book.counts["updates over SSE"] += 1
