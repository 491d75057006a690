"""Streams without a deadline, through every client: resumed where they broke, in nobody's way."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bawn.config import Limits
from bawn.model import Outbound
from bawn.ports import HttpClient
from bawn.protocol import versions
from bawn.upstream.exchange import Wire
from bawn.upstream.http1 import PooledClient
from bawn.upstream.legacy import Legacy
from bawn.upstream.reference import ReferenceClient
from tests.contracts.exchanges import sized
from tests.contracts.scripted import Peer, serve

STREAM = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
INITIALIZED = {"protocolVersion": "2025-11-25", "capabilities": {"tools": {"listChanged": True}}}


@pytest.fixture(params=[PooledClient, ReferenceClient])
async def client(request: pytest.FixtureRequest) -> AsyncIterator[HttpClient]:
    made: Callable[[int, float], HttpClient] = request.param
    client = made(1, 5.0)
    yield client
    await client.aclose()


def event(message: Any, head: str = "") -> bytes:
    return f"{head}data: {json.dumps(message)}\n\n".encode()


def answer(id_: Any, **result: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id_, "result": result}


def outbound(method: str, **params: Any) -> Outbound:
    meta = {versions.META_VERSION: versions.MODERN, versions.META_CAPABILITIES: {}}
    return Outbound("old", method, {**params, "_meta": meta}, "alice", "0" * 32)


class Old:
    """Closes the stream of each call before its answer, which it gives to who comes back for it."""

    def __init__(self) -> None:
        self.call: Any = None
        self.came_back: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        while True:
            head, body = await peer.request()
            if head.startswith(b"GET"):
                return await self.get(peer, head)
            if head.startswith(b"DELETE"):
                return peer.send(sized(b"{}"))
            message = json.loads(body)
            if message["method"] == "initialize":
                peer.send(sized(json.dumps(answer(message["id"], **INITIALIZED)).encode()))
            elif "id" not in message:
                peer.send(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
            else:
                self.call = message["id"]
                return peer.send(STREAM, b"retry: 100\nid: e-1\ndata:\n\n")

    async def get(self, peer: Peer, head: bytes) -> None:
        if b"last-event-id" not in head.lower():
            peer.send(STREAM, b":\n\n")
            await peer.gone()
            return
        self.came_back.append(head)
        peer.send(STREAM, event(answer(self.call, content=["late"]), "id: e-2\n"))


async def test_a_call_whose_stream_is_closed_early_is_fetched_after_the_pause_it_named(
    client: HttpClient,
) -> None:
    old = Old()
    async with serve(old) as server:
        legacy = Legacy(Wire("old", client, server.url, (), Limits()))
        begun = asyncio.get_running_loop().time()
        found = await legacy.call(outbound("tools/call", name="slow"))
        assert (found.result or {})["content"] == ["late"]
        assert asyncio.get_running_loop().time() - begun >= 0.1
        assert b"last-event-id: e-1\r\n" in old.came_back[0].lower()
        await legacy.aclose()


async def test_a_listen_leaves_the_only_connection_to_calls(client: HttpClient) -> None:
    old, heard = Old(), asyncio.Event()

    async def emit(message: Any) -> None:
        heard.set()

    async with serve(old) as server:
        legacy = Legacy(Wire("old", client, server.url, (), Limits(first_byte=2.0, total=5.0)))
        wanted = outbound("subscriptions/listen", notifications={"toolsListChanged": True})
        listen = asyncio.ensure_future(legacy.call(wanted, emit))
        await asyncio.wait_for(heard.wait(), 30)
        assert (await legacy.call(outbound("tools/call", name="slow"))).result
        assert not listen.done()
        listen.cancel()
        await asyncio.wait({listen})
        await legacy.aclose()
