from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable

import pytest

from bawn.errors import UPSTREAM_OUTCOME, UPSTREAM_UNREACHABLE, Reason, Refused
from bawn.upstream.connection import Connection, Exchange
from bawn.upstream.origin import Origin
from bawn.upstream.pool import Pool
from tests.unit.upstream.wires import connect, turn

LATER = 1e9


class FakePool(Pool):
    """Opens connections without sockets, when the test lets it."""

    def __init__(self, most: int) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        super().__init__(Origin(False, "a", 80), most, 1000.0, context, self.watched)
        self.opened: list[Connection] = []
        self.may_open = asyncio.Event()
        self.may_open.set()
        self.failure: Exception | None = None
        self.after: Callable[[Connection], None] = lambda connection: None
        self.watches = 0

    def watched(self) -> None:
        self.watches += 1

    async def _connect(self, connection: Connection) -> None:
        await self.may_open.wait()
        if self.failure is not None:
            raise self.failure
        connect(connection)
        self.opened.append(connection)
        self.after(connection)

    def get(self, deadline: float = LATER) -> asyncio.Task[Connection]:
        return asyncio.ensure_future(self.acquire(deadline))


@pytest.fixture
async def pool() -> AsyncIterator[FakePool]:
    pool = FakePool(2)
    yield pool
    pool.close()
    await turn()
    assert not pool._all


async def reason(task: asyncio.Task[Connection]) -> Reason:
    with pytest.raises(Refused) as caught:
        await task
    return caught.value.reason


async def test_the_connection_used_last_is_used_next(pool: FakePool) -> None:
    first, second = await pool.acquire(LATER), await pool.acquire(LATER)
    pool.release(first, 4.0)
    pool.release(second, 4.0)
    assert pool.take(pool.loop.time()) is second
    assert await pool.acquire(LATER) is first
    assert pool.opened == [first, second]
    assert pool.watches == 2


async def test_what_has_rested_too_long_or_is_closing_is_not_used(pool: FakePool) -> None:
    first, second = await pool.acquire(LATER), await pool.acquire(LATER)
    pool.release(first, 4.0)
    pool.release(second, 4.0)
    second.discard()
    assert pool.take(pool.loop.time() + 4.0) is None
    assert not first.alive


@pytest.mark.parametrize("idle", [0.0, -1.0])
async def test_a_connection_that_may_not_rest_is_closed(pool: FakePool, idle: float) -> None:
    connection = await pool.acquire(LATER)
    pool.release(connection, idle)
    assert (connection.alive, pool.take(0.0)) == (False, None)


async def test_at_the_cap_all_wait_in_line(pool: FakePool) -> None:
    first, second = await pool.acquire(LATER), await pool.acquire(LATER)
    waiting = [pool.get() for _ in range(3)]
    await turn()
    pool.release(second, 4.0)
    pool.release(first, 4.0)
    assert [await waiting[0], await waiting[1]] == [second, first]
    assert not waiting[2].done()
    second.discard()
    third = await waiting[2]
    assert third not in (first, second)


async def test_one_who_waits_no_more_is_passed_over(pool: FakePool) -> None:
    first, _ = await pool.acquire(LATER), await pool.acquire(LATER)
    impatient, patient = pool.get(), pool.get()
    await turn()
    impatient.cancel()
    await turn()
    pool.release(first, 4.0)
    assert await patient is first


@pytest.mark.parametrize("how", ["connection", "place"])
async def test_what_is_granted_to_one_who_has_just_left_goes_to_the_next(
    pool: FakePool, how: str
) -> None:
    first, second = await pool.acquire(LATER), await pool.acquire(LATER)
    leaving, next_ = pool.get(), pool.get()
    await turn()
    if how == "connection":
        pool.release(first, 4.0)
    else:
        pool.lost(first)
    leaving.cancel()
    got = await next_
    assert (got is first) == (how == "connection")
    assert leaving.cancelled()
    pool.release(second, 4.0)
    assert await pool.acquire(LATER) is second


async def test_a_connection_that_ends_on_its_way_to_a_waiter_is_replaced(pool: FakePool) -> None:
    first, _ = await pool.acquire(LATER), await pool.acquire(LATER)
    waiting = pool.get()
    await turn()
    pool.release(first, 4.0)
    first.data_received(b"surplus")
    got = await waiting
    assert got.alive
    assert got is pool.opened[2]


async def test_waiting_ends_with_the_deadline(pool: FakePool) -> None:
    await pool.acquire(LATER)
    await pool.acquire(LATER)
    now = pool.loop.time()
    waiting, longer = pool.get(now + 10), pool.get(now + 20)
    await turn()
    assert pool.sweep(now + 9)
    assert not waiting.done()
    pool.sweep(now + 10)
    assert await reason(waiting) is UPSTREAM_UNREACHABLE
    assert not longer.done()
    longer.cancel()


@pytest.mark.parametrize(
    "failure",
    [ConnectionRefusedError("no"), ssl.SSLError("bad"), TimeoutError(), UnicodeError("x")],
)
async def test_a_failure_to_connect_frees_its_place(pool: FakePool, failure: Exception) -> None:
    pool.failure = failure
    for _ in range(5):
        assert await reason(pool.get()) is UPSTREAM_UNREACHABLE
    pool.failure = None
    await pool.acquire(LATER)
    await pool.acquire(LATER)


async def test_connecting_ends_with_the_deadline_or_the_caller(pool: FakePool) -> None:
    pool.may_open.clear()
    late = pool.get(pool.loop.time())
    assert await reason(late) is UPSTREAM_UNREACHABLE
    cancelled = pool.get()
    await turn()
    cancelled.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    pool.may_open.set()
    await pool.acquire(LATER)
    await pool.acquire(LATER)


@pytest.mark.parametrize(
    "after",
    [
        Connection.discard,
        Connection.eof_received,
        lambda connection: connection.data_received(b"HTTP/1.1 200 OK\r\n\r\npoison"),
    ],
)
async def test_a_connection_that_ends_at_once_is_not_handed_out(
    pool: FakePool, after: Callable[[Connection], None]
) -> None:
    pool.after = after
    for _ in range(3):
        assert await reason(pool.get()) is UPSTREAM_UNREACHABLE
        await turn()


async def test_sweeping_tells_when_nothing_is_left(pool: FakePool) -> None:
    assert not pool.sweep(0.0)
    connection = await pool.acquire(LATER)
    assert pool.sweep(0.0)
    pool.release(connection, 4.0)
    assert pool.sweep(pool.loop.time() + 4.0)
    await turn()
    assert not pool.sweep(0.0)


async def test_closing_ends_everything_and_everyone_is_told(pool: FakePool) -> None:
    busy, idle = await pool.acquire(LATER), await pool.acquire(LATER)
    waiting = pool.get()
    await turn()
    pool.release(idle, 4.0)
    assert await waiting is idle
    pool.release(idle, 4.0)
    exchange = Exchange(pool.loop.create_future(), LATER, LATER, 10)
    busy.start(exchange, b"", b"")
    gone = pool.close()
    await asyncio.wait(gone)
    assert not (busy.alive)
    assert not (idle.alive)
    with pytest.raises(Refused) as caught:
        await exchange.reply
    assert caught.value.reason is UPSTREAM_OUTCOME
    assert await reason(pool.get()) is UPSTREAM_UNREACHABLE


async def test_closing_reaches_those_who_wait_or_connect(pool: FakePool) -> None:
    await pool.acquire(LATER)
    pool.may_open.clear()
    connecting, waiting = pool.get(), pool.get()
    await turn()
    pool.close()
    pool.may_open.set()
    assert await reason(waiting) is UPSTREAM_UNREACHABLE
    assert await reason(connecting) is UPSTREAM_UNREACHABLE
    await turn()


async def test_what_lasts_takes_nobodys_place(pool: FakePool) -> None:
    lasting, other = await pool.acquire(LATER), await pool.acquire(LATER)
    waiting = pool.get()
    await turn()
    pool.lasts(lasting)
    third = await waiting
    assert third not in (lasting, other)
    assert pool._taken == 2
    pool.release(lasting, 4.0)  # its stream has ended, and no place is free
    assert not lasting.alive
    await turn()
    assert pool._taken == 2
    pool.release(other, 4.0)
    assert await pool.acquire(LATER) is other


async def test_what_lasted_is_used_again_where_there_is_room(pool: FakePool) -> None:
    lasting = await pool.acquire(LATER)
    pool.lasts(lasting)
    assert pool._taken == 0
    pool.release(lasting, 4.0)
    assert pool._taken == 1
    assert await pool.acquire(LATER) is lasting
    lasting.discard()
    await turn()
    assert pool._taken == 0
