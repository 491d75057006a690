"""Both clients make the same of the same event stream, wherever its bytes are cut on their way."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from itertools import pairwise
from math import inf

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bawn.errors import Refused
from bawn.ports import HttpClient
from bawn.upstream.connection import Connection, Exchange
from bawn.upstream.reference import ReferenceClient
from tests.contracts.exchanges import JSON, STREAM, ask, chunk
from tests.contracts.scripted import Peer, serve
from tests.unit.upstream.wires import connect, turn

LIMIT = 300
Outcome = tuple[list[bytes], bool]
"""The body or the events, and whether a refusal came of it, or after them."""

CHUNKED = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
PLAIN = STREAM.replace(b"Transfer-Encoding: chunked\r\n", b"")


class Nobody:
    """Fills `connection.Owner`."""

    def release(self, connection: Connection, idle: float) -> None:
        """Kept by nobody."""

    def lasts(self, connection: Connection) -> None:
        """It takes nobody's place here."""

    def lost(self, connection: Connection) -> None:
        """Missed by nobody."""


async def ours(pieces: Iterable[bytes]) -> Outcome:
    """What our own connection makes of these pieces and the end of the connection."""
    connection = Connection(Nobody(), asyncio.get_running_loop().create_future())
    transport = connect(connection)
    exchange = Exchange(asyncio.get_running_loop().create_future(), inf, inf, LIMIT)
    connection.start(exchange, b"", b"")
    for piece in pieces:
        if not transport.closing and connection.exchange is exchange:
            connection.data_received(piece)
    if not transport.closing:
        connection.eof_received()
    found: list[bytes] = []
    try:
        reply = await exchange.reply
        if reply.events is None:
            return [reply.body], False
        async for event in reply.events:
            found += [event]
    except Refused:
        return found, True
    finally:
        await turn()
    return found, False


@dataclass
class Bench:
    """A server that says `reply` once on each connection and ends its side, and who asks it."""

    url: str
    reference: HttpClient
    reply: bytes = b""

    async def theirs(self, reply: bytes) -> Outcome:
        """What the reference makes of it."""
        self.reply, found = reply, []
        try:
            got = await self.reference.send(ask(self.url, limit=LIMIT))
            if got.events is None:
                return [got.body], False
            async for event in got.events:
                found += [event]
        except Refused:
            return found, True
        return found, False


@pytest.fixture(name="bench")
async def make_bench() -> AsyncIterator[Bench]:
    async def script(peer: Peer) -> None:
        await peer.request()
        peer.send(bench.reply)
        peer.half_close()
        await peer.gone()

    async with serve(script) as server:
        bench = Bench(server.url, ReferenceClient(8, 5.0))
        yield bench
        await bench.reference.aclose()


LINES = [
    b"data: {}", b"data:{}", b"data", b"data:", b"data: a", b"data:  b", b":", b": c", b"", b"",
    b"event: message", b"event: other", b"event", b"id: 1", b"retry: 5", b"unknown: x", b"\xef\xbb\xbfdata: 1",
    b"data: " + b"x" * 290, b"data: " + b"y" * 301, b"data: \xff", b" data: 1",
]  # fmt: skip
ENDS = [b"\n", b"\r\n", b"\r"]


@st.composite
def streams(draw: st.DrawFn) -> bytes:
    """The body of an event stream, good or not."""
    parts = draw(st.lists(st.tuples(st.sampled_from(LINES), st.sampled_from(ENDS)), max_size=12))
    return b"".join(line + end for line, end in parts)


@st.composite
def framed(draw: st.DrawFn) -> bytes:
    """A reply with such a body, in chunks of any sizes or until the connection ends; perhaps cut."""
    body = draw(streams())
    if draw(st.booleans()):
        return PLAIN + body
    whole, rest = STREAM, body
    while rest:
        size = draw(st.integers(1, len(rest)))
        whole, rest = whole + chunk(rest[:size]), rest[size:]
    whole += b"0\r\n\r\n"
    return whole[: draw(st.integers(len(STREAM), len(whole)))]


def pieces(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    bounds = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[a:b] for a, b in pairwise(bounds)]


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(framed(), st.lists(st.integers(0, 5000), max_size=20))
async def test_an_event_stream_is_the_same_to_both_however_it_is_cut(
    bench: Bench, reply: bytes, cuts: list[int]
) -> None:
    (found, refused), (expected, theirs) = (
        await ours(pieces(reply, cuts)),
        await bench.theirs(reply),
    )
    assert refused == theirs
    if refused:  # what came in the same read as the fault may be lost with it
        assert found == expected[: len(found)] or expected == found[: len(expected)]
    else:
        assert found == expected


WHOLE = {
    "events, LF": STREAM + chunk(b"data: 1\n\n: c\n\ndata: 2\ndata: 3\n\n") + b"0\r\n\r\n",
    "events, CRLF": STREAM + chunk(b"data: 1\r\n") + chunk(b"\r\nda") + chunk(b"ta: 2\r\n\r\n")
    + b"0\r\nX: y\r\n\r\n",
    "events, CR": STREAM + chunk(b"data: 1\r\rdata: 2\r\r") + b"0\r\n\r\n",
    "events until the end": PLAIN + b"\xef\xbb\xbfdata: 1\n\nevent: other\ndata: 2\n\ndata: 3\n\n",
    "chunks": CHUNKED + chunk(b"{}") + b"3;a=b\r\n   \r\n" + chunk(b"\r\n") + b"0\r\nT: 1\r\n\r\n",
    "a bad chunk": CHUNKED + chunk(b"{}") + b"2\r\n{}{}\r\n0\r\n\r\n",
    "an interim reply and a length": b"HTTP/1.1 103 E\r\nX: y\r\n\r\n" + JSON
    + b"Content-Length: 4\r\n\r\n\r\n{}",
}  # fmt: skip


@pytest.mark.parametrize("case", WHOLE)
async def test_a_reply_may_be_cut_at_every_byte(bench: Bench, case: str) -> None:
    reply = WHOLE[case]
    expected = await bench.theirs(reply)
    for at in range(len(reply) + 1):
        assert await ours([part for part in (reply[:at], reply[at:]) if part]) == expected, at
    assert await ours([reply[at : at + 1] for at in range(len(reply))]) == expected


async def test_events_before_bad_framing_may_be_lost_and_the_refusal_is_not(bench: Bench) -> None:
    """Our own client drops what came in the same read as the bad framing: it judges reads as a whole."""
    reply = STREAM + chunk(b"data: 1\n\n") + b"zz\r\n\r\n"
    assert await bench.theirs(reply) == ([b"1"], True)
    for at in range(1, len(reply)):
        found, refused = await ours([reply[:at], reply[at:]])
        assert (found in ([], [b"1"]), refused) == (True, True)
