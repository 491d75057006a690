"""What the reference client makes of httpx2's ways to fail; its contract is in tests/contracts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from bawn.errors import (
    UPSTREAM_INVALID,
    UPSTREAM_OUTCOME,
    UPSTREAM_UNREACHABLE,
    Misconfigured,
    Reason,
    Refused,
)
from bawn.ports import HttpRequest
from bawn.upstream.reference import ReferenceClient

REQUEST = HttpRequest("POST", "http://a.example/mcp", ((b"a", b"1"),), b"{}", 5.0, 5.0, 1000)


class Failing(httpx2.AsyncBaseTransport):
    """Fails before or after it says that it begins to write."""

    def __init__(self, error: Exception, *, written: bool) -> None:
        self._error = error
        self._written = written
        self.request: httpx2.Request | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.request = request
        trace: Any = request.extensions["trace"]
        await trace("connection.connect_tcp.started", {})
        if self._written:
            await trace("http11.send_request_headers.started", {})
        raise self._error


@pytest.fixture
async def client() -> AsyncIterator[ReferenceClient]:
    client = ReferenceClient(1, 1.0)
    yield client
    await client.aclose()


async def reason(
    client: ReferenceClient, transport: Failing, monkeypatch: pytest.MonkeyPatch
) -> Reason:
    monkeypatch.setattr(client, "_transport", lambda url: transport)
    with pytest.raises(Refused) as caught:
        await client.send(REQUEST)
    return caught.value.reason


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (httpx2.ReadError(""), UPSTREAM_OUTCOME),
        (httpx2.WriteError(""), UPSTREAM_OUTCOME),
        (httpx2.RemoteProtocolError("Server disconnected without sending a response."), UPSTREAM_OUTCOME),
        (httpx2.RemoteProtocolError("peer closed connection without sending complete message body"), UPSTREAM_OUTCOME),
        (httpx2.RemoteProtocolError("illegal status line"), UPSTREAM_INVALID),
        (httpx2.ProxyError("403 Forbidden"), UPSTREAM_UNREACHABLE),
    ],
)  # fmt: skip
async def test_after_the_first_byte_the_outcome_is_not_known(
    client: ReferenceClient,
    monkeypatch: pytest.MonkeyPatch,
    error: httpx2.TransportError,
    expected: Reason,
) -> None:
    assert await reason(client, Failing(error, written=True), monkeypatch) is expected
    before = Failing(error, written=False)
    assert await reason(client, before, monkeypatch) is UPSTREAM_UNREACHABLE


async def test_a_request_carries_nothing_that_was_not_asked_for(
    client: ReferenceClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    transport = Failing(httpx2.ReadError(""), written=True)
    await reason(client, transport, monkeypatch)
    assert transport.request is not None
    assert sorted(transport.request.headers.raw) == [
        (b"Content-Length", b"2"),
        (b"Host", b"a.example"),
        (b"a", b"1"),
        (b"accept-encoding", b"identity"),
    ]


async def test_the_environment_gives_it_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://elsewhere.example:1")
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere")
    client = ReferenceClient(1, 1.0)
    assert "Proxy" not in type(client._network._pool).__name__
    await client.aclose()


def test_a_file_that_holds_no_authorities_is_a_misconfiguration(tmp_path: Path) -> None:
    (tmp_path / "empty.pem").touch()
    for name in ("missing.pem", "empty.pem"):
        with pytest.raises(Misconfigured, match=name):
            ReferenceClient(1, 1.0, ca=str(tmp_path / name))
