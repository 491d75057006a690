from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bawn.transport.asgi import Receive, Scope, Send
from bawn.transport.body import LARGE
from tests.unit.transport.edges import Connection, echo, post, settle


async def test_the_scope_says_what_the_request_said() -> None:
    connection = Connection()
    await connection.feed(post(b"{}", b"X: Y", path=b"/a%20b?c=%20d"))
    (scope,) = connection.seen
    assert (scope["method"], scope["path"], scope["raw_path"]) == ("POST", "/a b", b"/a%20b")
    assert scope["query_string"] == b"c=%20d"
    assert scope["headers"] == [(b"host", b"x"), (b"content-length", b"2"), (b"x", b"Y")]
    assert (scope["type"], scope["scheme"], scope["http_version"]) == ("http", "http", "1.1")
    assert (scope["server"], scope["client"][0]) == (("127.0.0.1", 8811), "192.0.2.1")


async def test_an_answer_in_parts_is_sent_in_parts() -> None:
    async def parts(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"x", b"y")]})
        for part in (b"a", b"bc"):
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    written = await Connection(parts).feed(post())
    assert written == (
        b"HTTP/1.1 200 OK\r\nx: y\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n"
    )


async def test_a_large_body_is_received_in_parts_and_held_back_meanwhile() -> None:
    parts: list[int] = []
    go_on = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        more = True
        while more:
            event = await receive()
            parts.append(len(event["body"]))
            more = event["more_body"]
            await go_on.wait()
        await echo(scope, receive, send)

    connection = Connection()
    connection.protocol._app = slow
    whole = post(b"x" * (4 * LARGE))
    await connection.feed(whole[: 2 * LARGE], whole[2 * LARGE : 3 * LARGE + 100])
    held_back = not connection.transport.reading
    go_on.set()
    await settle()
    await connection.feed(whole[3 * LARGE + 100 :])
    assert held_back
    assert sum(parts) == 4 * LARGE
    assert len(parts) > 2
    assert connection.transport.written.endswith(b"ok")


async def test_an_application_hears_that_its_caller_went_away() -> None:
    heard: list[Any] = []

    async def waiting(scope: Scope, receive: Receive, send: Send) -> None:
        heard.append(await receive())
        await echo(scope, receive, send)

    for cut in (1, 0):
        connection = Connection(waiting)
        whole = post(b"{}")
        await connection.feed(whole[: len(whole) - cut])
        connection.protocol.connection_lost(None)
        await settle()
        assert connection.transport.written == b""
        assert not connection.state.tasks
    assert heard == [{"type": "http.disconnect"}]


@pytest.mark.parametrize("event", ["nothing", "body first"])
async def test_an_application_that_does_not_answer_is_an_error(event: str) -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        if event == "body first":
            await send({"type": "http.response.body", "body": b"x"})

    connection = Connection(broken)
    written = await connection.feed(post())
    assert written.startswith(b"HTTP/1.1 500 ")
    assert connection.is_over()


async def test_an_application_that_breaks_in_the_middle_ends_in_no_end() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        raise RuntimeError

    connection = Connection(broken)
    written = await connection.feed(post())
    assert connection.transport.aborted
    assert not written.endswith(b"0\r\n\r\n")
