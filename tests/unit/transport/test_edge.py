from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest

from bawn.config import Limits
from bawn.model import Peer
from bawn.transport import edge as edges
from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.proxies import Proxies
from tests.fakes import FakeMeter
from tests.unit.transport.edges import (
    LIMIT,
    Connection,
    chunked,
    echo,
    edge,
    limits,
    post,
    settle,
)
from tests.unit.transport.house import House

LOCAL = Peer("unix", 1000)


async def test_a_request_reaches_the_application_with_its_peer() -> None:
    connection = Connection(of=edge(LOCAL))
    assert (await connection.feed(post())).endswith(b"ok")
    (scope,) = connection.seen
    assert scope["state"]["peer"] == LOCAL
    assert scope["state"]["app"] == 1
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
    assert connection.is_over()
    assert connection.seen == []


async def test_what_is_no_http_is_answered_once() -> None:
    connection = Connection()
    written = await connection.feed(b"\x16\x03\x01 hello", b"more")
    assert written.count(b"HTTP/1.1 400 ") == 1
    assert connection.is_over()


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


async def test_a_refused_caller_can_read_why_while_it_is_still_sending() -> None:
    connection = Connection()
    written = await connection.feed(post(path=b"*"), b"x" * 100_000)
    assert written.startswith(b"HTTP/1.1 400 ")
    assert connection.transport.ended
    assert not connection.transport.closing
    now = asyncio.get_running_loop().time()
    connection.protocol.sweep(now + edges.LINGER - 1)
    assert not connection.transport.aborted
    connection.protocol.sweep(now + edges.LINGER + 1)
    assert connection.transport.aborted


async def test_a_refused_caller_who_sends_on_and_on_is_cut() -> None:
    connection = Connection(of=edge(limits=limits(body=10_000)))
    await connection.feed(post(path=b"*"), b"x" * 10_000)
    cut_early = connection.transport.aborted
    await connection.feed(b"x")
    assert (cut_early, connection.transport.aborted) == (False, True)


# ── the header's bound ──────────────────────────────────────────────────────────────────────────


async def test_a_header_at_the_limit_passes_and_one_beyond_does_not() -> None:
    bare = post(b"", b"x: ")
    fits = LIMIT - len(bare)
    for pad, passes in ((fits, True), (fits + 1, False)):
        connection = Connection()
        written = await connection.feed(post(b"", b"x: " + b"y" * pad))
        assert written.startswith(b"HTTP/1.1 200 " if passes else b"HTTP/1.1 431 ")
        assert bool(connection.seen) is passes
        assert connection.is_over() is not passes


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


@pytest.mark.parametrize("trailer", [b"x: y\r\n", b"authorization: Bearer x\r\nhost: y\r\n"])
async def test_a_trailer_is_refused(trailer: bytes) -> None:
    whole = chunked(b"{}", trailer=trailer)
    cut = whole.index(trailer)
    for pieces in ((whole,), (whole[:cut], whole[cut:])):
        connection = Connection()
        written = await connection.feed(*pieces)
        assert written.startswith(b"HTTP/1.1 400 ")
        assert b'"error":"http.framing"' in written
        assert connection.bodies == []


async def test_many_small_chunks_are_no_trailer() -> None:
    connection = Connection()
    whole = chunked(*[b"x"] * (3 * LIMIT))
    await connection.feed(*(whole[i : i + 500] for i in range(0, len(whole), 500)))
    assert connection.bodies == [b"x" * (3 * LIMIT)]


# ── what takes too long ─────────────────────────────────────────────────────────────────────────


def now() -> float:
    """The loop's time."""
    return asyncio.get_running_loop().time()


async def test_a_connection_that_sends_nothing_is_closed_in_the_time_of_a_header() -> None:
    connection = Connection()
    connection.protocol.sweep(now() + 9)
    assert not connection.is_over()
    connection.protocol.sweep(now() + 11)
    assert connection.is_over()
    assert connection.transport.written == b""


async def test_a_header_that_does_not_come_to_an_end_is_refused_in_time() -> None:
    connection = Connection()
    begun = now()
    for _ in range(3):  # a byte now and then gains nothing
        await connection.feed(b"P")
        connection.protocol.sweep(begun + 9)
        assert not connection.is_over()
    connection.protocol.sweep(begun + 11)
    assert connection.transport.written.startswith(b"HTTP/1.1 408 ")
    assert connection.is_over()


async def test_between_requests_a_connection_may_rest_longer() -> None:
    connection = Connection(of=edge(limits=limits(idle=20)))
    await connection.feed(post())
    connection.protocol.sweep(now() + 19)
    assert not connection.is_over()
    await connection.feed(b"POST")
    connection.protocol.sweep(now() + 11)
    assert connection.transport.written.count(b"HTTP/1.1 408 ") == 1
    other = Connection(of=edge(limits=limits(idle=20)))
    await other.feed(post())
    other.protocol.sweep(now() + 21)
    assert other.transport.closing


async def test_a_connection_whose_request_is_answered_is_left_alone() -> None:
    answering = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answering.wait()
        await echo(scope, receive, send)

    connection = Connection(slow)
    await connection.feed(post(b"{}"))
    connection.protocol.sweep(1e12)
    assert not connection.is_over()
    answering.set()
    await settle()
    connection.protocol.sweep(now() + 76)
    assert connection.transport.closing


async def test_a_peer_that_reads_nothing_is_cut_and_one_that_reads_slowly_is_not() -> None:
    connection = Connection()
    await connection.feed(post(b"{}"))
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
    connection.protocol.sweep(now() + 29)
    assert not connection.is_over()
    connection.protocol.sweep(now() + 31)
    await settle()
    assert connection.transport.written.startswith(b"HTTP/1.1 408 ")
    assert connection.is_over()
    assert connection.bodies == []
    assert not connection.state.tasks


async def test_what_was_read_out_starts_the_wait_anew() -> None:
    connection = Connection()
    await connection.feed(post(b"{}"))
    begun = now()
    for later, unread in ((0, 900), (70, 0), (71, 900), (72, 900)):
        connection.transport.unread = unread
        connection.protocol.sweep(begun + later)
    assert not connection.transport.aborted


# ── several requests ────────────────────────────────────────────────────────────────────────────


async def test_pipelined_requests_are_answered_in_order() -> None:
    connection = Connection()
    written = await connection.feed(post(b"1") + post(b"2") + post(b"3"))
    assert connection.bodies == [b"1", b"2", b"3"]
    assert written.count(b"HTTP/1.1 200 ") == 3


async def test_a_pipelined_request_waits_until_the_one_before_is_answered() -> None:
    answering = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answering.wait()
        await echo(scope, receive, send)

    connection = Connection(slow)
    await connection.feed(post(b"1") + post(b"2"))
    assert connection.bodies == [b"1"]
    assert not connection.transport.reading  # so that no more than one read lies here
    answering.set()
    await settle()
    assert connection.bodies == [b"1", b"2"]
    assert connection.transport.reading


async def test_nothing_behind_a_last_request_is_looked_at() -> None:
    connection = Connection()
    written = await connection.feed(post(b"1", b"connection: close") + post(b"2"))
    assert connection.bodies == [b"1"]
    assert written.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in written
    assert connection.is_over()


async def test_an_answer_before_the_end_of_a_small_body_keeps_the_connection() -> None:
    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)

    connection = Connection()
    connection._called = deaf  # type: ignore[method-assign]
    connection.protocol._app = deaf
    whole = post(b"x" * 100)
    written = await connection.feed(whole[:-50])
    assert written.endswith(b"ok")
    written = await connection.feed(whole[-50:] + post())
    assert written.count(b"HTTP/1.1 200 ") == 2
    assert not connection.is_over()


@pytest.mark.parametrize(
    "whole", [post(b"x" * 200_000), chunked(b"x" * 100, b"y" * 100), post(b"xy", b"expect: 100-continue")]
)  # fmt: skip
async def test_an_answer_before_the_end_of_any_other_body_ends_the_connection(
    whole: bytes,
) -> None:
    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        await echo(scope, receive, send)

    connection = Connection()
    connection.protocol._app = deaf
    cut = whole.index(b"\r\n\r\n") + 4
    written = await connection.feed(whole[:cut])
    assert b"connection: close\r\n" in written
    assert connection.transport.ended
    await connection.feed(whole[cut:] + post())
    assert connection.transport.written == written


async def test_a_caller_who_waits_is_told_to_go_on_when_somebody_wants_the_body() -> None:
    connection = Connection()
    whole = post(b"{}", b"expect: 100-Continue")
    written = await connection.feed(whole[:-2], b"{}")
    assert written.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 ")
    assert connection.bodies == [b"{}"]
    stranger = House().post(headers={b"expect": b"100-continue", b"authorization": None})
    await stranger.connection.feed(stranger.bytes[:-2])
    assert stranger.written.startswith(b"HTTP/1.1 401 ")


async def test_http_1_0_is_answered_once_and_without_chunks() -> None:
    async def streaming(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for more in (True, False):
            await send({"type": "http.response.body", "body": b"part", "more_body": more})

    connection = Connection(streaming)
    written = await connection.feed(post().replace(b"HTTP/1.1", b"HTTP/1.0") + post())
    assert written == b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\npartpart"
    assert connection.is_over()
    assert connection.seen[0]["http_version"] == "1.0"


# ── how many ────────────────────────────────────────────────────────────────────────────────────


async def test_a_connection_too_many_is_refused_at_once_and_counted() -> None:
    meter = FakeMeter()
    of = edge(limits=limits(clients=2), meter=meter)
    first, second, third = (Connection(of=of) for _ in range(3))
    assert third.transport.written.startswith(b"HTTP/1.1 503 ")
    assert third.transport.closing
    assert meter.refusals == ["http.crowded"]
    assert await third.feed(post()) == third.transport.written
    assert third.seen == []
    first.protocol.connection_lost(None)
    third.protocol.connection_lost(None)
    assert (await Connection(of=of).feed(post())).endswith(b"ok")
    assert (await second.feed(post())).endswith(b"ok")


@pytest.mark.parametrize(("peer", "most"), [(Peer("192.0.2.1"), 1), (LOCAL, 3), (Peer(""), 3)])
async def test_one_address_has_its_share_and_local_peers_have_no_address(
    peer: Peer, most: int
) -> None:
    of = edge(peer, limits=limits(clients_per_address=1))
    connections = [Connection(of=of) for _ in range(3)]
    assert sum(not connection.transport.closing for connection in connections) == most


async def test_a_peer_that_is_gone_before_it_is_known_is_dropped() -> None:
    def gone(_: Any) -> Peer:
        raise OSError

    connection = Connection(of=edges.edge_with(Limits(), gone))
    assert connection.transport.aborted
    connection.protocol.connection_lost(None)


# ── reverse proxies ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ([], "192.0.2.1"),
        ([b"x-forwarded-for: 203.0.113.9"], "203.0.113.9"),
        ([b"x-forwarded-for: 10.0.0.1, 203.0.113.9"], "203.0.113.9"),
        ([b"x-forwarded-for: 10.0.0.1", b"x-forwarded-for: 203.0.113.9"], "203.0.113.9"),
        ([b"x-forwarded-for: 203.0.113.9, 192.0.2.1"], "203.0.113.9"),
        ([b"x-forwarded-for: unknown"], "192.0.2.1"),
        ([b"forwarded: for=203.0.113.9", b"x-real-ip: 203.0.113.9"], "192.0.2.1"),
    ],
)
async def test_a_trusted_proxy_names_the_caller(forwarded: list[bytes], address: str) -> None:
    of = edge(proxies=Proxies(["192.0.2.0/24"]))
    connection = Connection(of=of)
    await connection.feed(post(b"{}", *forwarded))
    assert connection.seen[0]["state"]["peer"] == Peer(address)
    assert connection.seen[0]["client"][0] == address


async def test_nobody_else_names_a_caller() -> None:
    for of in (edge(), edge(proxies=Proxies(["198.51.100.1"])), edge(LOCAL, proxies=Proxies(["0.0.0.0/0"]))):  # fmt: skip
        connection = Connection(of=of)
        await connection.feed(post(b"{}", b"x-forwarded-for: 203.0.113.9"))
        assert connection.seen[0]["state"]["peer"].address in ("192.0.2.1", "unix")


async def test_behind_a_proxy_an_addresss_share_is_of_requests_in_flight() -> None:
    answering = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answering.wait()
        await echo(scope, receive, send)

    of = edge(limits=limits(clients_per_address=1), proxies=Proxies(["192.0.2.1"]))
    his, hers, again = (Connection(slow, of=of) for _ in range(3))
    await his.feed(post(b"{}", b"x-forwarded-for: 203.0.113.1"))
    await hers.feed(post(b"{}", b"x-forwarded-for: 203.0.113.2"))
    assert b" 503 " in await again.feed(post(b"{}", b"x-forwarded-for: 203.0.113.1"))
    answering.set()
    await settle()
    assert his.transport.written.endswith(b"ok")
    later = Connection(slow, of=of)
    assert (await later.feed(post(b"{}", b"x-forwarded-for: 203.0.113.1"))).endswith(b"ok")
    assert hers.bodies == [b"{}"]


# ── the end of the process ──────────────────────────────────────────────────────────────────────


async def test_a_shutdown_ends_what_rests_and_waits_for_what_is_answered() -> None:
    answering = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        await answering.wait()
        await echo(scope, receive, send)

    resting, busy = Connection(), Connection(slow)
    await busy.feed(post())
    for connection in (resting, busy):
        connection.protocol.shutdown()
    assert resting.transport.closing
    assert not busy.is_over()
    assert len(busy.state.tasks) == len(busy.state.connections) == 1
    answering.set()
    await settle()
    assert b"connection: close" in busy.transport.written
    assert busy.transport.closing
    busy.protocol.connection_lost(None)
    assert not busy.state.tasks
    assert not busy.state.connections


# ── what a request costs ────────────────────────────────────────────────────────────────────────


async def test_a_thousand_calls_leave_nothing_for_the_collector() -> None:
    house = House()
    exchange = house.post()
    await exchange.run()
    exchange.connection.transport.written = b""
    gc.collect()
    gc.disable()
    try:
        for _ in range(1000):
            exchange.connection.protocol.data_received(exchange.bytes)
            await asyncio.sleep(0)
            assert exchange.written.startswith(b"HTTP/1.1 200 ")
            exchange.connection.transport.written = b""
            house.gate.arrived.clear()
        assert gc.collect() < 100  # what else the process leaves meanwhile is no thousand
    finally:
        gc.enable()
