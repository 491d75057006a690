from __future__ import annotations

import asyncio

import pytest

from bawn.transport.http import Receive, Scope, Send
from bawn.transport.whole import Whole
from tests.unit.transport.edges import Connection, echo, post, settle

JSON = ((b"content-type", b"application/json"),)


class Shorter(Connection):
    """A connection whose application takes the shorter way."""

    def __init__(self, headers: tuple[tuple[bytes, bytes], ...] = JSON) -> None:
        super().__init__()
        self.headers = headers
        self.went: list[bool] = []
        self.taken: list[bytes | None] = []

    async def _called(self, scope: Scope, receive: Receive, send: Send) -> None:
        whole: Whole = scope["state"]["whole"]
        assert whole.task is asyncio.current_task()
        self.seen.append(scope)
        self.taken.append(whole.body())
        self.went.append(whole.respond(200, self.headers, b"whole"))
        if not self.went[-1]:
            await echo(scope, receive, send)


async def test_a_whole_body_and_a_whole_answer_take_the_shorter_way() -> None:
    connection = Shorter()
    written = await connection.feed(post(b'{"a":1}'))
    assert connection.taken == [b'{"a":1}']
    assert written == (
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\nwhole"
    )
    await connection.feed(post(b"2") + post(b"3"))
    assert connection.taken[1:] == [b"2", b"3"]
    assert connection.transport.written.count(b"whole") == 3


async def test_a_body_that_is_not_whole_yet_is_not_taken() -> None:
    connection = Shorter()
    await connection.feed(post(b"12345678")[:-3])
    assert connection.taken == [None]


@pytest.mark.parametrize(
    "request_",
    [
        post(b"", b"connection: close"),
        post().replace(b"HTTP/1.1", b"HTTP/1.0"),
        post().replace(b"POST", b"HEAD").replace(b"content-length: 2", b"content-length: 0")[:-2],
    ],
)
async def test_what_ends_otherwise_goes_by_asgi(request_: bytes) -> None:
    connection = Shorter()
    await connection.feed(request_)
    assert connection.went == [False]


async def test_a_slow_reader_is_waited_for() -> None:
    connection = Shorter()
    connection.protocol.pause_writing()
    connection.protocol.data_received(post())
    await settle()
    assert connection.went == [False]
    connection.protocol.resume_writing()
    await settle()
    assert connection.transport.written.endswith(b"ok")


@pytest.mark.parametrize("field", [(b"x", b"a\r\nset-cookie: b"), (b"x\n", b""), (b"x", b"\0")])
async def test_no_header_field_breaks_out_of_its_line(field: tuple[bytes, bytes]) -> None:
    connection = Shorter((field,))
    written = await connection.feed(post())
    assert connection.went == [False]
    assert b"set-cookie" not in written


async def test_nothing_is_written_to_a_caller_who_left() -> None:
    connection = Shorter()
    connection.protocol.data_received(post())
    connection.protocol.connection_lost(None)
    await settle()
    assert connection.taken == [None]
    assert connection.went == [True]
    assert connection.transport.written == b""
