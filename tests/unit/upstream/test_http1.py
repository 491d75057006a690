from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_TOTAL, UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpRequest
from bawn.upstream import http1
from bawn.upstream.connection import Connection
from bawn.upstream.http1 import PooledClient
from bawn.upstream.pool import Pool
from tests.unit.upstream.wires import FakeTransport, connect, turn

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
URL = "http://a.example:81/mcp?x=1"


@pytest.fixture
def transports(monkeypatch: pytest.MonkeyPatch) -> list[FakeTransport]:
    """Those of the connections that pools open, in order; no socket is."""
    opened: list[FakeTransport] = []

    async def open_(_: Pool, connection: Connection) -> None:
        opened.append(connect(connection))

    monkeypatch.setattr(Pool, "_connect", open_)
    return opened


@pytest.fixture
async def client() -> AsyncIterator[PooledClient]:
    client = PooledClient(2, 1.0, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    yield client
    await client.aclose()


def request(**changes: Any) -> HttpRequest:
    fields: dict[str, Any] = {
        "method": "POST",
        "url": URL,
        "headers": ((b"a", b"1"),),
        "body": b"BODY",
        "first_byte": 100.0,
        "total": 200.0,
        "limit": 1000,
    }
    return HttpRequest(**(fields | changes))


async def send(client: PooledClient, **changes: Any) -> asyncio.Task[Any]:
    task = asyncio.ensure_future(client.send(request(**changes)))
    await turn()
    return task


@pytest.mark.parametrize(
    ("changes", "wire"),
    [
        ({}, b"POST /mcp?x=1 HTTP/1.1\r\nhost: a.example:81\r\naccept-encoding: identity\r\ncontent-length: 4\r\na: 1\r\n\r\nBODY"),
        ({"body": b""}, b"POST /mcp?x=1 HTTP/1.1\r\nhost: a.example:81\r\naccept-encoding: identity\r\ncontent-length: 0\r\na: 1\r\n\r\n"),
        ({"method": "GET", "body": b"", "headers": ()}, b"GET /mcp?x=1 HTTP/1.1\r\nhost: a.example:81\r\naccept-encoding: identity\r\n\r\n"),
        ({"method": "DELETE", "url": "http+unix://%2Fs/x", "body": b"z"}, b"DELETE /x HTTP/1.1\r\nhost: localhost\r\naccept-encoding: identity\r\ncontent-length: 1\r\na: 1\r\n\r\nz"),
    ],
)  # fmt: skip
async def test_a_request_leaves_in_one_write(
    client: PooledClient, transports: list[FakeTransport], changes: dict[str, Any], wire: bytes
) -> None:
    task = await send(client, **changes)
    assert transports[0].written == [wire]
    transports[0].connection.data_received(REPLY)
    assert (await task).body == b"{}"


async def test_requests_in_turn_share_a_connection_and_those_at_once_do_not(
    client: PooledClient, transports: list[FakeTransport]
) -> None:
    for n in range(1, 4):
        task = await send(client)
        assert (len(transports), len(transports[0].written)) == (1, n)
        transports[0].connection.data_received(REPLY)
        await task
    tasks = [await send(client), await send(client)]
    assert len(transports) == 2
    for transport in transports:
        transport.connection.data_received(REPLY)
    await asyncio.gather(*tasks)


async def test_origins_share_nothing(client: PooledClient, transports: list[FakeTransport]) -> None:
    urls = ["http://a/", "https://a/", "http://a:81/", "http://b/", "http+unix://a/"]
    for url in urls:
        task = await send(client, url=url)
        transports[-1].connection.data_received(REPLY)
        await task
    assert len(transports) == len(urls)


async def test_a_cancelled_caller_takes_the_connection_with_it(
    client: PooledClient, transports: list[FakeTransport]
) -> None:
    task = await send(client)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transports[0].closing


async def test_a_caller_cancelled_after_its_reply_harms_no_other(
    client: PooledClient, transports: list[FakeTransport]
) -> None:
    first, second, third = await send(client), await send(client), await send(client)
    transports[0].connection.data_received(REPLY)  # and the third in line gets the connection
    first.cancel()
    await turn()
    assert not transports[0].closing
    for transport in transports:
        transport.connection.data_received(REPLY)
    assert [(await task).status for task in (second, third)] == [200, 200]


async def test_a_stream_that_its_caller_never_saw_is_given_up(
    client: PooledClient, transports: list[FakeTransport]
) -> None:
    task = await send(client)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
    transports[0].connection.data_received(head)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert transports[0].closing


async def test_a_connection_known_to_be_closed_is_not_written_to(
    client: PooledClient, transports: list[FakeTransport]
) -> None:
    task = await send(client)
    transports[0].connection.data_received(REPLY)
    await task
    transports[0].connection.eof_received()
    again = await send(client)
    assert [len(transport.written) for transport in transports] == [1, 1]
    transports[1].connection.data_received(REPLY)
    await again


async def test_nothing_is_repeated_once_it_was_written(
    client: PooledClient, transports: list[FakeTransport]
) -> None:
    task = await send(client)
    transports[0].abort()
    with pytest.raises(Refused) as caught:
        await task
    assert caught.value.reason is UPSTREAM_OUTCOME
    assert len(transports) == 1


async def test_ticks_while_there_is_something_to_look_after(
    client: PooledClient, transports: list[FakeTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1, "TICK", 0.0)
    task = await send(client, total=0.0)
    with pytest.raises(Refused) as caught:
        await task
    assert caught.value.reason is UPSTREAM_TOTAL
    task = await send(client)
    assert client._ticking is not None
    transports[1].connection.data_received(REPLY.replace(b"C", b"Keep-Alive: timeout=1\r\nC", 1))
    await task
    for _ in range(3):
        await turn()
    assert client._ticking is None


async def test_prepared_routes_are_bounded_and_forgetting_them_loses_no_connection(
    client: PooledClient, transports: list[FakeTransport], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http1, "_ROUTES", 4)
    for n in range(10):
        task = await send(client, url=f"http://a/{n}")
        transports[0].connection.data_received(REPLY)
        await task
    assert len(client._routes) <= 4
    assert len(transports) == 1


async def test_refuses_after_closing(client: PooledClient, transports: list[FakeTransport]) -> None:
    await client.aclose()
    with pytest.raises(Refused) as caught:
        await client.send(request())
    assert (caught.value.reason, transports) == (UPSTREAM_UNREACHABLE, [])


def test_trusts_the_systems_authorities_by_default() -> None:
    context = PooledClient(1, 1.0)._tls
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
