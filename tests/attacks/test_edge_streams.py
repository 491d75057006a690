"""Streams that stand, attacked: they are bounded, cut, ended with their session, and leave nothing behind."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest

from bawn.config import Limits
from bawn.ports import Arrival, Emit, Reply
from bawn.transport.conversation import Conversation
from bawn.transport.standing import Standing
from bawn.transport.stream import Stream
from tests.attacks.listener import PATIENCE, Listener, read_all
from tests.fakes import counting_sealer
from tests.unit.transport.house import House, message

GET: Final[dict[bytes, bytes | None]] = {
    b"accept": b"text/event-stream", b"content-type": None, b"content-length": None,
    b"mcp-session-id": b"s", b"mcp-protocol-version": b"2025-11-25",
}  # fmt: skip
SESSION: Final[dict[bytes, bytes | None]] = {
    b"mcp-session-id": b"s",
    b"mcp-protocol-version": b"2025-11-25",
}
PING: Final = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


def get(path: str = "/mcp", **headers: bytes | None) -> bytes:
    """The bytes of a GET for a stream."""
    named = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return message(path, b"", method="GET", headers={**GET, **named})


class Sessions:
    """A gate whose sessions can be ended, and whose streams then end."""

    def __init__(self, house: House) -> None:
        self._following: dict[bytes, list[asyncio.Event]] = {}
        self.following = 0
        self.calls = 0
        house.gate.follows, house.gate.ends = self.follow, self.end

    async def follow(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        over = asyncio.Event()
        self._following.setdefault(arrival.headers[b"mcp-session-id"], []).append(over)
        self.following += 1
        try:
            await over.wait()
        finally:
            self.following -= 1
        return Reply(200, b"")

    def end(self, arrival: Arrival) -> Reply:
        """Fills `ports.Gate`."""
        for over in self._following.pop(arrival.headers[b"mcp-session-id"], []):
            over.set()
        return Reply(200, b"")


async def shouting(arrival: Arrival, emit: Emit) -> Reply:
    """A gate that tells more than anybody reads."""
    while True:
        await emit({"method": "notifications/message", "params": {"data": "x" * 10_000}})


def until(condition: Callable[[], bool]) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def read_until(connection: socket.socket, mark: bytes) -> bytes:
    """Everything up to and with this."""
    found = b""
    while mark not in found:
        part = connection.recv(1 << 16)
        assert part, found
        found += part
    return found


@contextlib.contextmanager
def listening(resume: float = 60.0, **bounds: Any) -> Iterator[Listener]:
    """A listener that leaves nothing behind."""
    with Listener(**{"header_time": PATIENCE, **bounds}) as gate:  # nobody here sends them slowly
        replay = gate.house.standing.replay
        object.__setattr__(replay, "seconds", resume)
        yield gate
        until(lambda: gate.connections == 0 and not gate.server.server_state.tasks)
        assert gate.edge.crowd.connections == 0
        assert gate.house.held.all.held == 0
        assert gate.house.standing.conversations == {}


def test_streams_are_connections_and_are_bounded_like_them() -> None:
    with (
        listening(resume=0.01, clients=400, clients_per_address=300) as gate,
        contextlib.ExitStack() as open_,
    ):
        sessions = Sessions(gate.house)
        for number in range(300):
            connection = open_.enter_context(gate.connect())
            connection.sendall(get(mcp_session_id=b"%d" % number))
            assert b"200 OK" in read_until(connection, b"\n\n")
        for _ in range(700):
            assert gate.attack(get()).startswith(b"HTTP/1.1 503 ")
        assert sessions.following == 300
        open_.close()
        until(lambda: sessions.following == 0)
        gate.is_well()
    gc.collect()
    assert [each for each in gc.get_objects() if isinstance(each, Conversation)] == []
    assert all(each.over for each in gc.get_objects() if isinstance(each, Stream))


def test_a_reader_who_never_reads_is_cut_and_waited_for_until_then() -> None:
    with listening(resume=0.1, idle=0.5) as gate:
        gate.house.gate.follows = shouting
        with gate.connect() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            silent.sendall(get())
            until(lambda: gate.connections == 1)
            until(lambda: gate.connections == 0)
        until(lambda: not gate.server.server_state.tasks)
        kept = gate.house.standing.replay._size
        assert kept <= Limits().replay + 20_000
        gate.is_well()


def test_ending_a_session_ends_its_stream_and_what_was_pipelined_behind_it_is_answered() -> None:
    with listening() as gate:
        sessions = Sessions(gate.house)
        with gate.connect() as stream:
            stream.sendall(get() + message("/mcp", PING, more=[(b"connection", b"close")]))
            until(lambda: sessions.following == 1)
            assert gate.house.gate.arrived == []
            ended = message("/mcp", b"", method="DELETE", headers=SESSION)
            with gate.connect() as other:
                other.sendall(ended)
                assert b"200 OK" in read_until(other, b"\r\n\r\n")
            rest = read_all(stream)
            assert rest.count(b"HTTP/1.1 200 OK") == 2
            assert rest.index(b"0\r\n\r\n") < rest.rindex(b"HTTP/1.1")
        assert len(gate.house.gate.arrived) == 1
        assert gate.house.standing.replay._logs == {}


@pytest.mark.parametrize(
    ("last", "status"),
    [
        (b"p." + b"A" * 3000 + b".1", b"400"),
        (b"x" * 5000, b"431"),
        (b"p.x." + b"9" * 3000, b"400"),
        (b"\xff\xfe", b"400"),
        (b"../../etc", b"400"),
        (b"g", b"400"),
    ],
)
def test_last_event_ids_that_nobody_gave_out_are_refused(last: bytes, status: bytes) -> None:
    with listening() as gate:
        close = [(b"connection", b"close")]
        asked = message(
            "/mcp", b"", method="GET", headers={**GET, b"last-event-id": last}, more=close
        )
        answer = gate.attack(asked)
        assert answer.startswith(b"HTTP/1.1 " + status), answer
        assert gate.house.gate.followed == []
        gate.is_well()


def test_two_last_event_ids_are_none() -> None:
    with listening() as gate:
        twice = [(b"last-event-id", b"p.x.1"), (b"last-event-id", b"p.y.1")]
        asked = message(
            "/mcp", b"", method="GET", headers=GET, more=[*twice, (b"connection", b"close")]
        )
        assert gate.attack(asked).startswith(b"HTTP/1.1 400 ")


def test_calls_whose_callers_broke_off_end_in_time_and_are_not_kept() -> None:
    running: list[int] = []

    async def telling(arrival: Arrival, emit: Emit) -> Reply:
        running.append(1)
        try:
            await emit({"method": "notifications/progress"})
            await asyncio.Event().wait()
        finally:
            running.pop()
        raise AssertionError("unreachable")

    with listening(resume=0.05) as gate:
        gate.house.gate.answers = telling
        for _ in range(200):
            with gate.connect() as caller:
                caller.sendall(message("/mcp", PING, headers=SESSION))
                read_until(caller, b"progress")
        until(lambda: not running)


# ── HTTP+SSE ────────────────────────────────────────────────────────────────────────────────────


def open_stream(connection: socket.socket) -> str:
    """Open a stream of the old transport; where its messages go."""
    connection.sendall(get("/sse", mcp_session_id=None, mcp_protocol_version=None))
    told = read_until(connection, b"\n\n")
    return told.partition(b"data: ")[2].partition(b"\n")[0].decode()


def test_a_stolen_handle_writes_to_nobodys_stream() -> None:
    with listening() as gate, gate.connect() as alice:
        path = open_stream(alice)
        close = (b"connection", b"close")
        for credential, status in ((b"Bearer bob", b"404"), (b"Bearer x", b"401"), (None, b"401")):
            stolen = message(path, PING, headers={b"authorization": credential}, more=[close])
            assert gate.attack(stolen).startswith(b"HTTP/1.1 " + status)
        tampered = path[:-3] + ("aaa" if path[-3:] != "aaa" else "bbb")
        assert gate.attack(message(tampered, PING, more=[close])).startswith(b"HTTP/1.1 404 ")
        assert gate.house.gate.arrived == []
        assert gate.attack(message(path, PING, more=[close])).startswith(b"HTTP/1.1 202 ")
        assert json.loads(read_until(alice, b"fine").rpartition(b"data: ")[2].partition(b"\n")[0])


def test_messages_after_the_streams_end_are_refused() -> None:
    with listening() as gate:
        with gate.connect() as alice:
            path = open_stream(alice)
        until(lambda: not gate.house.standing.conversations)
        late = message(path, PING, more=[(b"connection", b"close")])
        answer = gate.attack(late)
        assert answer.startswith(b"HTTP/1.1 404 ")
        assert b"session.unknown" in answer


def test_a_client_that_posts_and_never_reads_its_stream_is_refused_and_then_cut() -> None:
    async def large(arrival: Arrival, emit: Emit) -> Reply:
        return Reply(200, json.dumps({"result": "x" * 1_000_000}).encode())

    with listening(idle=1.0) as gate:
        gate.house.gate.answers = large
        with gate.connect() as silent:
            silent.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            path = open_stream(silent)
            statuses = set()
            with gate.connect() as poster:
                for _ in range(200):
                    poster.sendall(message(path, PING))
                    statuses.add(read_until(poster, b"\r\n\r\n")[9:12])
            assert b"202" in statuses
            assert b"503" in statuses or b"404" in statuses
            until(lambda: not gate.house.standing.conversations)
        gate.house.gate.answers = House().gate.answers
        gate.is_well()


def test_a_handle_names_nothing_in_another_life_of_the_worker() -> None:
    with listening() as gate, gate.connect() as alice:
        path = open_stream(alice)
        fresh = Standing.within(Limits(), counting_sealer())
        assert fresh.conversations == {}
        gate.house.standing.conversations.clear()
        answer = gate.attack(message(path, PING, more=[(b"connection", b"close")]))
        assert answer.startswith(b"HTTP/1.1 404 ")
