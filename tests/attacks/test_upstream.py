"""Attacks by servers on the gate's own clients, over real connections.

Each case is one answer to one call. The call ends with its reason, or with the good answer where the
attack is behind it; the server has seen it once, whatever came of it; and the next caller, over the
same pool, gets its own answer.
"""

from __future__ import annotations

from typing import Final

import pytest

from bawn.ports import HttpClient
from bawn.upstream.http1 import PooledClient
from tests.attacks.mcp_peer import (
    CREDENTIAL,
    GOOD,
    POISON,
    Attack,
    Server,
    asked,
    poison,
    remote,
    said,
)
from tests.attacks.upstream_cases import (
    CHUNKED,
    FIRST,
    INVALID,
    LARGE,
    STATUS,
    TOTAL,
    UNKNOWN,
    Bytes,
    Case,
    chunks,
    events,
    fixed,
    framed,
    good,
    hurts_nobody,
    then,
)
from tests.contracts.exchanges import JSON, STREAM, chunk, sized
from tests.contracts.scripted import Peer, serve

# ── two readings of where a reply ends ────────────────────────────────────────────────────────────

FRAMING: Final[dict[str, Case]] = {
    "a length and chunks": (
        lambda i: JSON + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
        + chunk(said(i, GOOD)) + b"0\r\n\r\n", INVALID),
    "chunks and a length": (
        lambda i: JSON + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n"
        + chunk(said(i, GOOD)) + b"0\r\n\r\n", INVALID),
    "two lengths": (framed(b"Content-Length: 3", b"Content-Length: 90"), INVALID),
    "a list of lengths": (framed(b"Content-Length: 3, 90"), INVALID),
    "a negative length": (framed(b"Content-Length: -1"), INVALID),
    "a length with a sign": (framed(b"Content-Length: +90"), INVALID),
    "a length in hexadecimal": (framed(b"Content-Length: 0x5a"), INVALID),
    "a length beyond 64 bits": (framed(b"Content-Length: 18446744073709551617"), INVALID),
    "a length with a blank in it": (framed(b"Content-Length: 9 0"), INVALID),
    "a coding before chunked": (framed(b"Transfer-Encoding: gzip, chunked"), INVALID),
    "chunked twice": (framed(b"Transfer-Encoding: chunked, chunked"), INVALID),
    "a coding like chunked": (framed(b"Transfer-Encoding: xchunked"), INVALID),
    "two codings in two lines": (
        framed(b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"), INVALID),
    "a name with a blank behind it": (framed(b"Content-Length : 3", b"Content-Length: 90"), INVALID),
    "a chunk size that is no number": (chunks(lambda d: b"zz\r\n" + d), INVALID),
    "a negative chunk size": (chunks(lambda d: b"-1\r\n" + d), INVALID),
    "a chunk size with 0x": (chunks(lambda d: b"0x10\r\n" + d), INVALID),
    "a chunk size beyond 64 bits": (chunks(lambda d: b"1" + b"0" * 16 + b"\r\n" + d), INVALID),
    "an empty chunk size": (chunks(lambda d: b"\r\n" + d), INVALID),
    "a chunk longer than its size": (
        chunks(lambda d: b"5\r\n" + d + b"\r\n0\r\n\r\n"), INVALID),
    "NUL in a header": (framed(b"X: a\0b", b"Content-Length: 3"), INVALID),
    "NUL in a header's name": (framed(b"X\0Y: a", b"Content-Length: 3"), INVALID),
    "CR alone in a header": (framed(b"X: a\rContent-Length: 3", b"Content-Length: 90"), INVALID),
    "a header without a name": (framed(b": a", b"Content-Length: 3"), INVALID),
    "a line that is no header": (framed(b"no header", b"Content-Length: 3"), INVALID),
    "gzip, though identity was asked": (
        lambda i: sized(b"\x1f\x8b\x08", JSON + b"Content-Encoding: gzip\r\n"), INVALID),
    "br, though identity was asked": (framed(b"Content-Encoding: br"), INVALID),
    "a header section over 64 KiB": (framed(b"X: " + b"x" * 70_000), INVALID),
    "more headers than 64 KiB hold": (framed(*[b"X: y"] * 12_000), INVALID),
    "HTTP/0.9": (lambda i: said(i, GOOD), INVALID),
    "the preface of HTTP/2": (
        fixed(b"\0\0\x12\4\0\0\0\0\0\0\3\0\0\0\x64\0\4\0\x10\0\0\0\6\0\0\x40\0"), INVALID),
    "RTSP": (lambda i: good(i).replace(b"HTTP/1.1", b"RTSP/1.0"), INVALID),
    "another protocol": (fixed(b"220 mail.example ESMTP\r\n"), INVALID),
    "a request instead of a reply": (fixed(b"POST / HTTP/1.1\r\nHost: x\r\n\r\n"), INVALID),
    "a status of letters": (fixed(b"HTTP/1.1 2xx OK\r\nContent-Length: 0\r\n\r\n"), INVALID),
    "switching protocols": (
        fixed(b"HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n"), INVALID),
}  # fmt: skip


@pytest.mark.parametrize("case", FRAMING)
async def test_what_could_be_read_in_two_ways_is_refused(native: HttpClient, case: str) -> None:
    reply, expected = FRAMING[case]
    await hurts_nobody(native, then(reply), expected)


@pytest.mark.parametrize("case", FRAMING)
async def test_the_reference_refuses_it_too_once_the_server_leaves(
    reference: HttpClient, case: str
) -> None:
    reply, expected = FRAMING[case]  # it waits for more of what is no HTTP, or takes it for an end
    await hurts_nobody(reference, then(reply, stay=False), expected, UNKNOWN, LARGE)


STRICTER: Final[dict[str, Case]] = {  # only our own client: h11 lets them pass
    "the same length twice": (
        lambda i: good(i).replace(b"\r\nContent-L", b"\r\nContent-Length: 3\r\nContent-L", 1)
        .replace(b"Content-Length: 3\r\n", b"Content-Length: %d\r\n" % len(said(i, GOOD)), 1),
        INVALID),
    "lines that end in LF alone": (lambda i: good(i).replace(b"\r\n", b"\n"), INVALID),
    "a folded header": (framed(b"X: a\r\n b", b"Content-Length: 3"), INVALID),
    "blanks around a chunk size": (
        chunks(lambda d: b"%x \r\n%b\r\n0\r\n\r\n" % (len(d), d)), INVALID),
    "an empty line before the reply": (lambda i: b"\r\n" + good(i), INVALID),
    "HTTP of the future": (lambda i: good(i).replace(b"HTTP/1.1", b"HTTP/3.0"), INVALID),
    "HTTP/2 in words": (lambda i: good(i).replace(b"HTTP/1.1", b"HTTP/2.0"), INVALID),
    "interim replies without end": (fixed(b"HTTP/1.1 102 P\r\n\r\n" * 2000), INVALID),
    "a length in a trailer": (
        chunks(lambda d: chunk(d) + b"0\r\nContent-Length: 3\r\n\r\n"), INVALID),
    "an interim reply with a body": (
        lambda i: b"HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n{}" + good(i), INVALID),
    "a chunk extension without end": (chunks(lambda d: b"5;" + b"x" * 200_000), INVALID),
    "trailers without end": (
        chunks(lambda d: chunk(d) + b"0\r\n" + b"X: y\r\n" * 40_000), INVALID),
}  # fmt: skip


@pytest.mark.parametrize("case", STRICTER)
async def test_our_own_client_refuses_more_still(native: HttpClient, case: str) -> None:
    reply, expected = STRICTER[case]
    await hurts_nobody(native, then(reply), expected)


BEHIND: Final[dict[str, Attack]] = {
    "a second answer in the same write": then(lambda i: good(i) + poison(i)),
    "a second answer in a write of its own": then(good, poison),
    "half of a second answer": then(lambda i: good(i) + poison(i)[:-9]),
    "bytes behind the length": then(lambda i: good(i) + b'{"jsonrpc"'),
    "a line end behind the length": then(lambda i: good(i) + b"\r\n"),
    "an answer behind the last chunk": then(
        lambda i: CHUNKED + chunk(said(i, GOOD)) + b"0\r\n\r\n" + poison(i)
    ),
    "an answer behind an event stream": then(
        lambda i: STREAM + chunk(b"data: " + said(i, GOOD) + b"\n\n") + b"0\r\n\r\n" + poison(i)
    ),
    "an interim reply behind the answer": then(lambda i: good(i) + b"HTTP/1.1 100 C\r\n\r\n"),
    "HTTP/1.0 that goes on": then(lambda i: good(i).replace(b"HTTP/1.1", b"HTTP/1.0") + poison(i)),
    "Connection: close that goes on": then(
        lambda i: sized(said(i, GOOD), JSON + b"Connection: close\r\n") + poison(i)
    ),
    "two responses in one stream": then(events(lambda i: said(i, GOOD), lambda i: said(i, POISON))),
    "an answer to the next request in one stream": then(
        events(lambda i: said(i, GOOD), lambda i: said(i + 1, POISON))
    ),
    "an event stream that does not end": then(
        lambda i: STREAM + chunk(b"data: " + said(i, GOOD) + b"\n\n")
    ),
}


@pytest.mark.parametrize("case", BEHIND)
async def test_what_is_behind_the_answer_reaches_nobody(client: HttpClient, case: str) -> None:
    await hurts_nobody(client, BEHIND[case], GOOD)


# ── leaving early ─────────────────────────────────────────────────────────────────────────────────

LEAVING: Final[dict[str, Bytes]] = {
    "without a byte": fixed(b""),
    "within the status line": fixed(b"HTTP/1.1 20"),
    "within a header": fixed(JSON + b"Content-Len"),
    "after the header section": fixed(JSON + b"Content-Length: 9\r\n\r\n"),
    "within the body": lambda i: good(i)[:-1],
    "within a chunk size": fixed(CHUNKED + b"1"),
    "within a chunk": lambda i: CHUNKED + chunk(said(i, GOOD))[:-9],
    "before the last chunk": lambda i: CHUNKED + chunk(said(i, GOOD)),
    "within the last chunk": lambda i: CHUNKED + chunk(said(i, GOOD)) + b"0\r\n",
    "within a trailer": lambda i: CHUNKED + chunk(said(i, GOOD)) + b"0\r\nX: y\r\n",
    "after an interim reply": fixed(b"HTTP/1.1 100 Continue\r\n\r\n"),
    "before the first event": fixed(STREAM),
    "within an event": lambda i: STREAM + chunk(b"data: " + said(i, GOOD)),
}


@pytest.mark.parametrize("how", ["half-closed", "reset", "closed"])
@pytest.mark.parametrize("stage", LEAVING)
async def test_a_server_that_leaves_early_leaves_the_outcome_unknown_and_is_asked_once(
    client: HttpClient, stage: str, how: str
) -> None:
    async def attack(peer: Peer, id_: int) -> None:
        peer.send(LEAVING[stage](id_))
        await peer.sent()
        if how == "reset":
            peer.reset()
        elif how == "half-closed":
            peer.half_close()
            await peer.gone()
        raise ConnectionError

    # h11 takes the end of what it has begun to read for bad HTTP
    also = () if isinstance(client, PooledClient) else (INVALID,)
    await hurts_nobody(client, attack, UNKNOWN, *also)


# ── slow and endless ──────────────────────────────────────────────────────────────────────────────


def trickle(head: bytes, part: bytes) -> Attack:
    """Send the head, and a part again and again, slowly, until the client has enough."""

    async def attack(peer: Peer, id_: int) -> None:
        peer.send(head)
        while not await peer.is_gone(0.01):
            peer.send(part)
        raise ConnectionError

    return attack


SLOW: Final[dict[str, tuple[Attack, str]]] = {
    "nothing at all": (then(b""), FIRST),
    "a header, byte by byte": (trickle(b"HTTP/1.1 200 OK\r\nX: ", b"x"), FIRST),
    "headers, line by line": (trickle(b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"), FIRST),
    "a body, byte by byte": (trickle(JSON + b"Content-Length: 90000\r\n\r\n", b"x"), TOTAL),
    "a body of no length, byte by byte": (trickle(JSON + b"\r\n", b"x"), TOTAL),
    "chunks of one byte": (trickle(CHUNKED, chunk(b" ")), TOTAL),
    "a trailer, line by line": (trickle(CHUNKED + b"0\r\n", b"X: y\r\n"), TOTAL),
    "comments without end": (trickle(STREAM, chunk(b": still here\n\n")), TOTAL),
    "notifications without end": (
        trickle(STREAM, chunk(b'data: {"jsonrpc":"2.0","method":"notifications/x"}\n\n')), TOTAL),
    "a stream that says nothing": (then(STREAM), TOTAL),
    "an event, byte by byte": (trickle(STREAM + chunk(b"data: "), chunk(b"x")), TOTAL),
}  # fmt: skip


@pytest.mark.parametrize("case", SLOW)
async def test_slowness_ends_with_the_deadline(client: HttpClient, case: str) -> None:
    attack, expected = SLOW[case]
    await hurts_nobody(client, attack, expected, first_byte=1.0, total=1.8)


ENDLESS: Final[dict[str, Case]] = {
    "a length over the limit": (fixed(JSON + b"Content-Length: 200001\r\n\r\n"), LARGE),
    "a body over the limit": (fixed(JSON + b"\r\n" + b"x" * 200_001), LARGE),
    "one chunk over the limit": (fixed(CHUNKED + chunk(b"x" * 200_001)), LARGE),
    "many chunks over the limit": (fixed(CHUNKED + chunk(b"x" * 10) * 20_001), LARGE),
    "an event over the limit": (fixed(STREAM + chunk(b"data: " + b"x" * 200_001)), LARGE),
    "many lines of one event over the limit": (
        fixed(STREAM + chunk(b"data: x\n" * 30_000)), LARGE),
    "a comment over the limit": (fixed(STREAM + chunk(b":" + b"x" * 200_001)), LARGE),
    "an error's body over the limit": (
        fixed(b"HTTP/1.1 500 No\r\nContent-Length: 200001\r\n\r\n"), LARGE),
}  # fmt: skip


@pytest.mark.parametrize("case", ENDLESS)
async def test_size_ends_at_the_limit(client: HttpClient, case: str) -> None:
    reply, expected = ENDLESS[case]
    await hurts_nobody(client, then(reply), expected)


# ── leading elsewhere ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("status", [300, 301, 302, 303, 307, 308])
async def test_no_redirect_is_followed_and_no_credential_goes_elsewhere(
    client: HttpClient, status: int
) -> None:
    async with serve(Server(then(good))) as elsewhere:
        location = elsewhere.url.encode()
        head = b"HTTP/1.1 %d Go\r\nLocation: %b\r\nRefresh: 0; url=%b\r\n" % (
            status, location, location,
        )  # fmt: skip
        await hurts_nobody(client, then(lambda i: sized(said(i, GOOD), head)), STATUS)
        assert elsewhere.connections == 0


async def test_what_the_server_sets_is_never_sent_back(client: HttpClient) -> None:
    head = JSON + b'Set-Cookie: a=b\r\nMcp-Session-Id: taken\r\nAlt-Svc: h2=":443"\r\n'
    server = Server(then(lambda i: sized(said(i, GOOD), head)))
    async with serve(server) as listening:
        upstream = remote(client, listening.url)
        assert await asked(upstream, "attack") == GOOD
        assert await asked(upstream, "after") == "after"
    assert all(b"cookie" not in h.lower() and b"taken" not in h for h in server.heads)
    assert all(CREDENTIAL[0][1] in h for h in server.heads)
