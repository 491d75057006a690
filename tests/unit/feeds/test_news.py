from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bawn.errors import UPSTREAM_OUTCOME, Refused
from bawn.feeds import news
from bawn.model import Json
from tests.unit.feeds.servers import Server, listen

LISTS: Json = {"toolsListChanged": True, "promptsListChanged": True}
TOOLS = "notifications/tools/list_changed"


class Changed(list[str]):
    """The changes in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._grew = asyncio.Event()

    def take(self, name: str) -> None:
        self.append(name)
        self._grew.set()

    async def until(self, count: int) -> list[str]:
        while len(self) < count:
            self._grew.clear()
            await self._grew.wait()
        return list(self)


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long each pause would have been at most; none takes any time."""
    found: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        found.append(seconds)
        await real(0)

    monkeypatch.setattr(random, "uniform", lambda least, most: most)
    monkeypatch.setattr(asyncio, "sleep", sleep)
    return found


@asynccontextmanager
async def _following(server: Server) -> AsyncIterator[Changed]:
    changed = Changed()
    task = asyncio.create_task(news.follow(server, listen(), LISTS, changed.take))
    yield changed
    task.cancel()
    await asyncio.wait({task})
    assert server.open == []


@pytest.mark.parametrize(
    ("capabilities", "wanted"),
    [
        ({}, {}),
        ({"tools": {}}, {}),
        ({"tools": {"listChanged": True}}, {"toolsListChanged": True}),
        ({"tools": {"listChanged": 1}, "prompts": {"listChanged": "yes"}, "resources": 5}, {}),
        ({"prompts": {"listChanged": True}, "resources": {"listChanged": True}},
         {"promptsListChanged": True, "resourcesListChanged": True}),
    ],
)  # fmt: skip
def test_what_a_server_says_that_it_tells_is_wanted(capabilities: Json, wanted: Json) -> None:
    assert news.wanted(capabilities) == wanted


async def test_each_change_is_told_as_it_comes() -> None:
    server = Server()
    async with _following(server) as changed:
        await server.until(lambda: bool(server.open))
        [stream] = server.streams
        assert stream.wanted == LISTS
        for name in ("tools", "prompts", "tools"):
            await stream.tell(f"notifications/{name}/list_changed", {})
        assert changed == ["tools", "prompts", "tools"]


@pytest.mark.parametrize("params", [None, [], {"x": 1}])
async def test_nonsense_is_no_change(params: Any) -> None:
    server = Server()
    async with _following(server) as changed:
        await server.until(lambda: bool(server.open))
        [stream] = server.streams
        for method in ("notifications/message", "notifications/roots/list_changed", "x"):
            await stream.tell(method, params)
        assert changed == []


@pytest.mark.parametrize("error", [None, Refused(UPSTREAM_OUTCOME)])
async def test_after_a_gap_every_list_may_have_changed(
    waits: list[float], error: Exception | None
) -> None:
    server = Server()
    async with _following(server) as changed:
        await server.until(lambda: bool(server.open))
        assert changed == []  # the first stream follows on a listing
        server.streams[0].end(error)
        assert await changed.until(2) == ["tools", "prompts"]
        assert waits == [1.0]


async def test_what_fails_in_our_own_code_does_not_end_the_following(
    waits: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    server = Server()
    async with _following(server) as changed:
        await server.until(lambda: bool(server.open))
        server.streams[0].end(ValueError("a defect of ours"))
        assert await changed.until(2) == ["tools", "prompts"]
    assert "a defect of ours" in caplog.text


async def test_a_server_that_honours_less_is_taken_at_its_word(waits: list[float]) -> None:
    server = Server()
    server.honours = lambda wanted: {"promptsListChanged": True, "toolsListChanged": False}
    async with _following(server) as changed:
        await server.until(lambda: bool(server.open))
        server.streams[0].end()
        assert await changed.until(1) == ["prompts"]


async def test_a_server_that_tells_nothing_is_asked_ever_less_often(waits: list[float]) -> None:
    server = Server()
    server.refusing = True
    async with _following(server) as changed:
        await server.until(lambda: len(server.streams) >= 12)
        assert waits[:11] == [2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 300.0, 300.0, 300.0]
        assert changed == []
        server.refusing = False
        await server.until(lambda: bool(server.open))
