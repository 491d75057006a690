from __future__ import annotations

import asyncio
from math import inf

import pytest

from bawn.model import Peer
from bawn.transport.http import Receive, Scope, Send
from tests.unit.transport.edges import LIMIT, Connection, chunked, echo, post, settle


async def test_a_request_reaches_the_application_with_its_peer() -> None:
    connection = Connection()
    assert (await connection.feed(post())).endswith(b"ok")
    (scope,) = connection.seen
    assert scope["state"]["peer"] == Peer("unix", 1000)
    assert connection.bodies == [b"{}"]


async def test_a_request_byte_by_byte_is_the_same_request() -> None:
    connection = Connection()
    await connection.feed(*(bytes([byte]) for byte in post(b'{"a":1}')))
    assert connection.bodies == [b'{"a":1}']


@pytest.mark.parametrize("target", [b"http://gate/mcp", b"*", b"gate:80", b"mcp"])
async def test_only_paths_are_targets(target: bytes) -> None:
    connection = Connection()
    written = await connection.feed(post(path=target))
    assert written.startswith(b"HTTP/1.1 400 ")
    assert connection.transport.closing
    assert connection.seen == []


async def test_what_is_no_http_is_answered_once() -> None:
    connection = Connection()
    written = await connection.feed(b"\x16\x03\x01 hello", b"more")
    assert written.count(b"HTTP/1.1 400 ") == 1
    assert connection.transport.closing


@pytest.mark.parametrize("protocol", [b"websocket", b"h2c"])
async def test_an_upgrade_is_refused_before_its_body_is_read(protocol: bytes) -> None:
    connection = Connection()
    whole = post(post(), b"connection: keep-alive, Upgrade", b"upgrade: " + protocol)
    cut = whole.index(b"\r\n\r\n") + 4
    written = await connection.feed(whole[:cut], whole[cut:])
    assert written.count(b"HTTP/1.1 ") == 1
    assert b'"error":"http.upgrade"' in written
    assert connection.seen == []
    plain = Connection()
    await plain.feed(
        post(b"{}", b"upgrade: " + protocol)
    )  # without `connection` it asks for nothing
    assert plain.bodies == [b"{}"]


# ── the header's bound ──────────────────────────────────────────────────────────────────────────


async def test_a_header_at_the_limit_passes_and_one_beyond_does_not() -> None:
    bare = post(b"", b"x: ")
    fits = LIMIT - (len(bare) - 4)
    for pad, passes in ((fits, True), (fits + 1, False)):
        connection = Connection()
        written = await connection.feed(post(b"", b"x: " + b"y" * pad))
        assert written.startswith(b"HTTP/1.1 200 " if passes else b"HTTP/1.1 431 ")
        assert bool(connection.seen) is passes
        assert connection.transport.closing is not passes


async def test_an_endless_header_is_refused_as_soon_as_it_is_too_long() -> None:
    connection = Connection()
    written = await connection.feed(b"POST /mcp HTTP/1.1\r\nx: ", b"y" * 500, b"y" * 600, b"y" * 9)
    assert written.count(b"HTTP/1.1 431 ") == 1
    assert b'"error":"http.header"' in written


async def test_a_body_does_not_count_as_header() -> None:
    connection = Connection()
    whole = post(b"x" * (10 * LIMIT))
    await connection.feed(whole[:100], whole[100:5000], whole[5000:])
    await connection.feed(post())
    assert [len(body) for body in connection.bodies] == [10 * LIMIT, 2]


async def test_every_request_of_a_connection_has_the_whole_limit() -> None:
    connection = Connection()
    pad = b"x: " + b"y" * (LIMIT * 2 // 3)
    for _ in range(3):
        await connection.feed(post(b"{}", pad))
    assert len(connection.seen) == 3
    assert b" 431 " not in connection.transport.written


async def test_a_pipelined_header_is_bounded_as_well() -> None:
    connection = Connection()
    written = await connection.feed(post() + post(b"{}", b"x: " + b"y" * LIMIT))
    assert b"HTTP/1.1 431 " in written
    assert len(connection.seen) <= 1


# ── trailers ────────────────────────────────────────────────────────────────────────────────────


async def test_a_trailer_is_no_header() -> None:
    connection = Connection()
    whole = chunked(b"{}", trailer=b"authorization: Bearer x\r\nhost: y\r\n")
    await connection.feed(whole)
    cut = whole.index(b"0\r\nauth")
    other = Connection()
    await other.feed(whole[:cut], whole[cut:])
    for seen in (connection.seen[0], other.seen[0]):
        assert [name for name, _ in seen["headers"]] == [b"host", b"transfer-encoding"]


async def test_an_endless_trailer_is_refused() -> None:
    connection = Connection()
    whole = chunked(b"{}", trailer=b"x: " + b"y" * (3 * LIMIT))
    await connection.feed(*(whole[i : i + 500] for i in range(0, len(whole), 500)))
    assert b"HTTP/1.1 431 " in connection.transport.written
    assert connection.transport.closing
    assert connection.bodies == []


async def test_many_small_chunks_are_no_trailer() -> None:
    connection = Connection()
    whole = chunked(*[b"x"] * (3 * LIMIT))
    await connection.feed(*(whole[i : i + 500] for i in range(0, len(whole), 500)))
    assert connection.bodies == [b"x" * (3 * LIMIT)]


# ── idle connections ────────────────────────────────────────────────────────────────────────────


async def test_a_connection_without_a_whole_header_is_closed_in_time() -> None:
    connection = Connection()
    connected = connection.protocol.waiting_since
    await connection.feed(b"POST /mcp HTTP/1.1\r\n")
    connection.protocol.sweep(connected + 75)
    assert not connection.transport.closing
    connection.protocol.sweep(connected + 76)
    assert connection.transport.closing


async def test_a_connection_whose_request_is_answered_is_left_alone() -> None:
    answering = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answering.wait()
        await echo(scope, receive, send)

    connection = Connection(slow)
    await connection.feed(post(b"{}"))
    assert connection.protocol.waiting_since == inf
    connection.protocol.sweep(1e12)
    assert not connection.transport.closing
    answering.set()
    await settle()
    assert connection.protocol.waiting_since < inf
    connection.protocol.sweep(connection.protocol.waiting_since + 76)
    assert connection.transport.closing


async def test_a_peer_that_reads_nothing_is_cut_and_one_that_reads_slowly_is_not() -> None:
    connection = Connection()
    await connection.feed(post(b"{}")[:-1])
    sweep, transport = connection.protocol.sweep, connection.transport
    for now, unread in ((0, 900), (70, 900), (74, 800), (140, 800), (149, 800)):
        transport.unread = unread
        sweep(now)
        assert not transport.aborted, now
    sweep(150)
    assert transport.aborted


async def test_a_body_that_does_not_come_is_not_waited_for_for_ever() -> None:
    connection = Connection()
    await connection.feed(post(b"{}")[:-1])
    begun = asyncio.get_running_loop().time()
    for seconds, closing in ((29, False), (31, True)):
        connection.protocol.sweep(begun + seconds)
        assert connection.transport.closing is closing, seconds
    assert connection.bodies == []


async def test_what_was_read_out_starts_the_wait_anew() -> None:
    connection = Connection()
    await connection.feed(post(b"{}")[:-1])
    for now, unread in ((0, 900), (70, 0), (80, 900), (150, 900)):
        connection.transport.unread = unread
        connection.protocol.sweep(now)
    assert not connection.transport.aborted


# ── several requests ────────────────────────────────────────────────────────────────────────────


async def test_pipelined_requests_are_answered_in_order() -> None:
    connection = Connection()
    written = await connection.feed(post(b"1") + post(b"2") + post(b"3"))
    assert connection.bodies == [b"1", b"2", b"3"]
    assert written.count(b"HTTP/1.1 200 ") == 3
