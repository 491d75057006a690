"""Requests, replies and server scripts that the suites of the HTTP clients share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from bawn.errors import Reason, Refused
from bawn.ports import HttpClient, HttpReply, HttpRequest
from tests.contracts.scripted import Peer, Script

Make = Callable[..., HttpClient]
OK = b"HTTP/1.1 200 OK\r\n"
JSON = OK + b"Content-Type: application/json\r\n"
STREAM = (
    OK + b"Content-Type: text/event-stream; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
)
SOON = 0.2  # a deadline that is meant to pass


def sized(body: bytes, head: bytes = JSON) -> bytes:
    return b"%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def ask(url: str, body: bytes = b"{}", **changes: Any) -> HttpRequest:
    fields: dict[str, Any] = {
        "method": "POST",
        "url": url,
        "headers": ((b"content-type", b"application/json"),),
        "body": body,
        "first_byte": 30.0,
        "total": 60.0,
        "limit": 1 << 20,
    }
    return HttpRequest(**(fields | changes))


async def refusal(client: HttpClient, request: HttpRequest) -> Reason:
    with pytest.raises(Refused) as caught:
        await client.send(request)
    return caught.value.reason


def always(reply: bytes) -> Script:
    """Answer every request with the same bytes."""

    async def script(peer: Peer) -> None:
        while True:
            await peer.request()
            peer.send(reply)

    return script


def once(*reply: bytes) -> Script:
    """Read one request, send these bytes, then only watch until the client has closed."""

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(*reply)
        await peer.gone()

    return script


async def echo(peer: Peer) -> None:
    """Answer with the request's own body."""
    while True:
        _, body = await peer.request()
        peer.send(sized(body))


async def events_of(reply: HttpReply) -> AsyncIterator[bytes]:
    assert reply.events is not None
    async for event in reply.events:
        yield event


async def close(reply: HttpReply) -> None:
    await reply.events.aclose()  # type: ignore[union-attr]  # the port promises it in words
