from __future__ import annotations

import asyncio
from collections.abc import Callable
from math import inf

import pytest

from bawn.errors import (
    UPSTREAM_FIRST_BYTE,
    UPSTREAM_INVALID,
    UPSTREAM_OUTCOME,
    UPSTREAM_TOTAL,
    Reason,
    Refused,
)
from bawn.upstream.connection import Connection, Exchange
from tests.unit.upstream.wires import FakeTransport, connect, turn

REPLY = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
BIG_EVENT = b"20008\r\ndata: " + b"x" * 0x20000 + b"\n\n\r\n"


class FakeOwner:
    def __init__(self) -> None:
        self.released: list[tuple[Connection, float]] = []
        self.gone: list[Connection] = []
        self.lasting = False

    def lasts(self, connection: Connection) -> None:
        self.lasting = True

    def release(self, connection: Connection, idle: float) -> None:
        self.released.append((connection, idle))

    def lost(self, connection: Connection) -> None:
        self.gone.append(connection)


class Bench:
    """A connection with an exchange on it; deadlines at 10 and 20."""

    def __init__(self) -> None:
        self.owner = FakeOwner()
        loop = asyncio.get_running_loop()
        self.connection = Connection(self.owner, loop.create_future())
        self.transport: FakeTransport = connect(self.connection)
        self.exchange = self.start()

    def start(self, body: bytes = b"BODY") -> Exchange:
        loop = asyncio.get_running_loop()
        exchange = Exchange(loop.create_future(), 10.0, 20.0, 1 << 20)
        self.connection.start(exchange, b"HEAD", body)
        return exchange

    async def refusal(self) -> Reason:
        with pytest.raises(Refused) as caught:
            await self.exchange.reply
        await turn()
        assert self.transport.closing
        assert self.owner.gone == [self.connection]
        return caught.value.reason


@pytest.fixture
async def bench() -> Bench:
    return Bench()


async def test_a_small_request_is_one_write(bench: Bench) -> None:
    assert bench.transport.written == [b"HEADBODY"]


async def test_a_large_body_is_not_copied_for_it(bench: Bench) -> None:
    bench.start(b"x" * (1 << 20))
    assert bench.transport.written[1:] == [b"HEAD", b"x" * (1 << 20)]


async def test_a_clean_reply_frees_the_connection_for_the_next(bench: Bench) -> None:
    bench.connection.data_received(REPLY[:30])
    assert bench.owner.released == []
    bench.connection.data_received(REPLY[30:])
    assert bench.owner.released == [(bench.connection, 4.0)]
    assert (await bench.exchange.reply).body == b"{}"
    bench.exchange = bench.start()
    bench.connection.data_received(REPLY.replace(b"Content", b"Keep-Alive: timeout=9\r\nContent"))
    assert bench.owner.released[1:] == [(bench.connection, 8.0)]
    assert bench.connection.alive


async def test_a_reply_with_the_request_still_unsent_is_taken_and_the_rest_given_up(
    bench: Bench,
) -> None:
    bench.transport.unsent = 1
    bench.connection.data_received(REPLY)
    assert (await bench.exchange.reply).status == 200
    assert (bench.owner.released, bench.transport.closing) == ([], True)


@pytest.mark.parametrize("surplus", [b"\r\n", b"x", REPLY])
async def test_surplus_bytes_cost_the_connection_but_not_the_reply(
    bench: Bench, surplus: bytes
) -> None:
    bench.connection.data_received(REPLY + surplus)
    assert (await bench.exchange.reply).body == b"{}"
    assert (bench.owner.released, bench.transport.closing) == ([], True)


async def test_bytes_without_an_exchange_end_the_connection(bench: Bench) -> None:
    bench.connection.data_received(REPLY)
    bench.connection.data_received(REPLY)
    assert bench.transport.closing


async def test_bytes_before_any_request_end_the_connection() -> None:
    connection = Connection(FakeOwner(), asyncio.get_running_loop().create_future())
    transport = connect(connection)
    connection.data_received(REPLY)
    assert (transport.closing, connection.alive) == (True, False)


@pytest.mark.parametrize(
    ("happen", "reason"),
    [
        (lambda c: c.data_received(b"nonsense\r\n\r\n"), UPSTREAM_INVALID),
        (lambda c: c.eof_received(), UPSTREAM_OUTCOME),
        (lambda c: c.transport.abort(), UPSTREAM_OUTCOME),
        (lambda c: c.enforce(10.0), UPSTREAM_FIRST_BYTE),
        (lambda c: c.enforce(20.0), UPSTREAM_TOTAL),
    ],
)  # fmt: skip
async def test_whatever_breaks_an_exchange_ends_the_connection(
    bench: Bench, happen: Callable[[Connection], None], reason: Reason
) -> None:
    happen(bench.connection)
    assert await bench.refusal() is reason


async def test_deadlines_strike_when_they_are_due_and_not_before(bench: Bench) -> None:
    bench.connection.enforce(9.9)
    bench.connection.data_received(REPLY[:-2])
    bench.connection.enforce(19.9)
    assert not bench.exchange.reply.done()
    bench.connection.enforce(20.0)
    assert await bench.refusal() is UPSTREAM_TOTAL


async def test_part_of_a_header_section_is_not_a_beginning(bench: Bench) -> None:
    bench.connection.data_received(REPLY[:20])
    bench.connection.enforce(10.0)
    assert await bench.refusal() is UPSTREAM_FIRST_BYTE


async def test_an_idle_connection_ends_when_its_time_is_over(bench: Bench) -> None:
    bench.connection.data_received(REPLY)
    bench.connection.idle_until = 5.0
    bench.connection.enforce(4.9)
    assert bench.connection.alive
    bench.connection.enforce(5.0)
    assert not bench.connection.alive


async def test_a_stream_is_handed_over_at_its_header_and_the_connection_kept(bench: Bench) -> None:
    bench.connection.data_received(STREAM)
    reply = await bench.exchange.reply
    assert reply.events is not None
    bench.connection.data_received(b"9\r\ndata: 1\n\n\r\n0\r\n\r\n")
    assert bench.owner.released == [(bench.connection, 4.0)]
    assert [data async for data in reply.events] == [b"1"]


async def test_a_failure_ends_the_stream_with_it(bench: Bench) -> None:
    bench.connection.data_received(STREAM)
    reply = await bench.exchange.reply
    assert reply.events is not None
    bench.connection.enforce(20.0)
    with pytest.raises(Refused) as caught:
        await anext(reply.events)
    assert caught.value.reason is UPSTREAM_TOTAL


async def test_a_slow_reader_holds_the_wire_back(bench: Bench) -> None:
    bench.connection.data_received(STREAM + BIG_EVENT)
    assert not bench.transport.reading
    reply = await bench.exchange.reply
    assert reply.events is not None
    await anext(reply.events)
    assert bench.transport.reading


async def test_a_connection_is_never_handed_on_while_it_is_held_back(bench: Bench) -> None:
    bench.connection.data_received(STREAM + BIG_EVENT + b"0\r\n\r\n")
    assert bench.owner.released == [(bench.connection, 4.0)]
    assert bench.transport.reading
    reply = await bench.exchange.reply
    bench.start()
    assert reply.events is not None
    assert [len(data) async for data in reply.events] == [0x20000]
    assert bench.transport.reading


async def test_a_reply_that_nobody_waits_for_any_more_disturbs_nothing(bench: Bench) -> None:
    bench.exchange.reply.cancel()
    bench.connection.data_received(REPLY)
    assert bench.owner.released == [(bench.connection, 4.0)]


@pytest.mark.parametrize("total", [20.0, inf])
async def test_a_stream_without_a_deadline_is_told_to_the_owner(total: float) -> None:
    bench = Bench()
    bench.exchange.total = total
    bench.connection.data_received(STREAM)
    assert bench.owner.lasting is (total == inf)
