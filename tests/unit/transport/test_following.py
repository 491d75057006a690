from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpReply, HttpRequest
from bawn.transport.following import follow


class Client:
    """Answers from a list; where it says None, the gate is not there."""

    def __init__(self, *replies: HttpReply | None) -> None:
        self._replies = list(replies)
        self.asked: list[bytes] = []

    async def send(self, request: HttpRequest) -> HttpReply:
        """Fills `ports.HttpClient`."""
        self.asked.append(request.body)
        reply = self._replies.pop(0)
        if reply is None:
            raise Refused(UPSTREAM_UNREACHABLE)
        return reply

    async def aclose(self) -> None:
        """Fills `ports.HttpClient`."""


def stream(*events: bytes) -> HttpReply:
    """A stream that ends after these."""

    async def each() -> AsyncIterator[bytes]:
        for event in events:
            yield event

    return HttpReply(200, {}, b"", each())


def ask(last: bytes) -> HttpRequest:
    """The request that shows which event was the last."""
    return HttpRequest("GET", "http://gate/mcp", (), last, 1.0, 1.0, 1000)


GONE = HttpReply(404, {}, b"")


async def followed(*replies: HttpReply | None) -> tuple[list[bytes], list[bytes]]:
    """What was told, and after which events more was asked for."""
    client, told = Client(*replies), []

    async def tell(message: bytes) -> None:
        told.append(message)

    await asyncio.wait_for(follow(client, ask, tell, 0), 30)
    return told, client.asked


async def test_each_message_is_told_once_over_all_interruptions() -> None:
    first, second = stream(b"g.x.0 ", b'g.x.1 {"a":1}'), stream(b'g.x.2 {"a":2}', b'{"a":3}')
    told, asked = await followed(first, None, second, GONE)
    assert told == [b'{"a":1}', b'{"a":2}', b'{"a":3}']
    assert asked == [b"", b"g.x.1", b"g.x.1", b"g.x.2"]


async def test_it_ends_when_the_gate_has_no_such_stream() -> None:
    released = []
    gone = HttpReply(405, {}, b"{}", None, lambda: released.append(1))
    assert await followed(gone) == ([], [b""])
    assert released == [1]


async def test_what_cannot_be_resumed_is_begun_anew_but_not_twice() -> None:
    lost = HttpReply(400, {}, b"")
    _, asked = await followed(stream(b"g.x.1 {}"), lost, stream(b"g.y.1 {}"), lost, lost)
    assert asked == [b"", b"g.x.1", b"", b"g.y.1", b""]
