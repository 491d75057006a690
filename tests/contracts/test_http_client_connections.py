"""How both HTTP clients reach servers, and when a connection may serve again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from bawn import errors
from bawn.errors import Refused
from bawn.ports import HttpClient, HttpReply
from bawn.upstream.reference import ReferenceClient
from tests.contracts.exchanges import (
    JSON,
    SOON,
    STREAM,
    Make,
    always,
    ask,
    chunk,
    echo,
    refusal,
    sized,
)
from tests.contracts.scripted import Authority, Peer, serve

# ── how they are reached ──


async def test_unix_sockets(make: Make, tmp_path: Path) -> None:
    async with serve(echo, socket=tmp_path / "a runner.sock") as server:
        assert (await make().send(ask(server.url, b"[1]"))).body == b"[1]"
    assert await refusal(make(), ask(server.url)) is errors.UPSTREAM_UNREACHABLE


async def test_tls_with_a_known_authority(make: Make, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "ours")
    async with serve(echo, tls=authority.server_context("127.0.0.1")) as server:
        client = make(ca=authority.file)
        for n in range(3):
            reply = await client.send(ask(server.url, b"x" * 200_000 * n))
            assert reply.body == b"x" * 200_000 * n


@pytest.mark.parametrize("flaw", ["authority", "name"])
async def test_tls_that_proves_nothing_is_unreachable(
    make: Make, tmp_path: Path, flaw: str
) -> None:
    ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
    issuer = theirs if flaw == "authority" else ours
    address = "127.0.0.2" if flaw == "name" else "127.0.0.1"
    async with serve(echo, tls=issuer.server_context(address)) as server:
        client = make(connections=1, ca=ours.file)
        for _ in range(3):
            assert await refusal(client, ask(server.url)) is errors.UPSTREAM_UNREACHABLE


async def test_a_connection_that_takes_too_long_is_given_up(make: Make, tmp_path: Path) -> None:
    """TLS that is never answered is a connection that never stands."""
    ca = Authority(tmp_path, "ours").file

    async def script(peer: Peer) -> None:
        await peer.gone()

    async with serve(script) as server:
        client = make(connections=1, connect=SOON, ca=ca)
        url = server.url.replace("http:", "https:")
        for _ in range(2):
            assert await refusal(client, ask(url)) is errors.UPSTREAM_UNREACHABLE


async def test_the_reference_goes_through_a_proxy() -> None:
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append((await peer.request())[0])
        peer.send(sized(b"{}"))

    async with serve(script) as proxy:
        client = ReferenceClient(1, 5.0, proxy=proxy.url.removesuffix("/mcp"))
        assert (await client.send(ask("http://a.example/mcp"))).body == b"{}"
        await client.aclose()
    assert heads[0].startswith(b"POST http://a.example/mcp HTTP/1.1\r\n")


# ── connections ──


async def test_a_connection_is_used_again(native: HttpClient) -> None:
    async with serve(echo) as server:
        for n in range(50):
            assert (await native.send(ask(server.url, b"%d" % n))).body == b"%d" % n
        assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        JSON + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n",
        STREAM + chunk(b"data: {}\n\n") + b"0\r\n\r\n",
        b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        sized(b"{}\r\n\r\n"),
    ],
    ids=["chunked", "stream", "empty", "no content", "line ends in the body"],
)
async def test_a_connection_is_used_again_after_every_clean_end(
    native: HttpClient, answer: bytes
) -> None:
    async with serve(always(answer)) as server:
        for _ in range(3):
            reply = await native.send(ask(server.url))
            if reply.events is not None:
                assert [event async for event in reply.events] == [b"{}"]
        assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"{}", JSON + b"Connection: close\r\n"),
        sized(b"{}", b"HTTP/1.0 200 OK\r\n"),
        sized(b"{}", JSON + b"Keep-Alive: timeout=1\r\n"),
        sized(b"{}") + b"\r\n",
        sized(b"{}") + sized(b"poison"),
        sized(b"{}") + b"{}",
        JSON + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"{}") + b"0\r\n\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\nContent-Length: 6\r\n\r\n",
    ],
    ids=["close", "1.0", "hint", "line end", "reply", "wrong length", "chunked", "no content"],
)
async def test_a_connection_whose_end_is_in_doubt_is_not_used_again(
    native: HttpClient, answer: bytes
) -> None:
    async with serve(always(answer)) as server:
        for n in range(1, 4):
            assert (await native.send(ask(server.url))).body in {b"{}", b""}
            assert server.connections == n


async def test_an_idle_connection_that_the_server_closes_is_replaced(native: HttpClient) -> None:
    gone = asyncio.Event()

    async def script(peer: Peer) -> None:
        _, body = await peer.request()
        peer.send(sized(body))
        await peer.sent()
        peer.half_close()
        await peer.gone()
        gone.set()

    async with serve(script) as server:
        assert (await native.send(ask(server.url, b"[1]"))).body == b"[1]"
        await gone.wait()
        assert (await native.send(ask(server.url, b"[2]"))).body == b"[2]"
        assert server.connections == 2


async def test_bytes_on_an_idle_connection_end_it(native: HttpClient) -> None:
    served, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        _, body = await peer.request()
        peer.send(sized(body))
        await served.wait()
        if peer.number == 0:
            peer.send(sized(b"poison"))
            await peer.gone()
            gone.set()

    async with serve(script) as server:
        await native.send(ask(server.url, b"[1]"))
        served.set()
        await gone.wait()
        assert (await native.send(ask(server.url, b"[2]"))).body == b"[2]"


async def test_two_principals_never_get_each_others_answers(client: HttpClient) -> None:
    """A server that smuggles replies behind its replies poisons no one's next exchange."""

    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            peer.send(sized(body), sized(b"poison for whoever comes next"))

    async def principal(name: bytes, url: str) -> None:
        for n in range(40):
            own = b"%b-%d" % (name, n)
            assert (await client.send(ask(url, own))).body == own

    async with serve(script) as server:
        await asyncio.gather(principal(b"alice", server.url), principal(b"bob", server.url))


async def test_those_who_wait_for_a_connection_come_in_turn(make: Make) -> None:
    client = make(connections=1)
    go = asyncio.Event()
    order: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            order.append(body)
            await go.wait()
            peer.send(sized(body))

    async with serve(script) as server:
        tasks = [asyncio.create_task(client.send(ask(server.url, b"%d" % n))) for n in range(6)]
        late = asyncio.create_task(client.send(ask(server.url, b"late", first_byte=SOON)))
        with pytest.raises(Refused) as caught:
            await late
        assert caught.value.reason is errors.UPSTREAM_UNREACHABLE
        tasks.pop(2).cancel()
        go.set()
        replies = await asyncio.gather(*tasks)
    assert order == [b"0", b"1", b"3", b"4", b"5"]
    assert [reply.body for reply in replies] == order


async def test_a_failed_exchange_gives_its_place_to_the_next(make: Make) -> None:
    client = make(connections=1)

    async def script(peer: Peer) -> None:
        _, body = await peer.request()
        good = sized(body, JSON + b"Connection: close\r\n")
        peer.send(good if peer.number % 2 else b"nonsense\r\n\r\n")
        await peer.gone()

    async with serve(script) as server:
        results = await asyncio.gather(
            *(client.send(ask(server.url, b"[]")) for _ in range(6)), return_exceptions=True
        )
        assert server.connections == 6
    assert sum(isinstance(result, HttpReply) for result in results) == 3
    assert sum(isinstance(result, Refused) for result in results) == 3


async def test_callers_that_leave_at_any_moment_cost_no_connection(make: Make) -> None:
    client = make(connections=1)

    async def script(peer: Peer) -> None:
        while True:
            _, body = await peer.request()
            peer.send(sized(body, JSON + b"Connection: close\r\n"))

    async with serve(script) as server:
        for turns in range(40):
            task = asyncio.create_task(client.send(ask(server.url)))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.wait([task])
        reply = await client.send(ask(server.url, b"[1]", first_byte=2.0))
        assert reply.body == b"[1]"


async def test_an_early_reply_is_taken_and_its_connection_given_up(native: HttpClient) -> None:
    async def script(peer: Peer) -> None:
        await peer.head()
        if peer.number == 0:
            peer.send(sized(b"early", b"HTTP/1.1 413 Too Large\r\n"))
            await done.wait()
        else:
            peer.send(sized(b"next"))

    done = asyncio.Event()
    async with serve(script) as server:
        reply = await native.send(ask(server.url, b"x" * (32 << 20)))
        assert (reply.status, reply.body) == (413, b"early")
        assert (await native.send(ask(server.url, b""))).body == b"next"
        done.set()


async def test_closing_the_client_ends_what_is_under_way(native: HttpClient) -> None:
    asked = asyncio.Event()

    async def script(peer: Peer) -> None:
        await peer.request()
        asked.set()
        await peer.gone()

    async with serve(script) as server:
        task = asyncio.create_task(native.send(ask(server.url)))
        await asked.wait()
        await native.aclose()
        with pytest.raises(Refused) as caught:
            await task
    assert caught.value.reason is errors.UPSTREAM_OUTCOME
