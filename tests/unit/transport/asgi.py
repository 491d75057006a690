"""An MCP endpoint on fakes, called as ASGI servers call it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Final

from bawn.errors import AUTH_INVALID, AUTH_MISSING, Reason, Refused
from bawn.model import Json, Peer, Principal
from bawn.ports import Arrival, Emit, Reply
from bawn.transport.http import McpEndpoint
from bawn.transport.origin import OriginGuard
from tests.gate import FakeMeter

ALICE: Final = Principal("alice", "test", frozenset({"developer"}), float("inf"))
OWNER: Final = Principal("uid:1000", "local", frozenset({"developer"}), float("inf"))
REMOTE: Final = Peer("192.0.2.1")
LOCAL: Final = Peer("unix", 1000)
HOST: Final = b"gate.example.com"

Event = MutableMapping[str, Any]


class FakeIdentity:
    """Knows `Bearer alice` at once and `Bearer slow` after verification; local peers by their uid."""

    def recognise(self, authorization: bytes | None, peer: Peer, now: float) -> Principal | None:
        """Fills `ports.Identity`."""
        if authorization is None and peer.uid is not None:
            return OWNER
        if authorization is None:
            raise Refused(AUTH_MISSING)
        return ALICE if authorization == b"Bearer alice" else None

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


class FakeGate:
    """Remembers what arrived, and answers as it is told."""

    def __init__(self) -> None:
        self.arrived: list[Arrival] = []
        self.answers: Answers = fine

    async def answer(self, arrival: Arrival, emit: Emit) -> Reply:
        """Fills `ports.Gate`."""
        self.arrived.append(arrival)
        return await self.answers(arrival, emit)


def challenge(reason: Reason, endpoint: str | None) -> str | None:
    """What a 401 asks for."""
    return f"Bearer {reason.id} at {endpoint}" if reason.status == 401 else None


class House:
    """One endpoint, for the servers `files` and `time`."""

    def __init__(self, body_limit: int = 1000) -> None:
        self.gate = FakeGate()
        self.meter = FakeMeter()
        self.endpoint = McpEndpoint(
            self.gate,
            FakeIdentity(),
            OriginGuard([HOST.decode()], ["https://app.example.com"]),
            self.meter,
            servers=("files", "time"),
            challenge=challenge,
            body_limit=body_limit,
        )

    def post(self, path: str = "/mcp", *, body: bytes = b"{}", **changes: Any) -> Exchange:
        """A POST that is in order but for the changes."""
        return Exchange(self, path, body, **changes)


class Exchange:
    """One request: `events` are what is still to be received, `sent` what was answered."""

    def __init__(
        self,
        house: House,
        path: str,
        body: bytes,
        *,
        method: str = "POST",
        query: bytes = b"",
        peer: Peer = REMOTE,
        headers: dict[bytes, bytes | None] | None = None,
        more: list[tuple[bytes, bytes]] | None = None,
        parts: list[bytes] | None = None,
    ) -> None:
        fields: dict[bytes, bytes | None] = {
            b"host": HOST,
            b"authorization": b"Bearer alice",
            b"content-type": b"application/json",
            b"accept": b"application/json, text/event-stream",
            **(headers or {}),
        }
        self.scope: MutableMapping[str, Any] = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "headers": [(k, v) for k, v in fields.items() if v is not None] + (more or []),
            "state": {"peer": peer},
        }
        self.events: asyncio.Queue[Event] = asyncio.Queue()
        pieces = [body] if parts is None else parts
        for number, piece in enumerate(pieces, 1):
            last = number == len(pieces)
            self.events.put_nowait({"type": "http.request", "body": piece, "more_body": not last})
        self.sent: list[Event] = []
        self._house = house

    def leave(self) -> None:
        """The caller goes away."""
        self.events.put_nowait({"type": "http.disconnect"})

    async def run(self) -> Exchange:
        """The whole exchange."""
        await self._house.endpoint(self.scope, self.events.get, self._send)
        return self

    async def _send(self, event: Event) -> None:
        self.sent.append(event)

    @property
    def status(self) -> int:
        """The status of the answer."""
        status: int = self.sent[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        """The header of the answer."""
        return dict(self.sent[0]["headers"])

    @property
    def body(self) -> bytes:
        """The body of the answer, which must have ended."""
        assert self.sent[-1]["more_body"] is False
        return b"".join(event["body"] for event in self.sent[1:])

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
