"""TLS that is not what it should be: the call is refused as unreachable, and not a byte of it is sent."""

from __future__ import annotations

import asyncio
import ssl
import warnings
from pathlib import Path

import pytest

from bawn import errors
from bawn.errors import Refused
from bawn.ports import HttpClient
from tests.contracts.exchanges import SOON, Make, ask, refusal, sized
from tests.contracts.scripted import Authority, Peer, serve

SECRET = b"Bearer the-gates-own-secret"


class Refusing:
    """A server's script that remembers whether it got as far as a request."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []

    async def __call__(self, peer: Peer) -> None:
        self.heads.append(await peer.head())
        peer.send(sized(b"{}"))


def old_tls(authority: Authority, version: ssl.TLSVersion) -> ssl.SSLContext:
    """A server of a version that has been retired."""
    context = authority.server_context("127.0.0.1")
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # that is the point
        context.minimum_version = context.maximum_version = version
    return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "authority")


@pytest.fixture(
    params=["unknown authority", "another name", "expired", "not yet", "TLS 1.0", "TLS 1.1", "no certificate"]
)  # fmt: skip
def bad(request: pytest.FixtureRequest, authority: Authority, tmp_path: Path) -> ssl.SSLContext:
    match request.param:
        case "unknown authority":
            return Authority(tmp_path, "stranger").server_context("127.0.0.1")
        case "another name":
            return authority.server_context("127.0.0.2")
        case "expired":
            return authority.server_context("127.0.0.1", (-48, -24))
        case "not yet":
            return authority.server_context("127.0.0.1", (24, 48))
        case "TLS 1.0":
            return old_tls(authority, ssl.TLSVersion.TLSv1)
        case "TLS 1.1":
            return old_tls(authority, ssl.TLSVersion.TLSv1_1)
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)


async def refused(client_ca: Path, make: Make, url: str) -> Refused:
    request = ask(url, headers=((b"authorization", SECRET),))
    with pytest.raises(Refused) as caught:
        await make(ca=client_ca).send(request)
    return caught.value


async def test_nothing_is_sent_before_the_server_has_proved_itself(
    make: Make, authority: Authority, bad: ssl.SSLContext
) -> None:
    script = Refusing()
    async with serve(script, tls=bad) as server:
        caught = await refused(authority.file, make, server.url)
    assert caught.reason is errors.UPSTREAM_UNREACHABLE
    assert caught.detail
    assert SECRET.decode() not in str(caught)
    assert script.heads == []


@pytest.mark.parametrize(
    "hello",
    [b"HTTP/1.1 400 This port speaks plain text\r\n\r\n", b"\x16\x03\x03\x40\x00\x02", b"\x15\x03\x03\0\2\2\x28", b""],
    ids=["plain text", "a truncated handshake", "an alert", "silence, then gone"],
)  # fmt: skip
async def test_what_is_no_handshake_is_unreachable(
    make: Make, authority: Authority, hello: bytes
) -> None:
    seen = bytearray()

    async def script(peer: Peer) -> None:
        seen.extend(await peer.some())
        peer.send(hello)
        await peer.sent()

    async with serve(script) as server:
        url = server.url.replace("http://", "https://")
        caught = await refused(authority.file, make, url)
    assert caught.reason is errors.UPSTREAM_UNREACHABLE
    assert SECRET not in seen


async def test_a_handshake_that_hangs_ends_with_its_deadline(native: HttpClient) -> None:
    """Of our own client: the reference leaves uvloop's half-made transport to its destructor."""

    async def script(peer: Peer) -> None:
        await peer.gone()

    async with serve(script) as server:
        url = server.url.replace("http://", "https://")
        async with asyncio.timeout(30):
            reason = await refusal(native, ask(url, first_byte=SOON))
    assert reason is errors.UPSTREAM_UNREACHABLE


async def test_a_plain_text_client_says_nothing_to_a_tls_port_but_its_request(
    make: Make, authority: Authority
) -> None:
    tls = authority.server_context("127.0.0.1")
    async with serve(Refusing(), tls=tls) as server:
        caught = await refused(authority.file, make, server.url.replace("https://", "http://"))
    assert caught.reason in (errors.UPSTREAM_OUTCOME, errors.UPSTREAM_INVALID)


@pytest.mark.parametrize("host", ["no-such-host.invalid", "a" * 64 + ".example", "x..example"])
async def test_a_name_that_leads_nowhere_is_unreachable(
    make: Make, authority: Authority, host: str
) -> None:
    caught = await refused(authority.file, make, f"http://{host}/mcp")
    assert caught.reason is errors.UPSTREAM_UNREACHABLE
