"""One pool, several callers, and a server that does its worst: nobody gets another's, or loses by it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from time import perf_counter

import pytest

from bawn.budget import Budget
from bawn.errors import Refused
from bawn.ports import HttpClient
from bawn.upstream.http import Remote
from bawn.upstream.http1 import PooledClient
from bawn.upstream.reference import ReferenceClient
from tests.attacks.mcp_peer import Server, asked, poison, remote, said
from tests.contracts.exchanges import JSON, STREAM, ask, chunk, close, sized
from tests.contracts.scripted import Peer, serve

CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
BIG = b"x" * 100_000


async def test_a_thousand_interleavings_of_two_principals_never_cross() -> None:
    """Late answers, double answers, surplus, breaks: each caller gets its own words or a refusal."""
    dice = random.Random(7)
    late: list[tuple[Peer, bytes]] = []

    async def worst(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            own = sized(body)
            for other, answer in late:  # what was kept from callers who left comes now
                other.send(answer)
            late.clear()
            match dice.randrange(8):
                case 0:
                    peer.send(own, sized(b"poison"))
                case 1:
                    late.append((peer, own))
                case 2:
                    peer.send(own[:-1])
                    peer.reset()
                case 3:
                    peer.send(own[:30])
                    await asyncio.sleep(0)
                    peer.send(own[30:], b"HTTP/1.1 ")
                case 4:
                    peer.send(CHUNKED, chunk(body), b"0\r\n\r\n\r\n")
                case 5:
                    peer.send(sized(body, b"HTTP/1.0 200 OK\r\n"), own)
                case _:
                    peer.send(own)

    client = PooledClient(2, 5.0)
    served = 0

    async def principal(name: bytes, url: str) -> None:
        nonlocal served
        for n in range(500):
            own = b"%b %d" % (name, n)
            call = asyncio.create_task(client.send(ask(url, own)))
            done, _ = await asyncio.wait({call}, timeout=0.02 if n % 3 else 0.2)
            if not done:
                call.cancel()
            try:
                assert (await call).body == own
                served += 1
            except (Refused, asyncio.CancelledError):
                pass

    async with serve(worst) as server:
        await asyncio.gather(principal(b"alice", server.url), principal(b"bob", server.url))
        await client.aclose()
    assert served > 400


@pytest.mark.parametrize("when", ["with the answer", "while idle"])
async def test_an_answer_that_comes_before_its_request_reaches_nobody(when: str) -> None:
    """The ids of calls can be guessed: what fits the next one must not be taken for its answer."""
    client, answered = PooledClient(1, 5.0), asyncio.Event()

    async def attack(peer: Peer, id_: int) -> None:
        good = sized(said(id_, "good"))
        if when == "with the answer":
            peer.send(good, poison(id_))
            return
        peer.send(good)
        await answered.wait()
        peer.send(poison(id_))
        await peer.gone()

    server = Server(attack)
    async with serve(server) as listening:
        upstream = remote(client, listening.url)
        assert await asked(upstream, "attack") == "good"
        answered.set()
        if when == "while idle":
            while server.attacked and client_is_connected(client):
                await asyncio.sleep(0)
        assert await asked(upstream, "own", "bob") == "own"
        await client.aclose()


def client_is_connected(client: PooledClient) -> bool:
    """Whether a connection is idle in the pool."""
    return any(pool._idle for pool in client._pools.values())


# ── bytes held ────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(params=["native", "reference"])
async def budgeted(request: pytest.FixtureRequest) -> AsyncIterator[tuple[HttpClient, Budget]]:
    budget = Budget(400_000)
    client: HttpClient = (
        PooledClient(64, 5.0, None, budget)
        if request.param == "native"
        else ReferenceClient(64, 5.0, budget=budget)
    )
    yield client, budget
    await client.aclose()


async def test_after_any_storm_nothing_is_held(budgeted: tuple[HttpClient, Budget]) -> None:
    client, budget = budgeted
    dice = random.Random(11)
    worst = 0

    async def storm(peer: Peer) -> None:
        while True:
            await peer.request()
            event = chunk(b"data: " + BIG + b"\n\n")
            cut = dice.randrange(1, len(event))
            match dice.randrange(7):
                case 0:
                    peer.send(sized(BIG))
                case 1:
                    peer.send(sized(BIG)[:cut])
                    peer.reset()
                case 2:
                    peer.send(CHUNKED, chunk(BIG), b"0\r\n\r\n")
                case 3:
                    peer.send(STREAM, event * 3, b"0\r\n\r\n")
                case 4:
                    peer.send(STREAM, event[:cut])
                case 5:
                    peer.send(sized(BIG)[:cut])
                case _:
                    peer.send(CHUNKED, chunk(BIG), b"nonsense\r\n")

    async def caller(url: str, seed: int) -> None:
        nonlocal worst
        own = random.Random(seed)
        for _ in range(6):
            short = ask(url, total=0.3, limit=150_000)
            call = asyncio.create_task(client.send(short))
            if own.random() < 0.3:
                await asyncio.wait({call}, timeout=own.random() / 50)
                call.cancel()
            try:
                reply = await call
                worst = max(worst, budget.held)
                if reply.events is not None:
                    async for _ in reply.events:
                        if own.random() < 0.3:
                            break
                    await close(reply)
                if reply.release is not None:
                    reply.release()
            except (Refused, asyncio.CancelledError):
                pass

    async with serve(storm) as server:
        await asyncio.gather(*(caller(server.url, seed) for seed in range(24)))
        for _ in range(5):
            await asyncio.sleep(0)  # those who were cancelled in the line leave it in their turn
        assert budget.held == 0
    assert 0 < worst <= budget.most // 2


async def test_large_results_wait_their_turn_and_small_ones_do_not(
    budgeted: tuple[HttpClient, Budget],
) -> None:
    client, budget = budgeted

    async def large(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            peer.send(sized(BIG if body == b"large" else b"small"))

    async with serve(large) as server:
        first, second = [await client.send(ask(server.url, b"large")) for _ in range(2)]
        third = asyncio.create_task(client.send(ask(server.url, b"large")))
        assert (await client.send(ask(server.url, b"small"))).body == b"small"
        assert budget.held == 200_000
        assert not third.done()
        assert first.release is not None
        first.release()
        first.release()
        reply = await third
        assert reply.body == BIG
        for left in (second, reply):
            assert left.release is not None
            left.release()
        assert budget.held == 0


async def test_whoever_waits_for_room_still_has_a_deadline(
    budgeted: tuple[HttpClient, Budget],
) -> None:
    client, budget = budgeted
    budget.take(400_000)

    async def large(peer: Peer) -> None:
        await peer.request()
        peer.send(sized(BIG))
        await peer.gone()

    async with serve(large) as server:
        with pytest.raises(Refused, match=r"upstream\.total"):
            await client.send(ask(server.url, total=0.2))
        budget.give(400_000)
        assert budget.held == 0
        reply = await client.send(ask(server.url, total=5.0))
        assert reply.release is not None
        reply.release()
    assert budget.held == 0


async def test_a_server_with_much_leaves_half_to_the_others() -> None:
    budget = Budget(400_000)
    greedy, other = PooledClient(8, 5.0, None, budget), PooledClient(8, 5.0, None, budget)

    async def large(peer: Peer) -> None:
        await peer.request()
        peer.send(sized(BIG))
        await peer.gone()

    async with serve(large) as server:
        calls = [asyncio.create_task(greedy.send(ask(server.url))) for _ in range(8)]
        await asyncio.wait(calls, return_when=asyncio.FIRST_COMPLETED)
        assert (await other.send(ask(server.url))).body == BIG
        await greedy.aclose()
        await asyncio.gather(*calls, return_exceptions=True)
        await other.aclose()


# ── the others' time ──────────────────────────────────────────────────────────────────────────────


async def test_two_hundred_calls_that_hang_at_one_server_cost_the_others_nothing() -> None:
    hanging = 0

    async def hang(peer: Peer) -> None:
        nonlocal hanging
        await peer.request()
        hanging += 1
        await peer.gone()

    async with serve(Server(nobody)) as good, serve(hang) as slow:
        mine, theirs = PooledClient(8, 60.0), PooledClient(256, 60.0)
        upstream = remote(mine, good.url)
        await asked(upstream, "warm")
        free: list[float] = []
        loaded: list[float] = []
        for _ in range(4):  # by turns, since nothing else on this machine holds still
            free += await times(upstream)
            calls = [asyncio.create_task(theirs.send(ask(slow.url))) for _ in range(200)]
            while hanging < 200:
                await asyncio.sleep(0)
            loaded += await times(upstream)
            for call in calls:
                call.cancel()
            await asyncio.wait(calls)
            hanging = 0
        await theirs.aclose()
        await mine.aclose()
    assert quantile(loaded, 0.5) < 1.5 * quantile(free, 0.5) + 0.001
    # beyond what a loaded machine takes from a process at a time
    assert quantile(loaded, 0.99) < 1.5 * quantile(free, 0.99) + 0.100


async def nobody(peer: Peer, id_: int) -> None:
    """No call is attacked here."""


async def times(upstream: Remote) -> list[float]:
    """Seconds of a hundred calls, one after the other."""
    found = []
    for n in range(100):
        began = perf_counter()
        assert await asked(upstream, str(n)) == str(n)
        found.append(perf_counter() - began)
    return found


def quantile(values: list[float], share: float) -> float:
    return sorted(values)[int(share * (len(values) - 1))]
