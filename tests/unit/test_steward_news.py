"""The steward listens to servers, and looks again when they say that their lists have changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from bawn import steward as stewards
from bawn.config import Config, Server
from bawn.config.integrity import DriftConfig
from bawn.config.model import Refresh
from bawn.model import Json
from bawn.steward import Steward
from tests.unit.test_steward import Published, Scripted, _tools, _watching

TELLING: Json = {
    "supportedVersions": ["2026-07-28"],
    "capabilities": {"tools": {"listChanged": True}, "prompts": {}},
}
NONE: Json = {"prompts": []}


@asynccontextmanager
async def _seldom(files: Scripted) -> AsyncIterator[Published]:
    """A steward that looks once an hour unless it is told of something."""
    published = Published()
    config = Config(
        servers={"files": Server(url="http://127.0.0.1:9/mcp")},
        drift=DriftConfig(max_age=3600),
        refresh=Refresh(probe=3600),
    )
    steward = Steward(config, {"files": files}, published.take)
    await steward.start(5)
    try:
        yield published
    finally:
        await steward.stop()
    assert files.emits == []


async def test_a_server_is_listened_to_for_the_lists_of_which_it_tells() -> None:
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _seldom(files):
        await files.was_asked(1, "subscriptions/listen")
        [listening] = [each for each in files.asked if each.method == "subscriptions/listen"]
        assert listening.params["notifications"] == {"toolsListChanged": True}
        assert listening.isolation == "gate"


async def test_a_server_that_tells_nothing_is_not_listened_to() -> None:
    files = Scripted()
    async with _watching(files=files):
        await files.was_asked(3, "tools/list")
        assert "subscriptions/listen" not in {asked.method for asked in files.asked}


async def test_a_change_is_listed_as_soon_as_it_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stewards, "_MOMENT", 0.0)
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _seldom(files) as published:
        await files.was_asked(1, "subscriptions/listen")
        await asyncio.sleep(0)
        before = len(published)
        files.answers["tools/list"] = {"tools": [{"name": "new"}]}
        await files.tell("tools")
        assert _tools(await published.more(before + 1)) == ["files__new"]


async def test_a_list_of_which_a_server_says_that_it_changed_is_told_of_changed_or_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stewards, "_MOMENT", 0.0)
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _seldom(files) as published:
        await files.was_asked(1, "subscriptions/listen")
        await asyncio.sleep(0)
        before = published[-1]
        await files.tell("tools")
        after = await published.more(len(published) + 1)
        for at in (None, "files"):
            one, other = before.endpoints[at].changes, after.endpoints[at].changes
            assert [name for name in one if one[name] != other[name]] == ["tools"]


async def test_a_server_that_begins_to_tell_of_another_list_is_listened_to_anew() -> None:
    more = {**TELLING, "capabilities": {"tools": {"listChanged": True}, "prompts": {"listChanged": True}}}  # fmt: skip
    files = Scripted(server_discover=[TELLING, TELLING, more], prompts_list=NONE)
    async with _watching(files=files):
        await files.was_asked(2, "subscriptions/listen")
        wanted = [
            asked.params["notifications"]
            for asked in files.asked
            if asked.method == "subscriptions/listen"
        ]
        assert wanted == [
            {"toolsListChanged": True},
            {"toolsListChanged": True, "promptsListChanged": True},
        ]
        while len(files.emits) != 1:
            await asyncio.sleep(0)


async def test_a_server_is_looked_at_ever_less_often_while_its_lists_go_on_changing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    real = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    monkeypatch.setattr(stewards, "_PATIENCE", 2)
    files = Scripted(server_discover=TELLING, prompts_list=NONE)
    async with _seldom(files) as published:
        await files.was_asked(1, "subscriptions/listen")
        await real(0)
        for times in range(2, 6):
            await files.tell("tools")
            await files.was_asked(times, "tools/list")
        assert len(published) >= 1
    looks = [wait for wait in waits if wait >= stewards._MOMENT]
    assert looks[:5] == [0.2, 0.2, 0.2, 0.4, 0.8]
