"""Both HTTP clients make the same of the same bytes.

Our own may refuse what the reference takes, for it is stricter by design: bare LF as a line end, folded
lines, empty lines before the status line, a length said twice, white space around chunk sizes, framing
on interim replies, and other versions of HTTP. It never takes what the reference refuses, nor makes
something else of it. `tidied` removes the two exceptions, in which no reader could see another reply:
what stands behind the status code is thrown away unread, and so are line ends after interim replies.
"""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.ports import HttpClient
from bawn.upstream.http1 import PooledClient
from bawn.upstream.reference import ReferenceClient
from tests.contracts.exchanges import ask
from tests.contracts.scripted import Peer, serve

Outcome = tuple[int, list[bytes]] | None
"""Status, and the body or the events; None when it was refused."""


@dataclass
class Bench:
    """A server that says `reply` once on each connection and ends its side, and who asks it."""

    url: str
    tls: ssl.SSLContext
    reference: HttpClient
    reply: bytes = b""

    async def both(self, reply: bytes) -> tuple[Outcome, Outcome]:
        """What our own client and the reference make of a reply."""
        self.reply = reply
        native = PooledClient(1, 5.0, self.tls)
        try:
            return await outcome(native, self.url), await outcome(self.reference, self.url)
        finally:
            await native.aclose()


async def outcome(client: HttpClient, url: str) -> Outcome:
    try:
        reply = await client.send(ask(url, limit=5000))
        if reply.events is None:
            return reply.status, [reply.body]
        return reply.status, [event async for event in reply.events]
    except Refused:
        return None


@pytest.fixture(name="bench")
async def make_bench() -> AsyncIterator[Bench]:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(bench.reply)
        peer.half_close()
        await peer.gone()

    async with serve(script) as server:
        bench = Bench(server.url, ssl.create_default_context(), ReferenceClient(8, 5.0))
        yield bench
        await bench.reference.aclose()


bodies = st.one_of(
    st.sampled_from([b"", b"{}", b"\r\n", b"0\r\n\r\n", b'{"jsonrpc":"2.0"}', b"data: 1\n\n" * 3]),
    st.binary(max_size=60),
    st.just(b"x" * 3000),
)
statuses = st.sampled_from([200, 200, 200, 201, 202, 204, 205, 301, 304, 400, 404, 500, 599])
extras = st.lists(
    st.sampled_from(
        [
            b"Content-Type: application/json",
            b"Content-Type: text/event-stream",
            b"Connection: close",
            b"Connection: keep-alive",
            b"Keep-Alive: timeout=5",
            b"Content-Encoding: identity",
            b"X-Empty:",
            b"X:\t padded \t",
            b"Set-Cookie: a=b",
            b"Mcp-Session-Id: \xff\xfe",
        ]
    ),
    max_size=4,
    unique_by=lambda line: line.partition(b":")[0],
)


@st.composite
def replies(draw: st.DrawFn) -> tuple[bytes, int, bytes]:
    """A good reply with its status and body."""
    status, body, lines = draw(statuses), draw(bodies), draw(extras)
    bodyless = status in (204, 304)
    framing = "none" if bodyless else draw(st.sampled_from(["length", "chunked", "close"]))
    interim = draw(st.sampled_from([b"", b"", b"HTTP/1.1 102 Processing\r\nX: y\r\n\r\n"]))
    payload = b""
    if framing == "length":
        lines.append(b"Content-Length: %d" % len(body))
        payload = body
    elif framing == "chunked":
        lines.append(
            draw(st.sampled_from([b"Transfer-Encoding: chunked", b"transfer-encoding:Chunked"]))
        )
        payload = draw(chunked(body))
    elif framing == "close":
        payload = body
    version = draw(st.sampled_from([b"1.1", b"1.1", b"1.0"])) if framing != "chunked" else b"1.1"
    head = b"HTTP/%b %d %b\r\n" % (version, status, draw(st.sampled_from([b"OK", b"", b"\xe9 x"])))
    order = draw(st.permutations(lines))
    return (
        interim + head + b"".join(line + b"\r\n" for line in order) + b"\r\n" + payload,
        status,
        b"" if bodyless else body,
    )


@st.composite
def chunked(draw: st.DrawFn, body: bytes) -> bytes:
    out, rest = b"", body
    while rest:
        size = draw(st.integers(1, len(rest)))
        piece, rest = rest[:size], rest[size:]
        extension = draw(st.sampled_from([b"", b"", b";a=b", b';a="b"']))
        number = draw(st.sampled_from([b"%x", b"%X", b"0%x"])) % size
        out += number + extension + b"\r\n" + piece + b"\r\n"
    trailer = draw(st.sampled_from([b"", b"", b"X-Trailer: 1\r\n"]))
    return out + b"0\r\n" + trailer + b"\r\n"


tokens = st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\x00",
        b":",
        b";",
        b",",
        b"0",
        b"1",
        b"f",
        b"-",
        b"+",
        b"_",
        b"\r\n\r\n",
        b"Content-Length: 2\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Connection: close\r\n",
        b"chunked",
        b"identity",
        b"\x0b",
        b"\xff",
        b"text/event-stream",
        b"Content-Type: text/event-stream\r\n",
        b"Upgrade: x\r\n",
        b"\x7f",
        b"\x01",
    ]
)


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good reply with a few cuts, insertions and repetitions."""
    reply, _, _ = draw(replies())
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, min(len(reply), 400)))
        span = draw(st.integers(0, 20))
        kind = draw(st.sampled_from(["insert", "replace", "cut", "repeat"]))
        if kind == "insert":
            reply = reply[:at] + draw(tokens) + reply[at:]
        elif kind == "replace":
            reply = reply[:at] + draw(tokens) + reply[at + 1 :]
        elif kind == "cut":
            reply = reply[:at] + reply[at + span :]
        else:
            reply = reply[: at + span] + reply[at:]
    return reply


def tidied(reply: bytes) -> bytes:
    """A reply without what our own client overlooks."""
    reply = re.sub(rb"(HTTP/1\.[01] [0-9]{3})[^\r\n]*(?=\r\n)", rb"\1 OK", reply)
    return re.sub(rb"(?<=\r\n\r\n)[\r\n]+(?=HTTP/)", b"", reply)


shared = settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@shared
@given(replies())
async def test_both_take_every_good_reply_alike(
    bench: Bench, case: tuple[bytes, int, bytes]
) -> None:
    reply, status, body = case
    native, reference = await bench.both(reply)
    assert native == reference
    assert native is not None
    assert native[0] == status
    assert native[1] == [body] or b"event-stream" in reply


@shared
@given(mutated())
async def test_our_own_takes_nothing_that_the_reference_refuses_or_reads_otherwise(
    bench: Bench, reply: bytes
) -> None:
    native, reference = await bench.both(reply)
    if native is not None and reference is None:
        again, reference = await bench.both(tidied(reply))
        assert native == again
    if native is not None:
        assert native == reference
