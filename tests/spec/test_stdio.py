"""bawn stdio before a gateway, without the sockets between them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

from bawn.model import Json, Peer
from bawn.ports import Arrival, HttpReply, HttpRequest
from bawn.transport.stdio import Bridge, Target
from tests.gate import ADA, FILES, LISTINGS, META, MODERN, House, listing
from tests.unit.gateway.telling import Telling

A, B = "file:///a", "file:///b"
UPDATED = "notifications/resources/updated"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


class Client:
    """A client at its end of the bridge; fills `ports.HttpClient` towards the gateway."""

    def __init__(self) -> None:
        self.house = House()
        offered = {"tools": {}, "resources": {"subscribe": True}}
        files = replace(listing("files", FILES), capabilities=offered)
        self.house.gateway.swap(self.house.view(files, *LISTINGS[1:]))
        self.server = Telling(self.house)
        self.lines = asyncio.StreamReader()
        self._written: asyncio.Queue[bytes] = asyncio.Queue()
        target = Target("http+unix://gate/mcp", "/", 9.0, 1 << 20)
        self.bridge = Bridge(self, target, self._written.put)

    async def send(self, request: HttpRequest) -> HttpReply:
        """Fills `ports.HttpClient`: every answer is a stream."""
        return HttpReply(200, {}, b"", self._events(request))

    async def _events(self, request: HttpRequest) -> AsyncIterator[bytes]:
        told: asyncio.Queue[bytes] = asyncio.Queue()

        async def emit(message: Json) -> None:
            told.put_nowait(json.dumps(message).encode())

        arrival = Arrival(ADA, None, dict(request.headers), request.body, Peer("unix", 1000))
        answering = asyncio.create_task(self.house.gateway.answer(arrival, emit))
        answering.add_done_callback(lambda _: told.put_nowait(b""))
        try:
            while message := await told.get():
                yield message
            yield answering.result().body
        finally:
            answering.cancel()

    async def aclose(self) -> None:
        """Fills `ports.HttpClient`."""

    def listen(self, id_: str | int, *uris: str) -> None:
        """Subscribe to these resources, and to the list of tools."""
        meta = {META + "protocolVersion": MODERN, META + "clientCapabilities": {}}
        wanted = {"resourceSubscriptions": list(uris), "toolsListChanged": True}
        params = {"notifications": wanted, "_meta": meta}
        message = {"jsonrpc": "2.0", "id": id_, "method": "subscriptions/listen", "params": params}
        self.lines.feed_data(json.dumps(message).encode() + b"\n")

    async def read(self) -> tuple[str, object]:
        """What the next line is (a method, or `result`), and which subscription it is of."""
        line: Json = json.loads(await asyncio.wait_for(self._written.get(), 30))
        body = line.get("params") or line["result"]
        id_ = body["_meta"][META + "subscriptionId"]
        assert line.get("id", id_) == id_
        return line.get("method", "result"), id_


@asynccontextmanager
async def _conversation() -> AsyncIterator[Client]:
    client = Client()
    running = asyncio.create_task(client.bridge.run(client.lines))
    yield client
    client.lines.feed_eof()
    await asyncio.wait_for(running, 30)


async def test_each_subscription_on_stdio_is_acknowledged_before_it_tells_anything() -> None:
    async with _conversation() as client:
        client.listen("one", A)
        assert await client.read() == (ACKNOWLEDGED, "one")
        client.listen(2, A, B)
        await client.server.tell(UPDATED, {"uri": A})
        lines = [await client.read() for _ in range(2)]
        assert set(lines) == {(UPDATED, "one"), (ACKNOWLEDGED, 2)}  # others may come in between
        await client.server.tell(UPDATED, {"uri": B})
        assert await client.read() == (UPDATED, 2)


async def test_the_end_of_a_subscription_on_stdio_is_its_result_alone() -> None:
    async with _conversation() as client:
        client.listen(1, A)
        assert await client.read() == (ACKNOWLEDGED, 1)
        client.house.gateway.retire()
        assert await client.read() == ("notifications/tools/list_changed", 1)
        assert await client.read() == ("result", 1)
        assert client._written.empty()
