"""An MCP endpoint on fakes, behind the edge: bytes in, bytes out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bawn.config import Limits
from bawn.errors import AUTH_INVALID, AUTH_MISSING, Reason, Refused
from bawn.model import Json, Peer, Principal
from bawn.ports import Arrival, Emit, Reply
from bawn.transport.cors import Cors
from bawn.transport.held import Held
from bawn.transport.http import McpEndpoint
from bawn.transport.origin import OriginGuard
from bawn.transport.standing import Standing
from tests.fakes import FakeMeter, counting_sealer
from tests.unit.transport.edges import Connection, edge, limits, settle

BOB: Final = Principal("bob", "test", frozenset({"developer"}), float("inf"))
ALICE: Final = Principal("alice", "test", frozenset({"developer"}), float("inf"))
OWNER: Final = Principal("uid:1000", "local", frozenset({"developer"}), float("inf"))
REMOTE: Final = Peer("192.0.2.1")
LOCAL: Final = Peer("unix", 1000)
HOST: Final = b"gate.example.com"


class FakeIdentity:
    """Knows `Bearer alice` and `Bearer bob` at once and `Bearer slow` after verification; local peers by their uid."""

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        """Fills `ports.Identity`."""
        if authorization is None and peer.uid is not None:
            return OWNER
        if authorization is None:
            raise Refused(AUTH_MISSING)
        return {b"Bearer alice": ALICE, b"Bearer bob": BOB}.get(authorization)

    async def verify(self, authorization: bytes, now: float) -> Principal:
        """Fills `ports.Identity`."""
        await asyncio.sleep(0)
        if authorization != b"Bearer slow":
            raise Refused(AUTH_INVALID)
        return ALICE


Answers = Callable[[Arrival, Emit], Awaitable[Reply]]


async def fine(arrival: Arrival, emit: Emit) -> Reply:
    """How a gate answers that is in order."""
    return Reply(200, b'{"fine":true}')


def ended(arrival: Arrival) -> Reply:
    """How a gate ends a session that is in order."""
    return Reply(204, b"")


async def quiet(arrival: Arrival, emit: Emit) -> Reply:
    """How a gate follows a session to which nothing happens."""
    await asyncio.Event().wait()
    raise AssertionError("unreachable")


def stands(arrival: Arrival) -> None:
    """How a gate looks at a session that is in order."""


class FakeGate:
    """Remembers what arrived, and answers as it is told."""

    def __init__(self) -> None:
        self.arrived: list[Arrival] = []
        self.ended: list[Arrival] = []
        self.answers: Answers = fine
        self.followed: list[Arrival] = []
        self.ends: Callable[[Arrival], Reply] = ended
        self.opens: Callable[[Arrival], None] = stands
        self.follows: Answers = quiet

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        self.arrived.append(arrival)
        return await self.answers(arrival, emit)

    def open(self, arrival: Arrival) -> None:
        """Fills `ports.Gate`."""
        self.opens(arrival)

    async def follow(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        self.followed.append(arrival)
        return await self.follows(arrival, emit)

    def end(self, arrival: Arrival) -> Reply:
        """Fills `ports.Gate`."""
        self.ended.append(arrival)
        return self.ends(arrival)


def challenge(reason: Reason, endpoint: str | None) -> str | None:
    """What a 401 asks for."""
    return f"Bearer {reason.id} at {endpoint}" if reason.status == 401 else None


class House:
    """One endpoint, for the servers `files` and `time`; `split` requests come in two pieces."""

    def __init__(
        self, body_limit: int = 1000, *, split: bool = False, held: int = 1 << 20, **more: Any
    ) -> None:
        self.split = split
        self.gate = FakeGate()
        self.meter = FakeMeter()
        self.held = Held(held)
        self.identity = FakeIdentity()
        self.standing = more.pop("standing", None) or Standing.within(Limits(), counting_sealer())
        self.endpoint = McpEndpoint(
            self.gate,
            self.identity,
            OriginGuard(
                [HOST.decode()], ["https://app.example.com"], Cors(["https://app.example.com"])
            ),
            self.meter,
            servers={"files": "", "time": ""},
            challenge=challenge,
            body_limit=body_limit,
            held=self.held,
            standing=self.standing,
            **more,
        )

    def connection(self, peer: Peer = REMOTE) -> Connection:
        """A new connection to the edge before it."""
        of = edge(peer, self.endpoint, limits=limits(header=4000), meter=self.meter)
        return Connection(of=of)

    def get(self, path: str = "/mcp", /, **headers: bytes | None) -> Exchange:
        """A GET of a session's stream, with these header fields."""
        named: dict[bytes, bytes | None] = {
            b"accept": b"text/event-stream", b"content-type": None, b"content-length": None,
            b"mcp-session-id": b"s", b"mcp-protocol-version": b"2025-11-25",
            **{name.replace("_", "-").encode(): value for name, value in headers.items()},
        }  # fmt: skip
        return Exchange(self, path, b"", method="GET", headers=named)

    def post(self, path: str = "/mcp", *, body: bytes = b"{}", **changes: Any) -> Exchange:
        """A POST that is in order but for the changes."""
        return Exchange(self, path, body, **changes)


def message(
    path: str,
    body: bytes,
    *,
    method: str = "POST",
    headers: dict[bytes, bytes | None] | None = None,
    more: list[tuple[bytes, bytes]] | None = None,
) -> bytes:
    """The bytes of a request."""
    fields: dict[bytes, bytes | None] = {
        b"host": HOST,
        b"authorization": b"Bearer alice",
        b"content-type": b"application/json",
        b"accept": b"application/json, text/event-stream",
        b"content-length": b"%d" % len(body),
        **(headers or {}),
    }
    pairs = [(k, v) for k, v in fields.items() if v is not None] + (more or [])
    lines = [f"{method} {path} HTTP/1.1".encode(), *(b"%b: %b" % pair for pair in pairs)]
    return b"\r\n".join([*lines, b"", b""]) + body


class Told:
    """One event as it came."""

    def __init__(self, block: bytes) -> None:
        fields = dict(line.partition(b": ")[::2] for line in block.split(b"\n"))
        self.id = fields.get(b"id", b"")
        self.name = fields.get(b"event", b"")
        self.data = fields.get(b"data", b"")


class Exchange:
    """One request on a connection of its own, and its answer."""

    def __init__(
        self, house: House, path: str, body: bytes, *, peer: Peer = REMOTE, **changes: Any
    ) -> None:
        self.bytes = message(path, body, **changes)
        self.connection = house.connection(peer)
        self.sent = 0
        self._split = house.split

    def leave(self) -> None:
        """The caller goes away."""
        self.connection.protocol.connection_lost(None)

    async def send(self) -> None:
        """Let the request arrive."""
        cut = len(self.bytes) - 1 if self._split else len(self.bytes)
        for piece in (self.bytes[:cut], self.bytes[cut:]):
            if piece:
                self.connection.protocol.data_received(piece)
                await settle()

    async def send_while_read(self) -> None:
        """Let it arrive in pieces, until the edge reads no more for now."""
        while self.connection.transport.reading and self.sent < len(self.bytes):
            self.connection.protocol.data_received(self.bytes[self.sent : self.sent + 50_000])
            self.sent += 50_000
            await settle()

    async def run(self) -> Exchange:
        """The whole exchange."""
        await self.send()
        return await self.run_on()

    async def run_on(self) -> Exchange:
        """What is left of it."""
        async with asyncio.timeout(30):
            while self.connection.state.tasks:
                await asyncio.sleep(0)
        return self

    @property
    def written(self) -> bytes:
        """Everything that came back."""
        return self.connection.transport.written

    @property
    def parts(self) -> bytes:
        """What has come of an answer in chunks so far."""
        rest, found = self.written.partition(b"\r\n\r\n")[2], b""
        while rest:
            size, _, rest = rest.partition(b"\r\n")
            found, rest = found + rest[: int(size, 16)], rest[int(size, 16) + 2 :]
        return found

    @property
    def events(self) -> list[Told]:
        """The events that have come so far, comments left out."""
        return [Told(block) for block in self.parts.split(b"\n\n") if block.strip(b":")]

    @property
    def is_over(self) -> bool:
        """Whether the answer has ended."""
        return self.written.endswith(b"0\r\n\r\n")

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self.written.split(b" ", 2)[1])

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The header of the answer."""
        lines = self.written.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
        pairs = [line.partition(b": ") for line in lines]
        return {name: value for name, _, value in pairs}

    @property
    def body(self) -> bytes:
        """The body of the answer, which must have ended."""
        rest = self.written.partition(b"\r\n\r\n")[2]
        if b"transfer-encoding" not in self.headers:
            assert len(rest) == int(self.headers[b"content-length"])
            return rest
        body = b""
        while True:
            size, _, rest = rest.partition(b"\r\n")
            number = int(size, 16)
            body, rest = body + rest[:number], rest[number + 2 :]
            if not number:
                assert rest == b""
                return body

    @property
    def json(self) -> Json:
        """The body as JSON."""
        told: Json = json.loads(self.body)
        return told

    @property
    def reason(self) -> str:
        """The reason of a refusal."""
        found: str = self.json["error"]["data"]["reason"]
        return found
