"""Another registry is read within bounds, from the host that was named, and nothing leads elsewhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx2
import pytest

from bawn.errors import Misconfigured
from bawn.registry import remote
from tests.unit.registry.documents import npm


def registry(answer: Callable[[httpx2.Request], httpx2.Response]) -> httpx2.MockTransport:
    return httpx2.MockTransport(answer)


def said(tree: Any) -> httpx2.Response:
    return raw(json.dumps(tree).encode())


def raw(body: bytes) -> httpx2.Response:
    return httpx2.Response(200, stream=httpx2.ByteStream(body))


async def refusal(
    url: str, answer: Callable[[httpx2.Request], httpx2.Response] = lambda _: said({})
) -> str:
    with pytest.raises(Misconfigured) as caught:
        await remote.fetch(url, transport=registry(answer))
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("https://r.example", "https://r.example/v0.1/servers?limit=100&version=latest&search=w"),
        ("https://r.example/sub/", "https://r.example/sub/v0.1/servers?limit=100&version=latest&search=w"),
        ("https://r.example/v0/servers", "https://r.example/v0/servers?limit=100&version=latest&search=w"),
        ("https://r.example/v0.1/servers/io.x/w", "https://r.example/v0.1/servers/io.x%2Fw/versions/latest"),
        ("https://r.example/v0.1/servers/io.x%2Fw/versions/1+2", "https://r.example/v0.1/servers/io.x%2Fw/versions/1%2B2"),
        ("https://r.example/a/server.json?x=1", "https://r.example/a/server.json?x=1"),
        ("http://127.0.0.1:8811/server.json", "http://127.0.0.1:8811/server.json"),
    ],
)  # fmt: skip
async def test_what_is_asked_is_what_the_url_says(url: str, asked: str) -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(str(request.url))
        assert "authorization" not in request.headers
        return said({"servers": [{"server": npm()}]})

    found = await remote.fetch(url, "w", registry(answer))
    assert seen == [asked]
    assert len(found) == 1


async def test_pages_are_followed_to_their_end() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        at = int(request.url.params.get("cursor", "0"))
        metadata = {"nextCursor": str(at + 1)} if at < 2 else {"nextCursor": ""}
        return said({"servers": [{"server": {"name": str(at)}}], "metadata": metadata})

    found = await remote.fetch("https://r.example", transport=registry(answer))
    assert [each["server"]["name"] for each in found] == ["0", "1", "2"]


@pytest.mark.parametrize(
    "url",
    [
        "http://r.example",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost.evil.example",
        "ftp://r.example",
        "file:///etc/passwd",
        "https://me:hunter2@r.example",
        "https://",
        "https://[",
        "https://r.example:99999999",
        "https://r.еxample",  # Cyrillic
        "https://r.example/\nx",
    ],
)
async def test_only_https_without_credentials_is_asked(url: str) -> None:
    def never(_: httpx2.Request) -> httpx2.Response:
        raise AssertionError("asked")

    assert "hunter2" not in await refusal(url, never)


async def test_a_redirect_is_not_followed() -> None:
    seen: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        seen.append(request.url.host)
        return httpx2.Response(302, headers={"location": "http://169.254.169.254/latest"})

    assert "not followed" in await refusal("https://r.example", answer)
    assert seen == ["r.example"]


async def test_cursors_without_end_are_given_up() -> None:
    pages = iter(range(10_000))

    def endless(_: httpx2.Request) -> httpx2.Response:
        return said({"servers": [], "metadata": {"nextCursor": str(next(pages))}})

    def circle(_: httpx2.Request) -> httpx2.Response:
        return said({"servers": [], "metadata": {"nextCursor": "again"}})

    assert "more than 20 pages" in await refusal("https://r.example", endless)
    assert next(pages) == remote.PAGES
    assert "circle" in await refusal("https://r.example", circle)


async def test_an_answer_without_end_is_given_up() -> None:
    sent = 0

    class Endless(httpx2.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            nonlocal sent
            while True:
                sent += 1 << 20
                yield b" " * (1 << 20)

    def answer(_: httpx2.Request) -> httpx2.Response:
        return httpx2.Response(200, stream=Endless())

    assert "more than 8 MiB" in await refusal("https://r.example", answer)
    assert sent <= remote.LARGEST + (1 << 20)


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(500),
        httpx2.Response(404),
        raw(b"<html>"),
        raw(b"{}"),
        raw(b'{"servers": {}}'),
        httpx2.Response(200, stream=httpx2.ByteStream(b"[]"), headers={"content-encoding": "br"}),
    ],
)
async def test_other_answers_are_refused(answer: httpx2.Response) -> None:
    assert "r.example" in await refusal("https://r.example", lambda _: answer)


async def test_a_host_that_cannot_be_reached_is_told_without_its_query() -> None:
    def answer(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("no route")

    told = await refusal("https://r.example/server.json?token=hunter2", answer)
    assert "cannot be fetched (ConnectError)" in told
    assert "hunter2" not in told


async def test_a_slow_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    async def never(_: httpx2.Request) -> httpx2.Response:
        await asyncio.Event().wait()
        raise AssertionError

    monkeypatch.setattr(remote, "TOTAL", 0.01)
    with pytest.raises(Misconfigured, match="no whole answer"):
        await remote.fetch("https://r.example", transport=httpx2.MockTransport(never))
