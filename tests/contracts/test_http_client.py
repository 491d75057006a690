"""The contract of `ports.HttpClient`, kept by both clients against a server that sends what it likes.

Where only our own client can keep a promise, the test takes `native` and says why:

- the reference opens a connection for each exchange, so nothing about reuse applies to it;
- it writes a request out before it reads, so it does not see an early reply;
- h11 lets pass some things that nothing honest sends; `STRICTER` lists them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bawn import errors
from bawn.ports import HttpClient
from tests.contracts.exchanges import (
    JSON,
    SOON,
    STREAM,
    always,
    ask,
    chunk,
    echo,
    once,
    refusal,
    sized,
)
from tests.contracts.scripted import Peer, serve

# ── what is sent ──


async def test_sends_the_request_as_given_with_its_own_framing(client: HttpClient) -> None:
    seen: list[tuple[bytes, bytes]] = []

    async def script(peer: Peer) -> None:
        seen.append(await peer.request())
        peer.send(sized(b"{}"))

    async with serve(script) as server:
        request = ask(
            server.url + "?a=b%20c", b'{"x":1}', headers=((b"mcp-name", b"caf\xc3\xa9 x"),)
        )
        await client.send(request)
    head, body = seen[0]
    lines = head.lower().split(b"\r\n")
    host = server.url.split("/")[2].encode()
    assert head.startswith(b"POST /mcp?a=b%20c HTTP/1.1\r\n")
    assert body == b'{"x":1}'
    assert sorted(lines[1:-2]) == sorted(
        [
            b"host: " + host,
            b"accept-encoding: identity",
            b"content-length: 7",
            b"mcp-name: caf\xc3\xa9 x",
        ]
    )


@pytest.mark.parametrize(
    "header",
    [
        (b"x", b"a\r\nevil: 1"),
        (b"x", b"a\nb"),
        (b"x", b"a\0b"),
        (b"x\r\ny", b"a"),
        (b"x y", b"a"),
        (b"", b"a"),
        (b"Content-Length", b"0"),
        (b"transfer-encoding", b"chunked"),
        (b"host", b"elsewhere"),
    ],
)
async def test_never_sends_a_header_that_could_reframe_the_request(
    client: HttpClient, header: tuple[bytes, bytes]
) -> None:
    async with serve(echo) as server:
        reason = await refusal(client, ask(server.url, headers=(header,)))
        assert (reason, server.connections) == (errors.UPSTREAM_UNREACHABLE, 0)


@pytest.mark.parametrize(
    "url", ["ftp://127.0.0.1/", "http://", "http://u:p@127.0.0.1/", "http://127.0.0.1:x/", "/mcp"]
)
async def test_what_is_no_url_of_an_upstream_is_unreachable(client: HttpClient, url: str) -> None:
    assert await refusal(client, ask(url)) is errors.UPSTREAM_UNREACHABLE


@pytest.mark.parametrize("method", ["HEAD", "CONNECT", "GET /x HTTP/1.1\r\nevil: 1\r\n\r\nGET"])
async def test_methods_with_replies_of_their_own_kind_are_not_carried(
    client: HttpClient, method: str
) -> None:
    async with serve(echo) as server:
        reason = await refusal(client, ask(server.url, method=method))
        assert (reason, server.connections) == (errors.UPSTREAM_UNREACHABLE, 0)


async def test_a_get_has_no_body_and_no_length(client: HttpClient) -> None:
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        heads.append(await peer.head())
        peer.send(sized(b"[]"))

    async with serve(script) as server:
        reply = await client.send(ask(server.url, b"", method="GET"))
    assert reply.body == b"[]"
    assert b"content-length" not in heads[0].lower()


# ── what is held ──


async def test_holds_status_headers_and_body(client: HttpClient) -> None:
    answer = sized(
        b'{"a":1}', b"HTTP/1.1 404 Not Found\r\nMcp-Session-Id:  s1 \r\nX: 1\r\nx: 2\r\n"
    )
    async with serve(always(answer)) as server:
        reply = await client.send(ask(server.url))
    assert (reply.status, reply.body, reply.events) == (404, b'{"a":1}', None)
    assert reply.headers[b"mcp-session-id"] == b"s1"
    assert reply.headers[b"x"] == b"2"


@pytest.mark.parametrize(
    "answer",
    [
        sized(b"x" * 300_000),
        JSON
        + b"Transfer-Encoding: chunked\r\n\r\n"
        + chunk(b"x" * 299_999)
        + chunk(b"x")
        + b"0\r\n\r\n",
        JSON
        + b"Transfer-Encoding: Chunked\r\n\r\n"
        + chunk(b"xx") * 150_000
        + b"0\r\nT: 1\r\n\r\n",
    ],
    ids=["length", "chunked", "many chunks"],
)
async def test_holds_a_large_body_however_it_is_framed(client: HttpClient, answer: bytes) -> None:
    async with serve(always(answer)) as server:
        reply = await client.send(ask(server.url, limit=300_000))
    assert reply.body == b"x" * 300_000


async def test_sends_a_large_body(client: HttpClient) -> None:
    async with serve(echo) as server:
        reply = await client.send(ask(server.url, b"y" * (1 << 20)))
    assert reply.body == b"y" * (1 << 20)


@pytest.mark.parametrize(
    "answer",
    [
        JSON + b"Content-Length: 1001\r\n\r\n",
        sized(b"x" * 1001),
        JSON + b"Transfer-Encoding: chunked\r\n\r\n" + chunk(b"x" * 1001),
        JSON + b"Connection: close\r\n\r\n" + b"x" * 1001,
    ],
    ids=["announced", "length", "chunked", "until close"],
)
async def test_refuses_a_body_over_the_limit(client: HttpClient, answer: bytes) -> None:
    async with serve(once(answer)) as server:
        reason = await refusal(client, ask(server.url, limit=1000))
    assert reason is errors.UPSTREAM_TOO_LARGE


async def test_a_body_may_end_with_the_connection(client: HttpClient) -> None:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(JSON + b"\r\n", b"[1]")

    async with serve(script) as server:
        assert (await client.send(ask(server.url))).body == b"[1]"


@pytest.mark.parametrize("status", [b"204 No Content", b"304 Not Modified"])
async def test_replies_without_a_body_end_with_their_header(
    client: HttpClient, status: bytes
) -> None:
    async with serve(always(b"HTTP/1.1 %b\r\n\r\n" % status)) as server:
        for _ in range(2):
            reply = await client.send(ask(server.url))
            assert (reply.status, reply.body) == (int(status[:3]), b"")


async def test_interim_replies_are_passed_over(client: HttpClient) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    async with serve(once(interim + sized(b"{}"))) as server:
        reply = await client.send(ask(server.url))
    assert (reply.status, b"link" in reply.headers) == (200, False)


async def test_redirects_are_returned_not_followed(client: HttpClient) -> None:
    async with serve(echo) as elsewhere:
        head = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %b\r\n" % elsewhere.url.encode()
        async with serve(always(sized(b"", head))) as server:
            reply = await client.send(ask(server.url))
        assert (reply.status, elsewhere.connections) == (307, 0)


async def test_cookies_are_neither_shown_nor_sent_back(client: HttpClient) -> None:
    heads: list[bytes] = []

    async def script(peer: Peer) -> None:
        while True:
            heads.append((await peer.request())[0])
            peer.send(sized(b"{}", JSON + b"Set-Cookie: a=b; Path=/\r\n"))

    async with serve(script) as server:
        replies = [await client.send(ask(server.url)) for _ in range(2)]
    assert all(b"set-cookie" not in reply.headers for reply in replies)
    assert len(heads) == 2
    assert all(b"cookie" not in head.lower() for head in heads)


# ── how an exchange breaks ──


@pytest.mark.parametrize("end", [Peer.half_close, Peer.reset])
@pytest.mark.parametrize(
    "answer",
    [b"", b"HTTP/1.1 2", JSON, JSON + b"Content-Length: 3\r\n\r\n{}", STREAM[:-4] + b"\r\nX"],
    ids=[
        "nothing",
        "part of a line",
        "part of a header",
        "part of a body",
        "part of another header",
    ],
)
async def test_when_the_server_leaves_the_outcome_is_unknown_and_nothing_is_repeated(
    client: HttpClient, answer: bytes, end: Callable[[Peer], None]
) -> None:
    requests: list[bytes] = []

    async def script(peer: Peer) -> None:
        requests.append((await peer.request())[1])
        peer.send(answer)
        await peer.sent()
        end(peer)
        await peer.gone()

    async with serve(script) as server:
        assert await refusal(client, ask(server.url)) is errors.UPSTREAM_OUTCOME
    assert requests == [b"{}"]


async def test_a_server_that_does_not_begin_in_time_is_given_up(client: HttpClient) -> None:
    async with serve(once()) as server:
        reason = await refusal(client, ask(server.url, first_byte=SOON))
    assert reason is errors.UPSTREAM_FIRST_BYTE


@pytest.mark.parametrize("part", [b"", JSON, JSON + b"Content-Length: 3\r\n\r\n{"])
async def test_the_whole_call_has_its_time(client: HttpClient, part: bytes) -> None:
    async with serve(once(part)) as server:
        assert await refusal(client, ask(server.url, total=SOON)) is errors.UPSTREAM_TOTAL


async def test_where_nobody_listens_nothing_was_sent(client: HttpClient) -> None:
    async with serve(echo) as server:
        url = server.url
    assert await refusal(client, ask(url)) is errors.UPSTREAM_UNREACHABLE


async def test_cancelling_gives_the_connection_up(client: HttpClient) -> None:
    asked, gone = asyncio.Event(), asyncio.Event()

    async def script(peer: Peer) -> None:
        _, body = await peer.request()
        if peer.number:
            peer.send(sized(body))
            return
        asked.set()
        await peer.gone()
        gone.set()

    async with serve(script) as server:
        task = asyncio.create_task(client.send(ask(server.url, b"[1]")))
        await asked.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await gone.wait()
        assert (await client.send(ask(server.url, b"[2]"))).body == b"[2]"
        assert server.connections == 2


async def test_a_closed_client_sends_nothing(client: HttpClient) -> None:
    async with serve(echo) as server:
        await client.send(ask(server.url))
        await client.aclose()
        assert await refusal(client, ask(server.url)) is errors.UPSTREAM_UNREACHABLE
        assert server.connections == 1
