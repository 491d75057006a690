"""What the cases of a hostile server are made of, and the bench on which each is tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from bawn.ports import HttpClient
from tests.attacks.mcp_peer import GOOD, Attack, Server, asked, remote, said
from tests.contracts.exchanges import JSON, OK, STREAM, chunk, sized
from tests.contracts.scripted import Peer, serve

CHUNKED: Final = JSON + b"Transfer-Encoding: chunked\r\n\r\n"
INVALID: Final = "upstream.invalid"
UNKNOWN: Final = "upstream.outcome_unknown"
LARGE: Final = "upstream.too_large"
STATUS: Final = "upstream.status"
FIRST: Final = "upstream.first_byte"
TOTAL: Final = "upstream.total"

Bytes = Callable[[int], bytes]
Case = tuple[Bytes, str]


def then(*data: bytes | Bytes, stay: bool = True) -> Attack:
    """Send these bytes; then go on serving, or leave."""

    async def attack(peer: Peer, id_: int) -> None:
        for part in data:
            peer.send(part if isinstance(part, bytes) else part(id_))
            await peer.sent()
        if not stay:
            raise ConnectionError

    return attack


def good(id_: int) -> bytes:
    return sized(said(id_, GOOD))


def framed(*lines: bytes, head: bytes = OK) -> Bytes:
    """The good answer, framed by these header lines alone."""
    return lambda id_: head + b"".join(line + b"\r\n" for line in lines) + b"\r\n" + said(id_, GOOD)


def chunks(frame: Callable[[bytes], bytes]) -> Bytes:
    """The good answer, as this makes chunks of it."""
    return lambda id_: CHUNKED + frame(said(id_, GOOD))


def body(make: Callable[[int], bytes | str]) -> Bytes:
    """This body, in good HTTP."""

    def reply(id_: int) -> bytes:
        made = make(id_)
        return sized(made if isinstance(made, bytes) else made.encode())

    return reply


def events(*make: Callable[[int], bytes]) -> Bytes:
    """These events, and the end of the stream."""

    def reply(id_: int) -> bytes:
        data = b"".join(b"data: " + part(id_) + b"\n\n" for part in make)
        return STREAM + chunk(data) + b"0\r\n\r\n"

    return reply


def fixed(data: bytes) -> Bytes:
    return lambda id_: data


async def hurts_nobody(client: HttpClient, attack: Attack, *expected: str, **limits: Any) -> None:
    """One attacked call, and honest ones of another principal before and after it."""
    server = Server(attack)
    async with serve(server) as listening:
        upstream = remote(client, listening.url, **limits)
        assert await asked(upstream, "before", "bob") == "before"
        assert await asked(upstream, "attack") in expected
        assert server.attacked == 1
        for n in range(3):
            assert await asked(upstream, f"after {n}", "bob") == f"after {n}"
        assert server.attacked == 1
