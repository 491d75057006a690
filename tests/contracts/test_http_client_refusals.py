"""What both clients refuse to take for a reply; see `test_http_client.py` for who is stricter."""

from __future__ import annotations

import pytest

from bawn import errors
from bawn.ports import HttpClient
from tests.contracts.exchanges import (
    JSON,
    OK,
    ask,
    chunk,
    once,
    refusal,
    sized,
)
from tests.contracts.scripted import serve

BAD = {
    "two lengths": JSON + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ",
    "length and chunked": JSON
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    + chunk(b"{}")
    + b"0\r\n\r\n",
    "chunked and length": JSON
    + b"Transfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n"
    + chunk(b"{}")
    + b"0\r\n\r\n",
    "length with a sign": JSON + b"Content-Length: +2\r\n\r\n{}",
    "length beyond counting": JSON + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "chunk size not hexadecimal": JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "chunk longer than its size": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}{}\r\n0\r\n\r\n",
    "another transfer coding": JSON + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "gzip": sized(b"\x1f\x8b\x08", JSON + b"Content-Encoding: gzip\r\n"),
    "gzip, then identity": sized(
        b"\x1f\x8b", JSON + b"Content-Encoding: gzip\r\nContent-Encoding: identity\r\n"
    ),
    "header section over 64 KiB": sized(b"{}", JSON + b"X: " + b"x" * (64 << 10) + b"\r\n"),
    "header section without end": OK + b"X: x\r\n" * (64 << 10),
    "not HTTP": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "RTSP": b"RTSP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "switching protocols": b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
    "header without name": sized(b"{}", JSON + b": x\r\n"),
    "header name with a space": sized(b"{}", JSON + b"Content-Length : 5\r\n"),
}
STRICTER = {  # than the reference
    "HTTP/2": b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
    "one length twice": JSON + b"Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}",
    "interim reply with a body": b"HTTP/1.1 100 C\r\nContent-Length: 2\r\n\r\n" + sized(b"{}"),
    "interim replies without end": b"HTTP/1.1 100 C\r\n\r\n" * 9 + sized(b"{}"),
    "lines that end in LF alone": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}",
    "folded header": sized(b"{}", JSON + b"X: 1\r\n 2\r\n"),
    "chunk extensions without end": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n2;"
    + b"x" * (130 << 10),
    "trailers without end": JSON
    + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: "
    + b"x" * (130 << 10),
}


@pytest.mark.parametrize("answer", BAD.values(), ids=BAD.keys())
async def test_refuses_what_is_not_one_clear_http_reply(client: HttpClient, answer: bytes) -> None:
    async with serve(once(answer)) as server:
        assert await refusal(client, ask(server.url)) is errors.UPSTREAM_INVALID


@pytest.mark.parametrize("answer", STRICTER.values(), ids=STRICTER.keys())
async def test_our_own_client_is_stricter_still(native: HttpClient, answer: bytes) -> None:
    async with serve(once(answer)) as server:
        assert await refusal(native, ask(server.url)) is errors.UPSTREAM_INVALID
