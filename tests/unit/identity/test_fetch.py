"""What a document may be, and what is not followed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx2
import pytest

from bawn.identity.fetch import LARGEST, Fetcher
from bawn.identity.oidc import Unreachable

URL = "https://idp.example.com/keys"
Handler = Callable[[httpx2.Request], httpx2.Response]


class Body(httpx2.AsyncByteStream):
    """A body as it comes from the network, in pieces."""

    def __init__(self, *pieces: bytes) -> None:
        self._pieces = pieces

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece


async def fetched(handler: Handler) -> bytes | None:
    fetcher = Fetcher(httpx2.MockTransport(handler))
    try:
        return await fetcher(URL)
    finally:
        await fetcher.aclose()


async def test_a_body_arrives_whole_and_was_asked_for_uncompressed() -> None:
    def handler(request: httpx2.Request) -> httpx2.Response:
        assert request.headers["accept-encoding"] == "identity"
        assert "authorization" not in request.headers
        return httpx2.Response(200, stream=Body(b"{", b"}"))

    assert await fetched(handler) == b"{}"


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 401, 404, 410])
async def test_a_missing_document_is_none_and_redirects_are_not_followed(status: int) -> None:
    asked: list[str] = []

    def handler(request: httpx2.Request) -> httpx2.Response:
        asked.append(str(request.url))
        return httpx2.Response(status, headers={"location": "http://169.254.169.254/"})

    assert await fetched(handler) is None
    assert asked == [URL]


@pytest.mark.parametrize("status", [204, 206, 500, 503])
async def test_any_other_status_is_no_answer(status: int) -> None:
    with pytest.raises(Unreachable, match=str(status)):
        await fetched(lambda _: httpx2.Response(status))


async def test_a_body_is_cut_off_at_the_limit_and_not_held() -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1 << 16
            yield bytes(1 << 16)

    with pytest.raises(Unreachable, match="more than"):
        await fetched(lambda _: httpx2.Response(200, content=endless()))
    assert sent <= LARGEST + (2 << 16)


async def test_a_body_of_exactly_the_limit_is_taken() -> None:
    found = await fetched(lambda _: httpx2.Response(200, stream=Body(bytes(LARGEST - 1), b"x")))
    assert found is not None
    assert len(found) == LARGEST


async def test_a_compressed_body_is_refused_unopened() -> None:
    def handler(_: httpx2.Request) -> httpx2.Response:
        headers = {"content-encoding": "gzip"}
        return httpx2.Response(200, headers=headers, stream=Body(b"never read"))

    with pytest.raises(Unreachable, match="compressed"):
        await fetched(handler)


@pytest.mark.parametrize(
    "error",
    [httpx2.ConnectError("refused"), httpx2.ReadTimeout(""), httpx2.RemoteProtocolError("bad")],
)
async def test_a_failure_on_the_way_names_the_url(error: Exception) -> None:
    def handler(_: httpx2.Request) -> httpx2.Response:
        raise error

    with pytest.raises(Unreachable, match=URL):
        await fetched(handler)


async def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    fetcher = Fetcher()
    assert not fetcher._client._mounts
    await fetcher.aclose()
