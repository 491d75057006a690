from __future__ import annotations

import asyncio

import pytest

from bawn.ports import Reply
from bawn.transport.body import LARGE, Body
from bawn.transport.head import HeadReader
from bawn.transport.request import JSON, Request, lines
from tests.unit.transport.edges import REMOTE

READER = HeadReader(4096, 100)


class FakeLine:
    """Remembers what is written, and how the answer ended."""

    def __init__(self) -> None:
        self.last = False
        self.written = b""
        self.ended: list[tuple[int, bool]] = []
        self.resumed = 0

    def write(self, data: bytes) -> None:
        """Fills `request.Line`."""
        self.written += data

    async def drained(self) -> None:
        """Fills `request.Line`."""

    def resume(self) -> None:
        """Fills `request.Line`."""
        self.resumed += 1

    def answered(self, request: Request, size: int, *, keep: bool) -> None:
        """Fills `request.Line`."""
        self.ended.append((size, keep))


def asked(first: bytes = b"POST / HTTP/1.1", *fields: bytes) -> tuple[FakeLine, Request]:
    """A request on a line."""
    line = FakeLine()
    head = READER.read(b"\r\n".join([first, b"host: x", *fields, b"", b""]))
    return line, Request(line, head, REMOTE)


def test_a_whole_answer_is_one_write() -> None:
    line, request = asked()
    request.finish(Reply(200, b"{}"))
    assert line.written == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
    )
    assert line.ended == [(2, True)]


def test_nothing_is_said_after_the_answer_or_to_who_has_gone() -> None:
    for lost in (True, False):
        line, request = asked()
        if lost:
            request.abandon()
        else:
            request.respond(200, JSON, b"{}")
        written, ended = line.written, list(line.ended)
        request.respond(200, JSON, b"again")
        request.begin(200, JSON)
        request.part(b"x")
        request.end()
        request.look(1e9, 1.0)
        assert (line.written, line.ended) == (written, ended)


@pytest.mark.parametrize(
    ("status", "rest"), [(200, b"content-length: 2\r\n\r\n"), (204, b"\r\n"), (304, b"\r\n")]
)
def test_what_must_have_no_body_has_none(status: int, rest: bytes) -> None:
    line, request = asked(b"HEAD / HTTP/1.1" if status == 200 else b"POST / HTTP/1.1")
    request.respond(status, (), b"{}")
    assert line.written.split(b"\r\n", 1)[1] == rest


@pytest.mark.parametrize(
    ("first", "stream"),
    [
        (b"GET / HTTP/1.1", b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
        (b"HEAD / HTTP/1.1", b"transfer-encoding: chunked\r\n\r\n"),
        (b"GET / HTTP/1.0", b"connection: close\r\n\r\nabc"),
    ],
)
def test_a_stream_is_framed_as_its_reader_understands(first: bytes, stream: bytes) -> None:
    line, request = asked(first)
    request.begin(200, ())
    request.part(b"abc")
    request.part(b"")
    request.end()
    assert line.written == b"HTTP/1.1 200 OK\r\n" + stream
    assert line.ended == [(0, first.endswith(b"1.1"))]


@pytest.mark.parametrize("field", [(b"x", b"a\r\nset-cookie: b"), (b"x\n", b""), (b"x", b"\0")])
def test_no_header_field_breaks_out_of_its_line(field: tuple[bytes, bytes]) -> None:
    line, request = asked()
    with pytest.raises(ValueError, match="CR, LF or NUL"):
        request.respond(200, (field,), b"")
    assert line.written == b""
    assert lines(200, ((b"x", b"y"),)) == b"HTTP/1.1 200 OK\r\nx: y\r\n"


def test_signs_of_life_begin_after_a_silence_and_end_with_the_answer() -> None:
    line, request = asked()
    request.look(0.0, 10.0)
    request.look(100.0, 10.0)
    assert line.written == b""  # nobody has let it in yet
    request.lasting = True
    for now in (100.0, 109.0):
        request.look(now, 10.0)
        assert line.written == b""
    for now in (110.0, 115.0, 120.0):
        request.look(now, 10.0)
    assert line.written.count(b"\r\n:\n\n\r\n") == 2
    request.part(b"said")
    request.look(131.0, 10.0)
    assert line.written.count(b"\r\n:\n\n\r\n") == 2


async def test_a_body_is_gathered_as_far_as_it_is_wanted() -> None:
    line, request = asked(b"POST / HTTP/1.1", b"content-length: 200000", b"expect: 100-continue")
    request.coming = coming = Body(200_000, 0.0)
    gathering = asyncio.create_task(request.gather(LARGE))
    await asyncio.sleep(0)
    assert line.written == b"HTTP/1.1 100 Continue\r\n\r\n"
    coming.feed(b"x" * 100_000)
    assert await gathering is False
    gathering = asyncio.create_task(request.gather(200_000))
    await asyncio.sleep(0)
    coming.feed(b"x" * 100_000)
    assert await gathering is True
    assert len(request.body) == 200_000
    assert line.written.count(b"100 Continue") == 1
    assert line.resumed == 2


async def test_who_waits_for_the_end_of_a_caller_is_told() -> None:
    _, request = asked()
    waiting = asyncio.create_task(request.gone())
    await asyncio.sleep(0)
    request.abandon()
    await waiting
    await request.gone()
