"""Never two readings: what the edge takes for one request, other readers take for the same.

The others are h11, which reads by the letter of RFC 9112, and llhttp, the reader of Node.js.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import Final

import h11
from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.transport.edges import Connection, settle

Read = tuple[bytes, bytes, tuple[tuple[bytes, bytes], ...], bytes]
"""Method, target, header fields, body."""

PIECES: Final = [
    b"\r\n", b"\n", b"\r", b" ", b"\t", b"\x00", b"\x0b", b":", b",", b";", b"0", b"5", b"-", b"\x85",
    b"content-length: 5\r\n", b"Content-Length: 3\r\n", b"transfer-encoding: chunked\r\n",
    b"Transfer-Encoding: identity\r\n", b"host: x\r\n", b"x: y\r\n", b" folded\r\n", b"0\r\n\r\n",
    b"5\r\nhello\r\n", b"hello", b"GET / HTTP/1.1\r\nhost: y\r\n\r\n", b"HTTP/1.0", b"\r\n\r\n",
    b"expect: 100-continue\r\n", b"connection: close\r\n", b"upgrade: x\r\n", b";a=b", b"chunked",
]  # fmt: skip
SEEDS: Final = [
    b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\nhello",
    b"POST /b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    b"GET /c HTTP/1.1\r\nHost:x\r\nAccept: a\r\nAccept:\tb \r\n\r\n",
    b"POST /d HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n",
]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Good requests, one behind the other, with something put in, taken out or turned over."""
    data = bytearray(b"".join(draw(st.lists(st.sampled_from(SEEDS), min_size=1, max_size=3))))
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(data)))
        until = at + draw(st.sampled_from([0, 0, 0, 1, 2, 5]))
        data[at:until] = draw(st.sampled_from([*PIECES, b""]) | st.binary(max_size=2))
    return bytes(data)


async def _read_by_us(data: bytes, cuts: list[int]) -> list[Read]:
    connection = Connection()
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    for start, end in itertools.pairwise(places):
        connection.protocol.data_received(data[start:end])
        await settle()
    async with asyncio.timeout(30):
        while connection.protocol._buffer and connection.state.tasks and not connection.is_over():
            await asyncio.sleep(0)
    found: list[Read] = []
    # a body that never came whole was not read as one
    for scope, body in zip(connection.seen, connection.bodies, strict=False):
        fields = tuple((name, value) for name, value in scope["headers"])
        query = scope["query_string"]
        target = scope["raw_path"] + (b"?" + query if query else b"")
        found.append((scope["method"].encode(), target, fields, body))
    connection.protocol.connection_lost(None)
    await settle()
    return found


def _read_by_h11(data: bytes) -> list[Read]:
    found: list[Read] = []
    reader = h11.Connection(h11.SERVER)
    reader.receive_data(data)
    try:
        while True:
            request = reader.next_event()
            if not isinstance(request, h11.Request):
                return found
            body = b""
            while isinstance(event := reader.next_event(), h11.Data):
                body += bytes(event.data)
            if not isinstance(event, h11.EndOfMessage):
                return found
            fields = tuple((bytes(name), bytes(value)) for name, value in request.headers)
            found.append((bytes(request.method), bytes(request.target), fields, body))
            reader.send(h11.Response(status_code=200, headers=[("content-length", "0")]))
            reader.send(h11.EndOfMessage())
            if reader.our_state is h11.MUST_CLOSE:
                return found
            reader.start_next_cycle()
    except h11.RemoteProtocolError:
        return found


class _Llhttp:
    """Collects what llhttp finds."""

    def __init__(self, data: bytes) -> None:
        self.found: list[Read] = []
        self._parser = HttpRequestParser(self)
        with contextlib.suppress(HttpParserError, HttpParserUpgrade):
            self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        self._target, self._body = b"", b""
        self._fields: list[tuple[bytes, bytes]] = []

    def on_url(self, part: bytes) -> None:
        self._target += part

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name.lower(), value.strip(b" \t")))

    def on_body(self, part: bytes) -> None:
        self._body += part

    def on_message_complete(self) -> None:
        method = self._parser.get_method()
        self.found.append((method, self._target, tuple(self._fields), self._body))


def _lower(read: Read) -> Read:
    method, target, fields, body = read
    return method, target, tuple((name.lower(), value) for name, value in fields), body


@settings(max_examples=600, deadline=None)
@given(mutated(), st.lists(st.integers(0, 400), max_size=3))
def test_whoever_else_reads_what_we_accept_reads_the_same(data: bytes, cuts: list[int]) -> None:
    ours = asyncio.run(_read_by_us(data, cuts))
    for theirs in (_read_by_h11(data), _Llhttp(data).found):
        assert [_lower(read) for read in theirs[: len(ours)]] == [_lower(read) for read in ours]


@settings(max_examples=150, deadline=None)
@given(mutated(), st.lists(st.integers(0, 400), min_size=1, max_size=3))
def test_the_pieces_in_which_it_comes_make_no_difference(data: bytes, cuts: list[int]) -> None:
    assert asyncio.run(_read_by_us(data, cuts)) == asyncio.run(_read_by_us(data, []))


def test_the_readers_agree_on_what_is_good() -> None:
    data = b"".join(SEEDS)
    ours = asyncio.run(_read_by_us(data, []))
    assert len(ours) == len(SEEDS)
    assert (
        [_lower(r) for r in _read_by_h11(data)] == ours == [_lower(r) for r in _Llhttp(data).found]
    )
