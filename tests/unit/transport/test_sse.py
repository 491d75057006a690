from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bawn.config import Limits
from bawn.errors import UPSTREAM_UNREACHABLE
from bawn.model import Json
from bawn.ports import Arrival, Elsewhere, Emit, HttpReply, Reply
from bawn.transport.conversation import IN_FLIGHT
from bawn.transport.standing import Standing
from tests.unit.transport.edges import settle
from tests.unit.transport.house import LOCAL, Exchange, House, Told
from tests.unit.transport.test_relay import Far

GREETING = {"protocolVersion": "2024-11-05", "capabilities": {}}
JSON = (b"content-type", b"application/json")


class OldGate:
    """A gate with one tool, which waits until it is let go."""

    def __init__(self, house: House) -> None:
        self.arrived: list[Arrival] = []
        self.cancelled: list[object] = []
        self.go = asyncio.Event()
        self.session_over = asyncio.Event()
        self.elsewhere = False
        house.gate.answers, house.gate.follows = self.answer, self.follow

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        if self.elsewhere and not arrival.settled:
            raise Elsewhere(3)
        self.arrived.append(arrival)
        message = json.loads(arrival.body)
        id_, method = message.get("id"), message.get("method")
        if id_ is None or method is None:
            return Reply(202, b"")
        if method == "initialize":
            return Reply(200, said(id_, GREETING), (JSON, (b"mcp-session-id", b"the-session")))
        if method == "ask":
            await emit({"jsonrpc": "2.0", "id": "q", "method": "roots/list"})
        if method in ("wait", "ask"):
            try:
                await self.go.wait()
            except asyncio.CancelledError:
                self.cancelled.append(id_)
                raise
        return Reply(200, said(id_, {}))

    async def follow(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        await emit({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        await self.session_over.wait()
        return Reply(200, b"")


def said(id_: object, result: Json) -> bytes:
    """A response."""
    return json.dumps({"jsonrpc": "2.0", "id": id_, "result": result}).encode()


class Scene:
    """A client of HTTP+SSE, and what it reads."""

    def __init__(self, **house: Any) -> None:
        self.house = House(**house)
        self.gate = OldGate(self.house)
        self.stream: Exchange

    async def open(self, path: str = "/sse") -> str:
        """Open the stream; where its messages go."""
        self.stream = self.house.get(path, mcp_session_id=None, mcp_protocol_version=None)
        await self.stream.send()
        first = self.stream.events[0]
        assert first.name == b"endpoint"
        self.path = first.data.decode()
        return self.path

    async def post(self, message: Json | bytes, path: str | None = None, **more: Any) -> Exchange:
        """POST a message, and let it be answered."""
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        done = await self.house.post(path or self.path, body=body, **more).run()
        await settle()
        return done

    async def greet(self) -> None:
        """The handshake."""
        await self.post(request(0, "initialize", protocolVersion="2024-11-05"))
        await self.post({"jsonrpc": "2.0", "method": "notifications/initialized"})

    @property
    def told(self) -> list[Json]:
        """The messages on the stream so far."""
        events: list[Told] = self.stream.events[1:]
        assert all(event.name == b"message" for event in events)
        return [json.loads(event.data) for event in events]


def request(id_: object, method: str, **params: Any) -> Json:
    """A request."""
    return {"jsonrpc": "2.0", "id": id_, "method": method, "params": params}


@pytest.fixture
def scene() -> Scene:
    return Scene()


# ── a conversation ──────────────────────────────────────────────────────────────────────────────


async def test_a_stream_begins_with_the_path_of_its_messages(scene: Scene) -> None:
    path = await scene.open()
    assert path.startswith("/messages/")
    assert "?" not in path
    assert scene.stream.headers[b"content-type"] == b"text/event-stream"
    assert not scene.stream.is_over


async def test_a_message_is_accepted_at_once_and_answered_on_the_stream(scene: Scene) -> None:
    await scene.open()
    done = await scene.post(request(7, "ping"))
    assert (done.status, done.body) == (202, b"")
    assert scene.told == [{"jsonrpc": "2.0", "id": 7, "result": {}}]


async def test_session_and_version_are_filled_in_and_what_the_client_says_of_them_is_not(
    scene: Scene,
) -> None:
    await scene.open("/sse/files")
    await scene.greet()
    forged: dict[bytes, bytes | None] = {
        b"mcp-session-id": b"forged", b"mcp-protocol-version": b"2026-07-28", b"accept": None,
    }  # fmt: skip
    await scene.post(request(1, "ping"), headers=forged)
    first, _, last = scene.gate.arrived
    assert b"mcp-session-id" not in first.headers
    assert last.headers[b"mcp-session-id"] == b"the-session"
    assert last.headers[b"mcp-protocol-version"] == b"2024-11-05"
    assert (first.endpoint, last.endpoint) == ("files", "files")


async def test_after_the_handshake_what_changes_is_told(scene: Scene) -> None:
    await scene.open()
    await scene.post(request(0, "initialize"))
    assert scene.house.gate.followed == []
    for _ in range(2):
        await scene.post({"jsonrpc": "2.0", "method": "notifications/initialized"})
    (followed,) = scene.house.gate.followed
    assert followed.headers[b"mcp-session-id"] == b"the-session"
    assert scene.told[1]["method"] == "notifications/tools/list_changed"


async def test_what_a_server_asks_is_told_and_the_answer_reaches_the_gate(scene: Scene) -> None:
    await scene.open()
    await scene.greet()
    await scene.post(request(1, "ask"))
    assert scene.told[-1]["method"] == "roots/list"
    done = await scene.post({"jsonrpc": "2.0", "id": "q", "result": {"roots": []}})
    assert done.status == 202
    assert json.loads(scene.gate.arrived[-1].body)["id"] == "q"
    scene.gate.go.set()
    await settle()
    assert scene.told[-1]["id"] == 1


# ── its end ─────────────────────────────────────────────────────────────────────────────────────


async def test_who_leaves_cancels_what_runs_and_ends_the_session(scene: Scene) -> None:
    path = await scene.open()
    await scene.greet()
    await scene.post(request(1, "wait"))
    scene.stream.leave()
    await settle()
    assert scene.gate.cancelled == [1]
    (ended,) = scene.house.gate.ended
    assert ended.headers[b"mcp-session-id"] == b"the-session"
    assert not scene.stream.connection.state.tasks
    done = await scene.post(request(2, "ping"), path)
    assert (done.status, done.reason) == (404, "session.unknown")
    assert scene.house.standing.conversations == {}


async def test_a_session_that_ends_elsewhere_ends_the_stream(scene: Scene) -> None:
    await scene.open()
    await scene.greet()
    scene.gate.session_over.set()
    await scene.stream.run_on()
    assert scene.stream.is_over


async def test_when_the_worker_leaves_calls_are_answered_and_streams_end(scene: Scene) -> None:
    await scene.open()
    await scene.post(request(1, "wait"))
    scene.stream.connection.protocol.shutdown()
    await settle()
    assert scene.told == []
    scene.gate.go.set()
    await scene.stream.run_on()
    assert scene.told[-1]["id"] == 1
    assert scene.stream.is_over
    assert scene.stream.connection.is_over()


# ── who and how much ────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({b"authorization": None}, 401, "auth.missing"),
        ({b"authorization": b"Bearer bob"}, 404, "session.unknown"),
        ({b"content-type": b"text/plain"}, 415, "http.media_type"),
        ({b"origin": b"https://evil.example.com"}, 403, "http.origin"),
    ],
)
async def test_a_handle_is_no_credential(
    scene: Scene, headers: dict[bytes, bytes | None], status: int, reason: str
) -> None:
    await scene.open()
    done = await scene.post(request(1, "ping"), headers=headers)
    assert (done.status, done.reason) == (status, reason)
    assert scene.gate.arrived == []
    assert scene.told == []


@pytest.mark.parametrize("handle", ["", "x", "a.b.c", "A" * 3000])
async def test_a_handle_that_was_never_given_out_is_unknown(scene: Scene, handle: str) -> None:
    await scene.open()
    done = await scene.post(request(1, "ping"), f"/messages/{handle}")
    assert (done.status, done.reason) == (404, "session.unknown")


@pytest.mark.parametrize(
    ("path", "changes", "status"),
    [
        ("/sse/nothing", {}, 404),
        ("/sse/", {}, 404),
        ("/sse?x=1", {}, 404),
        ("/sse", {"accept": b"application/json"}, 406),
        ("/sse", {"authorization": None}, 401),
        ("/sse", {"host": b"evil.example.com"}, 421),
    ],
)
async def test_a_stream_is_opened_for_those_who_may(
    scene: Scene, path: str, changes: dict[str, bytes | None], status: int
) -> None:
    assert (await scene.house.get(path, **changes).run()).status == status
    assert scene.house.standing.conversations == {}


async def test_other_methods_are_refused(scene: Scene) -> None:
    assert (await scene.house.post("/sse").run()).status == 405
    await scene.open()
    assert (await scene.post(b"", method="DELETE")).status == 405


async def test_messages_being_answered_are_bounded(scene: Scene) -> None:
    await scene.open()
    for number in range(IN_FLIGHT):
        assert (await scene.post(request(number, "wait"))).status == 202
    done = await scene.post(request(99, "ping"))
    assert (done.status, done.reason) == (503, "limit.messages")
    scene.gate.go.set()
    await settle()
    assert (await scene.post(request(99, "ping"))).status == 202
    assert len(scene.told) == IN_FLIGHT + 1


async def test_a_large_message_counts_as_held_until_it_is_answered() -> None:
    scene = Scene(body_limit=200_000)
    await scene.open()
    await scene.post(request(1, "wait", pad="x" * 100_000))
    assert scene.house.held.all.held > 100_000
    scene.gate.go.set()
    await settle()
    assert scene.house.held.all.held == 0


async def test_a_malformed_message_of_the_gates_is_answered_like_any(scene: Scene) -> None:
    async def refusing(arrival: Arrival, emit: Emit) -> Reply:
        return Reply(400, b'{"id":null,"error":{}}')

    await scene.open()
    scene.house.gate.answers = refusing
    assert (await scene.post(b"{")).status == 202
    assert scene.told == [{"id": None, "error": {}}]


async def test_without_a_sealer_there_is_no_such_transport() -> None:
    scene = Scene(standing=Standing.within(Limits()))
    assert (await scene.house.get("/sse").run()).status == 404
    assert (await scene.house.get("/sse", authorization=None).run()).status == 401


# ── many workers ────────────────────────────────────────────────────────────────────────────────


def worker(slot: int, far: Far) -> Scene:
    """One of two workers, which seal alike."""
    standing = Standing.within(Limits(), far.sealer, slot, 2)
    return Scene(standing=standing, relay=far.relay)


async def test_a_message_goes_to_the_worker_that_has_the_stream() -> None:
    far = Far()
    owner, other = worker(1, far), worker(0, far)
    path = await owner.open()
    far.client.reply = HttpReply(202, {}, b"")
    assert (await other.post(request(1, "ping"), path)).status == 202
    assert far.client.sent[0].url.endswith(path)
    assert (await other.post(request(1, "x"), path, headers={b"authorization": None})).status == 401
    assert len(far.client.sent) == 1
    far.client.refusal = UPSTREAM_UNREACHABLE
    gone = await other.post(request(1, "ping"), path)
    assert (gone.status, gone.reason) == (404, "session.unknown")


async def test_a_worker_that_does_not_serve_yet_passes_its_conversations_messages_on() -> None:
    far = Far()
    scene = worker(0, far)
    await scene.open()
    scene.gate.elsewhere = True
    headers = {b"content-type": b"application/json", b"mcp-session-id": b"far-session"}
    far.client.reply = HttpReply(200, headers, said(0, GREETING))
    await scene.post(request(0, "initialize"))
    (sent,) = far.client.sent
    assert (sent.method, sent.url.rpartition("sock")[2]) == ("POST", "/mcp")
    assert dict(sent.headers)[b"accept"] == b"application/json, text/event-stream"
    far.client.reply = HttpReply(200, {}, said(1, {"from": "far"}))
    await scene.post(request(1, "ping"))
    assert dict(far.client.sent[1].headers)[b"mcp-session-id"] == b"far-session"
    assert scene.told[-1]["result"] == {"from": "far"}


async def test_the_gates_own_user_needs_no_token() -> None:
    house = House()
    stream = house.get("/sse", mcp_session_id=None, authorization=None, host=b"localhost")
    stream.connection = house.connection(LOCAL)
    await stream.send()
    assert stream.events[0].name == b"endpoint"
