"""Event streams over both HTTP clients."""

from __future__ import annotations

import asyncio

import pytest

from bawn import errors
from bawn.errors import Refused
from bawn.ports import HttpClient
from tests.contracts.exchanges import (
    OK,
    STREAM,
    ask,
    chunk,
    close,
    events_of,
    once,
)
from tests.contracts.scripted import Peer, serve


async def test_events_are_released_one_by_one(client: HttpClient) -> None:
    taken = asyncio.Queue[bytes]()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(STREAM)
        for n in (b"1", b"2", b"3"):
            peer.send(chunk(b"event: message\r\ndata: " + n), chunk(b"\r\n\r\n: still here\n\n"))
            assert await taken.get() == n
        peer.send(b"0\r\n\r\n")
        await peer.gone()

    async with serve(script) as server:
        reply = await client.send(ask(server.url))
        assert (reply.status, reply.body) == (200, b"")
        async for event in events_of(reply):
            taken.put_nowait(event)
    assert taken.empty()


async def test_only_messages_with_data_are_released(client: HttpClient) -> None:
    stream = b"id: 1\ndata:\n\nevent: ping\ndata: {}\n\ndata: [\ndata: ]\n\ndata: cut off"
    async with serve(once(STREAM, chunk(stream), b"0\r\n\r\n")) as server:
        reply = await client.send(ask(server.url))
        assert [event async for event in events_of(reply)] == [b"[\n]"]


async def test_a_stream_may_end_with_the_connection(client: HttpClient) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(OK + b"Content-Type: text/event-stream\r\n\r\ndata: 1\n\ndata: 2\n\n")

    async with serve(script) as server:
        reply = await client.send(ask(server.url))
        assert [event async for event in events_of(reply)] == [b"1", b"2"]


async def test_a_stream_that_breaks_leaves_the_outcome_unknown(client: HttpClient) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(STREAM, chunk(b"data: 1\n\n"))

    async with serve(script) as server:
        events = events_of(await client.send(ask(server.url)))
        assert await anext(events) == b"1"
        with pytest.raises(Refused) as caught:
            await anext(events)
    assert caught.value.reason is errors.UPSTREAM_OUTCOME


async def test_a_stream_has_the_total_time_of_its_call(client: HttpClient) -> None:
    async with serve(once(STREAM, chunk(b"data: 1\n\n"))) as server:
        events = events_of(await client.send(ask(server.url, first_byte=1.0, total=1.5)))
        assert await anext(events) == b"1"
        with pytest.raises(Refused) as caught:
            await anext(events)
    assert caught.value.reason is errors.UPSTREAM_TOTAL


async def test_refuses_an_event_over_the_limit(client: HttpClient) -> None:
    async with serve(once(STREAM, chunk(b"data: " + b"x" * 1000))) as server:
        events = events_of(await client.send(ask(server.url, limit=1000)))
        with pytest.raises(Refused) as caught:
            await anext(events)
    assert caught.value.reason is errors.UPSTREAM_TOO_LARGE


async def test_many_events_within_the_limit_may_be_more_than_it_together(
    client: HttpClient,
) -> None:
    stream = chunk((b"data: " + b"x" * 90 + b"\n\n") * 2000)
    async with serve(once(STREAM, stream, b"0\r\n\r\n")) as server:
        reply = await client.send(ask(server.url, limit=100))
        assert [event async for event in events_of(reply)] == [b"x" * 90] * 2000


async def test_closing_a_stream_gives_the_connection_up(client: HttpClient) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(STREAM, chunk(b"data: 1\n\n"))
        await peer.gone()
        gone.set()

    async with serve(script) as server:
        reply = await client.send(ask(server.url))
        assert await anext(events_of(reply)) == b"1"
        await close(reply)
        await close(reply)
        await gone.wait()
        assert [event async for event in events_of(reply)] == []


async def test_a_stream_nobody_began_to_read_can_be_closed(client: HttpClient) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(STREAM)
        await peer.gone()
        gone.set()

    async with serve(script) as server:
        await close(await client.send(ask(server.url)))
        await gone.wait()


async def test_a_slow_reader_holds_the_server_back(client: HttpClient) -> None:
    stuck, sent = asyncio.Event(), 0
    event = chunk(b"data: " + b"x" * 65530 + b"\n\n")

    async def script(peer: Peer) -> None:
        nonlocal sent
        await peer.request()
        peer.send(STREAM)
        while sent < 1000:
            peer.send(event)
            sent += 1
            try:
                await asyncio.wait_for(peer.sent(), 0.3)
            except TimeoutError:
                stuck.set()
                await peer.sent()
        peer.send(b"0\r\n\r\n")
        await peer.gone()

    async with serve(script) as server:
        reply = await client.send(ask(server.url))
        await stuck.wait()
        assert sent < 1000
        count = 0
        async for data in events_of(reply):
            assert len(data) == 65530
            count += 1
    assert count == 1000
