from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.model import Json
from bawn.ports import HttpReply
from bawn.transport.stdio import Bridge, Target
from tests.unit.upstream.scripted import META, Asked, Events, Server, reply, result

LIMIT = 1000


class Client:
    """A client at the other end of the bridge."""

    def __init__(self) -> None:
        self.server = Server(self._fine)
        self.lines = asyncio.StreamReader(limit=LIMIT)
        self._written: asyncio.Queue[bytes] = asyncio.Queue()
        target = Target("http+unix://gate/mcp", "/home/zoë/a b", 9.0, 5000)
        self.bridge = Bridge(self.server, target, self._written.put)

    async def _fine(self, asked: Asked) -> HttpReply:
        if "id" not in asked.message:
            return reply(status=202)
        return result(asked)

    def write(self, *messages: Any) -> None:
        """Send lines: bytes as they are, or messages."""
        for message in messages:
            raw = message if isinstance(message, bytes) else json.dumps(message).encode()
            self.lines.feed_data(raw + b"\n")

    async def read(self) -> Json:
        """The next line."""
        answer: Json = json.loads(await asyncio.wait_for(self._written.get(), 5))
        return answer

    @property
    def silent(self) -> bool:
        """Whether nothing waits to be read."""
        return self._written.empty()

    async def asked(self, count: int) -> list[Asked]:
        """The requests, once there are so many."""
        while len(self.server.asked) < count:
            await asyncio.sleep(0)
        return self.server.asked


@contextlib.asynccontextmanager
async def conversation() -> AsyncIterator[Client]:
    """A client whose bridge runs until it is done."""
    client = Client()
    running = asyncio.create_task(client.bridge.run(client.lines))
    yield client
    client.lines.feed_eof()
    await asyncio.wait_for(running, 5)


def request(id_: object, method: str, **params: Any) -> Json:
    """A modern request."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": {**params, "_meta": META}}


def legacy(id_: object, method: str, **params: Any) -> Json:
    """A request of a handshake version."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


HELLO = legacy(0, "initialize", protocolVersion="2025-06-18", capabilities={}, clientInfo={})


# ── what goes out ───────────────────────────────────────────────────────────────────────────────


async def test_a_modern_line_is_posted_as_it_is_with_the_headers_that_it_implies() -> None:
    async with conversation() as client:
        line = b'  {"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"a\xc3\xbc","_meta":%b}} '
        client.write(line % json.dumps(META).encode())
        assert (await client.read())["id"] == 1
        (asked,) = await client.asked(1)
        assert asked.request.body == (line % json.dumps(META).encode()).strip()
        assert asked.request.limit == 5000
        assert asked.headers == {
            b"content-type": b"application/json",
            b"accept": b"application/json, text/event-stream",
            b"bawn-project": b"/home/zo%C3%AB/a%20b",
            b"mcp-protocol-version": b"2026-07-28",
            b"mcp-method": b"tools/call",
            b"mcp-name": b"=?base64?YcO8?=",
        }


async def test_a_legacy_conversation_keeps_its_session_and_its_version() -> None:
    async with conversation() as client:

        async def answering(asked: Asked) -> HttpReply:
            agreed = {"protocolVersion": "2025-06-18", "capabilities": {}}
            return (
                result(asked, agreed, "the-session") if "id" in asked.message else reply(b"", 202)
            )

        client.server.answer = answering
        client.write(HELLO, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        client.write(legacy(1, "tools/list"))
        assert [(await client.read())["id"] for _ in range(2)] == [0, 1]
        hello, *rest = await client.asked(3)
        assert b"mcp-session-id" not in hello.headers
        for asked in rest:
            assert asked.headers[b"mcp-session-id"] == b"the-session"
            assert asked.headers[b"mcp-protocol-version"] == b"2025-06-18"
            assert b"mcp-method" not in asked.headers


async def test_nothing_overtakes_initialize() -> None:
    async with conversation() as client:
        gate = asyncio.Event()

        async def slow(asked: Asked) -> HttpReply:
            if asked.method == "initialize":
                await gate.wait()
            return result(asked, {"protocolVersion": "2025-06-18"}, "s")

        client.server.answer = slow
        client.write(HELLO, legacy(1, "tools/list"))
        await client.asked(1)
        for _ in range(5):
            await asyncio.sleep(0)
        assert client.server.methods() == ["initialize"]
        gate.set()
        assert (await client.read())["id"] == 0
        assert (await client.read())["id"] == 1


async def test_an_initialize_that_is_refused_begins_no_session() -> None:
    async with conversation() as client:

        async def refusing(asked: Asked) -> HttpReply:
            told = {"code": 31002, "message": "still starting"}
            return reply({"jsonrpc": "2.0", "id": asked.message["id"], "error": told}, 503)

        client.server.answer = refusing
        client.write(HELLO, legacy(1, "ping"))
        assert (await client.read())["error"]["code"] == 31002
        await client.read()
        assert b"mcp-session-id" not in client.server.asked[1].headers


# ── what comes back ─────────────────────────────────────────────────────────────────────────────


async def test_answers_come_as_they_are_ready() -> None:
    async with conversation() as client:
        gate = asyncio.Event()

        async def slow(asked: Asked) -> HttpReply:
            if asked.message["id"] == "slow":
                await gate.wait()
            return result(asked)

        client.server.answer = slow
        client.write(request("slow", "tools/list"), request("quick", "tools/list"))
        assert (await client.read())["id"] == "quick"
        gate.set()
        assert (await client.read())["id"] == "slow"


async def test_every_message_of_a_stream_is_a_line() -> None:
    async with conversation() as client:

        async def streaming(asked: Asked) -> HttpReply:
            note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
            return reply(events=Events([note, {"jsonrpc": "2.0", "id": 1, "result": {}}]))

        client.server.answer = streaming
        client.write(request(1, "tools/list"))
        assert (await client.read())["method"] == "notifications/progress"
        assert (await client.read())["result"] == {}


async def test_an_error_without_an_id_gets_that_of_its_request() -> None:
    async with conversation() as client:

        async def refusing(asked: Asked) -> HttpReply:
            told = {"code": -32020, "message": "no", "data": {"a": 1}}
            return reply({"jsonrpc": "2.0", "id": None, "error": told}, 400)

        client.server.answer = refusing
        client.write(request("mine", "tools/list"))
        answer = await client.read()
        assert (answer["id"], answer["error"]["data"]) == ("mine", {"a": 1})


async def test_an_unreachable_gate_is_an_error_for_each_request() -> None:
    async with conversation() as client:

        async def down(asked: Asked) -> HttpReply:
            raise Refused(UPSTREAM_UNREACHABLE, detail="unix:/secret/path: refused")

        client.server.answer = down
        client.write(request(1, "tools/list"), request(2, "tools/list"))
        answers = [await client.read() for _ in range(2)]
        assert {answer["id"] for answer in answers} == {1, 2}
        assert "/secret/path" not in json.dumps(answers)


# ── bad lines ───────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("line", "code", "id_"),
    [
        (b"{", -32700, None),
        (b"\xff", -32700, None),
        (b'{"jsonrpc":"2.0","id":1,"id":2,"method":"x"}', -32700, None),
        (b"[" * 100 + b"]" * 100, -32700, None),
        (b"[]", -32600, None),
        (b"1", -32600, None),
        (b'{"jsonrpc":"2.0","id":5}', -32600, 5),
        (b'{"jsonrpc":"2.0","id":5,"method":"x","params":[]}', -32602, 5),
    ],
)
async def test_a_bad_line_is_answered_and_the_next_one_is_served(
    line: bytes, code: int, id_: int | None
) -> None:
    async with conversation() as client:
        client.write(line, request(9, "tools/list"))
        refused = await client.read()
        assert (refused["error"]["code"], refused["id"]) == (code, id_)
        assert (await client.read())["id"] == 9
        assert len(client.server.asked) == 1


@pytest.mark.parametrize("size", [LIMIT + 1, 3 * LIMIT, 20 * LIMIT])
async def test_a_line_that_is_too_long_is_skipped_whole(size: int) -> None:
    async with conversation() as client:
        long = b'{"jsonrpc":"2.0","id":1,"method":"x"}' + b" " * size
        for start in range(0, len(long), 300):
            client.lines.feed_data(long[start : start + 300])
            await asyncio.sleep(0)
        client.write(b"", request(9, "tools/list"))
        assert (await client.read())["error"]["code"] == -32700
        assert (await client.read())["id"] == 9
        assert client.silent


async def test_empty_lines_and_answers_that_nobody_asked_for_are_passed_over() -> None:
    async with conversation() as client:
        client.write(b"", b"  \t", b"\r")
        client.write({"jsonrpc": "2.0", "id": 1, "result": {}})
        client.write({"jsonrpc": "2.0", "id": 1, "error": {"code": 1, "message": ""}})
        client.write(request(9, "tools/list"))
        assert (await client.read())["id"] == 9
        assert len(client.server.asked) == 1


async def test_the_end_of_input_within_a_line_that_is_too_long_is_an_end() -> None:
    async with conversation() as client:
        client.lines.feed_data(b"x" * (2 * LIMIT))
        await asyncio.sleep(0)
    assert (await client.read())["error"]["code"] == -32700


# ── cancelling ──────────────────────────────────────────────────────────────────────────────────


class Hanging:
    """A gate that never answers tools/call, and counts whose requests were closed."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.closed: list[Any] = []

    async def __call__(self, asked: Asked) -> HttpReply:
        if "id" not in asked.message:
            return reply(status=202)
        if asked.method != "tools/call":
            return result(asked, {"protocolVersion": "2025-06-18"}, "s")
        self.reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.closed.append(asked.message["id"])
        raise AssertionError("unreachable")


async def test_a_modern_cancellation_closes_the_request_and_nothing_answers_it() -> None:
    async with conversation() as client:
        client.server.answer = hanging = Hanging()
        client.write(request("x", "tools/call", name="a"))
        await hanging.reached.wait()
        for id_ in ("unknown", None, ["x"], "x"):
            told = {"requestId": id_, "_meta": META}
            client.write({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": told})
        client.write(request(2, "tools/list"))
        assert (await client.read())["id"] == 2
        assert hanging.closed == ["x"]
        assert "notifications/cancelled" not in client.server.methods()
        assert client.silent


async def test_a_legacy_cancellation_is_carried_to_the_gate() -> None:
    async with conversation() as client:
        client.server.answer = hanging = Hanging()
        client.write(HELLO, legacy("x", "tools/call", name="a"))
        await hanging.reached.wait()
        cancelled = {"method": "notifications/cancelled", "params": {"requestId": "x"}}
        client.write({"jsonrpc": "2.0", **cancelled})
        while not client.server.of("notifications/cancelled"):
            await asyncio.sleep(0)
        assert hanging.closed == []


async def test_the_end_of_input_closes_every_request() -> None:
    hanging = Hanging()
    async with conversation() as client:
        client.server.answer = hanging
        client.write(request("x", "tools/call", name="a"))
        await hanging.reached.wait()
    assert hanging.closed == ["x"]
    assert client.silent
