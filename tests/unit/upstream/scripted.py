"""A server behind an HTTP client that is none: what it is asked, and what it answers."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any, Final

from bawn.config import Limits
from bawn.model import Json, Outbound
from bawn.ports import HttpReply, HttpRequest
from bawn.protocol import versions
from bawn.upstream.exchange import Headers, Wire

URL: Final = "http://127.0.0.1:9/mcp"
META: Final[Json] = {versions.META_VERSION: versions.MODERN, versions.META_CAPABILITIES: {}}
CREDENTIAL: Final[Headers] = ((b"authorization", b"Bearer the-gates-own"),)


class Events(AsyncIterator[bytes]):
    """An event stream; `closed` tells whether its reader let go of it."""

    def __init__(self, values: Iterable[Any]) -> None:
        self._left = [v if isinstance(v, bytes) else json.dumps(v).encode() for v in values]
        self.closed = False

    async def __anext__(self) -> bytes:
        if self.closed or not self._left:
            raise StopAsyncIteration
        return self._left.pop(0)

    async def aclose(self) -> None:
        """As `ports.HttpReply` asks of readers."""
        self.closed = True


class Asked:
    """One request that was sent."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.headers = dict(request.headers)
        self.message: Json = json.loads(request.body) if request.body else {}

    @property
    def method(self) -> str:
        """The JSON-RPC method, or the HTTP method of what carries no message."""
        method: str = self.message.get("method", self.request.method)
        return method

    @property
    def session(self) -> bytes:
        """The session that it was sent in."""
        return self.headers.get(b"mcp-session-id", b"")


Answers = Callable[[Asked], Awaitable[HttpReply]]


class Server:
    """Fills `ports.HttpClient`; `answer` decides, and what was asked is remembered."""

    def __init__(self, answer: Answers) -> None:
        self.answer = answer
        self.asked: list[Asked] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        """Fills `ports.HttpClient`."""
        asked = Asked(request)
        self.asked.append(asked)
        return await self.answer(asked)

    async def aclose(self) -> None:
        """Fills `ports.HttpClient`."""

    def methods(self) -> list[str]:
        """What was asked, in order."""
        return [asked.method for asked in self.asked]

    def of(self, method: str) -> list[Asked]:
        """The requests of this method."""
        return [asked for asked in self.asked if asked.method == method]

    def wire(self, headers: Headers = (), **limits: Any) -> Wire:
        """A wire to this server."""
        return Wire("files", self, URL, headers, Limits(**limits))


def reply(
    body: Any = b"",
    status: int = 200,
    events: AsyncIterator[bytes] | None = None,
    session: str = "",
) -> HttpReply:
    """A reply with this body, as it is or as JSON, and perhaps a session's id."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {b"mcp-session-id": session.encode()} if session else {}
    return HttpReply(status, headers, raw, events)


def result(asked: Asked, value: Any = None, session: str = "") -> HttpReply:
    """The reply that carries a result, and perhaps a session's id."""
    found = {"resultType": "complete", "content": []} if value is None else value
    message = {"jsonrpc": "2.0", "id": asked.message["id"], "result": found}
    return reply(message, session=session)


def error(asked: Asked, code: int, status: int = 200, *, id_: Any = ..., **more: Any) -> HttpReply:
    """The reply that carries an error."""
    told = {"code": code, "message": "no", **more}
    named = asked.message.get("id") if id_ is ... else id_
    return reply({"jsonrpc": "2.0", "id": named, "error": told}, status)


def outbound(
    method: str = "tools/call", isolation: str = "alice", meta: Json | None = None, **params: Any
) -> Outbound:
    """A canonical request on its way."""
    given = {"name": "read", **params} if method == "tools/call" else params
    whole = {**given, "_meta": {**META, **(meta or {})}}
    return Outbound("files", method, whole, isolation, "0" * 32, name=given.get("name"))


class Heard:
    """What was emitted towards the caller."""

    def __init__(self) -> None:
        self.messages: list[Json] = []

    async def __call__(self, message: Json) -> None:
        self.messages.append(message)
