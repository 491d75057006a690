"""Streams of legacy clients over real processes: GET, resumption, HTTP+SSE, and two workers."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx2
import pytest
from mcp import ClientSession
from mcp.client.sse import sse_client
from mcp_types import TextContent

from bawn.model import Json
from tests.e2e.gate_process import Gate
from tests.e2e.local_server import local

pytestmark = pytest.mark.e2e

ACCEPT = {"accept": "application/json, text/event-stream"}
HELLO: Json = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-11-25",
        "capabilities": {},
        "clientInfo": {"name": "t", "version": "1"},
    },
}


@pytest.fixture(scope="module", params=[1, 2], ids=["one worker", "two workers"])
def up(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate with one server, and one worker or two."""
    home = tmp_path_factory.mktemp("gate")
    servers = "servers:\n" + local("time", "modern", diary=home / "diary", isolation="shared")
    gate = Gate(home, f"workers: {request.param}\n{servers}limits: {{stop: 1, resume: 5}}\n")
    gate.start()
    try:
        yield gate
        gate.stop()
    finally:
        gate.kill()


class Caller:
    """A legacy client, each of whose requests has a connection of its own."""

    def __init__(self, up: Gate) -> None:
        self.url = up.url
        self.headers = {**ACCEPT, "authorization": f"Bearer {up.token()}"}

    async def send(self, method: str = "POST", message: Json | None = None) -> httpx2.Response:
        """One request."""
        async with httpx2.AsyncClient(timeout=20, headers=self.headers) as http:
            return await http.request(method, self.url, json=message)

    async def greet(self) -> None:
        """The handshake."""
        reply = await self.send(message=HELLO)
        self.headers["mcp-session-id"] = reply.headers["mcp-session-id"]
        self.headers["mcp-protocol-version"] = "2025-11-25"
        told = {"jsonrpc": "2.0", "method": "notifications/initialized"}
        assert (await self.send(message=told)).status_code == 202

    @contextlib.asynccontextmanager
    async def stream(self, **headers: str) -> AsyncIterator[tuple[int, AsyncIterator[str]]]:
        """The session's stream: its status and its lines."""
        more = {**self.headers, **{k.replace("_", "-"): v for k, v in headers.items()}}
        async with (
            httpx2.AsyncClient(timeout=20) as http,
            http.stream("GET", self.url, headers={**more, "accept": "text/event-stream"}) as reply,
        ):
            yield reply.status_code, reply.aiter_lines()


@pytest.fixture
async def caller(up: Gate) -> Caller:
    found = Caller(up)
    await found.greet()
    return found


async def first_id(lines: AsyncIterator[str]) -> str:
    """The id that a stream begins with."""
    async for line in lines:
        if line.startswith("id: "):
            return line.removeprefix("id: ")
    raise AssertionError("no event came")


async def test_a_stream_stands_whichever_worker_is_asked_and_ends_with_its_session(
    caller: Caller,
) -> None:
    for _ in range(4):
        async with caller.stream() as (status, lines):
            assert status == 200
            assert await first_id(lines)
    async with caller.stream() as (_, lines):
        await first_id(lines)
        assert (await caller.send("DELETE")).status_code == 200
        async with asyncio.timeout(30):
            async for _line in lines:
                pass
    async with caller.stream() as (status, _):
        assert status == 404


async def test_a_stream_is_resumed_whichever_worker_is_asked(caller: Caller) -> None:
    async with caller.stream() as (_, lines):
        last = await first_id(lines)
    for _ in range(4):
        async with caller.stream(last_event_id=last) as (status, _):
            assert status == 200
    async with caller.stream(last_event_id="p.never.1") as (status, _):
        assert status == 400


async def test_a_stream_of_nobody_is_refused(up: Gate, caller: Caller) -> None:
    bob = f"Bearer {up.token(sub='bob')}"
    async with caller.stream(authorization=bob) as (status, _):
        assert status == 404
    async with caller.stream(mcp_session_id="x") as (status, _):
        assert status == 404


async def test_streams_do_not_hold_up_the_gates_end(tmp_path: Path) -> None:
    servers = "servers:\n" + local("time", "modern", diary=tmp_path / "diary", isolation="shared")
    gate = Gate(tmp_path, f"{servers}limits: {{stop: 1}}\n")
    gate.start()
    try:
        caller = Caller(gate)
        await caller.greet()
        sse = {"authorization": caller.headers["authorization"], "accept": "text/event-stream"}
        async with (
            caller.stream() as (_, lines),
            httpx2.AsyncClient(timeout=20) as http,
            http.stream("GET", gate.url.replace("/mcp", "/sse"), headers=sse) as old,
        ):
            await first_id(lines)
            assert old.status_code == 200
            async with asyncio.timeout(15):
                await asyncio.to_thread(gate.stop)
            async for _line in lines:
                pass
    finally:
        gate.kill()


async def test_the_python_sdk_speaks_http_with_sse(up: Gate) -> None:
    url = up.url.replace("/mcp", "/sse")
    headers = {"authorization": f"Bearer {up.token()}"}
    async with sse_client(url, headers=headers) as streams, ClientSession(*streams) as session:
        await session.initialize()
        names = [tool.name for tool in (await session.list_tools()).tools]
        assert "time__echo" in names
        replies = await asyncio.gather(
            *(session.call_tool("time__echo", {"n": number}) for number in range(8))
        )
        for number, reply in enumerate(replies):
            (content,) = reply.content
            assert isinstance(content, TextContent)
            assert json.loads(content.text) == {"n": number}
