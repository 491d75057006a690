from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from math import inf
from typing import Any

import pytest

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, Refused
from bawn.model import Json
from bawn.ports import HttpReply, HttpRequest
from bawn.transport.stdio import Bridge, Target
from tests.unit.upstream.scripted import META, Asked, Events, Server, reply, result

LIMIT = 1000


class Stream:
    """The gate's side of a session's stream: each time that it is asked for, its next part."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.refusals: list[HttpReply] = []
        self._said: asyncio.Queue[bytes | None] = asyncio.Queue()

    def say(self, *said: bytes | None) -> None:
        """Have it tell these; None breaks it."""
        for each in said:
            self._said.put_nowait(each)

    async def opened(self, asked: Asked) -> HttpReply:
        """The answer to a GET."""
        self.asked.set()
        if self.refusals:
            return self.refusals.pop(0)
        return HttpReply(200, {}, b"", self._events())

    async def _events(self) -> AsyncIterator[bytes]:
        while (said := await self._said.get()) is not None:
            yield said
        raise Refused(UPSTREAM_OUTCOME)


class Client:
    """A client at the other end of the bridge."""

    def __init__(self) -> None:
        self.server = Server(self._fine)
        self.lines = asyncio.StreamReader(limit=LIMIT)
        self._written: asyncio.Queue[bytes] = asyncio.Queue()
        self.stream = Stream()
        target = Target("http+unix://gate/mcp", "/home/zoë/a b", 9.0, 5000)
        self.bridge = Bridge(self.server, target, self._written.put, 0)

    async def legacy(self, asked: Asked) -> HttpReply:
        """How a gate answers that has sessions of 2025-03-26, and one stream for each."""
        if asked.request.method == "GET":
            return await self.stream.opened(asked)
        if asked.request.method == "DELETE" or "id" not in asked.message:
            return reply(status=202)
        return result(asked, {"protocolVersion": "2025-03-26"}, "s")

    async def greet(self) -> None:
        """The handshake of a legacy client."""
        self.server.answer = self.legacy
        self.write(HELLO, {"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert (await self.read())["id"] == 0
        await self.stream.asked.wait()

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
        answer: Json = json.loads(await asyncio.wait_for(self._written.get(), 30))
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
    await asyncio.wait_for(running, 30)


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
            if "id" not in asked.message:
                return reply()
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


async def test_a_stream_that_ends_without_its_answer_is_answered_with_an_error() -> None:
    for told in ([], [{"jsonrpc": "2.0", "method": "notifications/progress"}]):
        async with conversation() as client:

            async def streaming(asked: Asked, told: list[Json] = told) -> HttpReply:
                return reply(events=Events(told))

            client.server.answer = streaming
            client.write(request(1, "subscriptions/listen"))
            for _ in told:
                await client.read()
            assert (await client.read())["error"]["code"] == 31001


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


async def test_in_a_session_a_modern_request_is_still_cancelled_by_closing_it() -> None:
    async with conversation() as client:
        client.server.answer = hanging = Hanging()
        client.write(HELLO, request("x", "tools/call", name="a"))
        await hanging.reached.wait()
        cancelled = {"method": "notifications/cancelled", "params": {"requestId": "x"}}
        client.write({"jsonrpc": "2.0", **cancelled}, legacy(2, "ping"))
        assert [(await client.read())["id"] for _ in range(2)] == [0, 2]
        assert hanging.closed == ["x"]
        assert not client.server.of("notifications/cancelled")


async def test_the_end_of_input_closes_every_request() -> None:
    hanging = Hanging()
    async with conversation() as client:
        client.server.answer = hanging
        client.write(request("x", "tools/call", name="a"))
        await hanging.reached.wait()
    assert hanging.closed == ["x"]
    assert client.silent


# ── the session of a legacy client ──────────────────────────────────────────────────────────────

NOTE = b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}'


async def test_what_a_session_is_told_is_written_and_asked_for_once() -> None:
    async with conversation() as client:
        await client.greet()
        client.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        client.stream.say(b"g.x.0 ", b"g.x.1 " + NOTE)
        assert (await client.read())["method"] == "notifications/tools/list_changed"
        (asked,) = client.server.of("GET")
        assert asked.session == b"s"
        assert asked.headers[b"accept"] == b"text/event-stream"
        assert asked.headers[b"mcp-protocol-version"] == b"2025-03-26"
        assert b"last-event-id" not in asked.headers
        assert asked.request.total == inf
        assert client.silent


async def test_before_the_handshake_is_over_no_stream_is_asked_for() -> None:
    async with conversation() as client:
        client.server.answer = client.legacy
        client.write({"jsonrpc": "2.0", "method": "notifications/initialized"})
        client.write(HELLO, legacy(1, "ping"))
        assert [(await client.read())["id"] for _ in range(2)] == [0, 1]
        assert client.server.of("GET") == []


async def test_an_interrupted_stream_goes_on_where_it_was() -> None:
    async with conversation() as client:
        await client.greet()
        client.stream.say(b"g.x.0 ", b"g.x.1 " + NOTE, None, b"g.x.2 " + NOTE, None)
        for _ in range(2):
            await client.read()
        while len(client.server.of("GET")) < 3:
            await asyncio.sleep(0)
        last = [asked.headers.get(b"last-event-id") for asked in client.server.of("GET")]
        assert last == [None, b"g.x.1", b"g.x.2"]


async def test_a_stream_that_cannot_be_resumed_is_begun_anew() -> None:
    async with conversation() as client:
        await client.greet()
        client.stream.refusals = [reply(status=400), reply(status=503)]
        client.stream.say(b"g.x.1 " + NOTE, None, NOTE)
        for _ in range(2):
            await client.read()
        last = [asked.headers.get(b"last-event-id") for asked in client.server.of("GET")]
        assert last == [None, b"g.x.1", None, None]


@pytest.mark.parametrize("status", [401, 404, 405])
async def test_a_gate_without_that_stream_is_not_asked_again(status: int) -> None:
    async with conversation() as client:
        client.stream.refusals = [reply(status=status)]
        await client.greet()
        client.write(legacy(1, "ping"))
        await client.read()
        assert len(client.server.of("GET")) == 1
        assert client.silent


async def test_answers_to_what_a_server_asks_go_to_the_session() -> None:
    async with conversation() as client:
        await client.greet()
        client.stream.say(b'g.x.1 {"jsonrpc":"2.0","id":"q","method":"roots/list"}')
        assert (await client.read())["method"] == "roots/list"
        answer = {"jsonrpc": "2.0", "id": "q", "result": {"roots": []}}
        refusal = {"jsonrpc": "2.0", "id": "r", "error": {"code": -1, "message": "no"}}
        client.write(answer, refusal, legacy(1, "ping"))
        await client.read()
        sent = [asked for asked in client.server.asked if asked.message.get("id") in ("q", "r")]
        assert [asked.message for asked in sent] == [answer, refusal]
        assert {asked.session for asked in sent} == {b"s"}


async def test_a_batch_of_a_session_is_carried_as_it_is() -> None:
    async with conversation() as client:
        await client.greet()
        bodies = []

        whole = client.server.send

        async def send(request: HttpRequest) -> HttpReply:
            if request.body.startswith(b"["):
                bodies.append(request.body)
                return reply([{"jsonrpc": "2.0", "id": 1, "result": {}}])
            return await whole(request)

        client.server.send = send  # type: ignore[method-assign]  # its messages are no objects
        line = b'[{"jsonrpc":"2.0","id":1,"method":"ping"}]'
        client.write(line)
        answers: Any = await client.read()
        assert answers == [{"jsonrpc": "2.0", "id": 1, "result": {}}]
        assert bodies == [line]


async def test_the_end_of_input_ends_the_session_and_its_stream() -> None:
    async with conversation() as client:
        await client.greet()
    (ended,) = client.server.of("DELETE")
    assert ended.session == b"s"
    assert client.bridge._following is None


async def test_a_second_handshake_ends_the_first_session() -> None:
    async with conversation() as client:
        await client.greet()
        client.write(HELLO)
        await client.read()
        assert len(client.server.of("DELETE")) == 1
        assert b"mcp-session-id" not in client.server.of("initialize")[1].headers


async def test_a_gate_that_is_gone_does_not_hold_up_the_end() -> None:
    async with conversation() as client:
        await client.greet()

        async def down(asked: Asked) -> HttpReply:
            raise Refused(UPSTREAM_UNREACHABLE)

        client.server.answer = down
    assert len(client.server.of("DELETE")) == 1


@pytest.mark.parametrize(
    ("message", "lasting"),
    [
        (request(1, "subscriptions/listen", notifications={}), True),
        (request(1, "tools/list"), False),
        (legacy(1, "tools/list"), True),
    ],
)
async def test_what_lasts_has_no_deadline(message: Json, lasting: bool) -> None:
    async with conversation() as client:
        client.write(message)
        await client.read()
        (asked,) = client.server.asked
        assert (asked.request.total == inf) is lasting
        assert asked.request.first_byte == 9.0
