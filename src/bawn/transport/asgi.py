"""Requests that are not for the MCP endpoints, carried to an ASGI application and back.

Source: ASGI 3.0, "HTTP & WebSocket ASGI Message Format" 2.3.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias
from urllib.parse import unquote

from bawn.transport.body import LARGE
from bawn.transport.head import Fields
from bawn.transport.request import Request

Scope: TypeAlias = MutableMapping[str, Any]
Event: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Event]]
Send: TypeAlias = Callable[[Event], Awaitable[None]]
App: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]


async def serve(
    app: App, request: Request, transport: asyncio.BaseTransport, state: dict[str, Any]
) -> None:
    """Have the application answer the request; its scope's state has the `peer` too."""
    exchange = _Exchange(request)
    await app(_scope(request, transport, state), exchange.receive, exchange.send)


def _scope(request: Request, transport: asyncio.BaseTransport, state: dict[str, Any]) -> Scope:
    head = request.head
    raw_path, _, query = head.target.partition(b"?")
    path = raw_path.decode("ascii")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1" if head.modern else "1.0",
        "server": _address(transport.get_extra_info("sockname")),
        "client": (request.peer.address, 0),
        "scheme": "http",
        "root_path": "",
        "method": head.method.decode("ascii"),
        "path": unquote(path) if "%" in path else path,
        "raw_path": raw_path,
        "query_string": query,
        "headers": list(head.fields),
        "state": {**state, "peer": request.peer, "request": request},
    }


def _address(name: Any) -> tuple[str, int | None] | None:
    if isinstance(name, tuple):
        return str(name[0]), int(name[1])
    return (str(name), None) if name else None


class _Exchange:
    """The two callables that an application gets."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._received = False
        self._start: tuple[int, Fields] | None = None

    async def receive(self) -> Event:
        """The next part of the body; after the last, that the caller went away."""
        request = self._request
        if not self._received and not request.lost:
            whole = await request.gather(LARGE)
            if not request.lost:
                self._received = whole
                body = request.body if whole else request.taken()
                return {"type": "http.request", "body": body, "more_body": not whole}
        await request.gone()
        return {"type": "http.disconnect"}

    async def send(self, event: Event) -> None:
        """A part of the answer: whole if it is only one, else in chunks."""
        request = self._request
        if event["type"] == "http.response.start":
            fields = [(bytes(name), bytes(value)) for name, value in event.get("headers", ())]
            framing = (b"content-length", b"transfer-encoding", b"connection")
            kept = tuple([field for field in fields if field[0].lower() not in framing])
            self._start = (event["status"], kept)
            return
        if self._start is None:
            raise RuntimeError("an answer has to begin with its header")
        body, more = event.get("body", b""), event.get("more_body", False)
        if not request.streaming and not more:
            request.respond(*self._start, body)
            return
        if not request.streaming:
            request.begin(*self._start)
        request.part(body)
        if more:
            await request.drained()
        else:
            request.end()
