from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bawn.app import watch as module
from bawn.app.process import ChildFailedError
from bawn.app.watch import watch
from bawn.errors import Misconfigured


class FakeSupervisor:
    """Counts reloads; `trouble` is raised by each."""

    def __init__(self, path: Path) -> None:
        self.loaded = SimpleNamespace(path=path)
        self.reloads = 0
        self.trouble: Exception | None = None

    async def reload(self, *, by_owner: bool) -> str:
        assert not by_owner
        self.reloads += 1
        if self.trouble is not None:
            raise self.trouble
        return "applied: limits.body"


@pytest.fixture
def supervisor(tmp_path: Path) -> FakeSupervisor:
    path = tmp_path / "bawn.yaml"
    path.write_text("one")
    return FakeSupervisor(path)


@contextlib.asynccontextmanager
async def watching(
    supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[asyncio.Task[None]]:
    """Watch the file, much more often than in earnest."""
    monkeypatch.setattr(module, "_EVERY", 0.001)
    task = asyncio.create_task(watch(cast(Any, supervisor)))
    await asyncio.sleep(0.01)
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def until(true: Callable[[], bool]) -> None:
    """Wait until it is so."""
    async with asyncio.timeout(30):
        while not true():
            await asyncio.sleep(0.001)


def rewrite(path: Path, text: str) -> None:
    """Write the file as editors do: beside it, and then in its place."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.replace(path)


async def test_a_change_is_taken_over_once(
    supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bawn.config")
    async with watching(supervisor, monkeypatch):
        assert supervisor.reloads == 0
        rewrite(supervisor.loaded.path, "two")
        await until(lambda: supervisor.reloads == 1)
        await asyncio.sleep(0.02)
    assert supervisor.reloads == 1
    assert "applied: limits.body" in caplog.text


@pytest.mark.parametrize(
    "trouble",
    [Misconfigured("line 3: bad", "line 4: worse"), ChildFailedError("no"), OSError(11, "again")],
)
async def test_a_bad_file_is_told_once_and_watched_on(
    supervisor: FakeSupervisor,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    trouble: Exception,
) -> None:
    supervisor.trouble = trouble
    async with watching(supervisor, monkeypatch) as task:
        rewrite(supervisor.loaded.path, "two")
        await until(lambda: supervisor.reloads == 1)
        await asyncio.sleep(0.02)
        assert supervisor.reloads == 1
        assert not task.done()
        supervisor.trouble = None
        rewrite(supervisor.loaded.path, "three")
        await until(lambda: supervisor.reloads == 2)
    for line in str(trouble).splitlines():
        assert f"the old one goes on: {line}" in caplog.text


async def test_a_file_that_is_gone_for_a_while_is_no_end(
    supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(supervisor, monkeypatch):
        supervisor.loaded.path.unlink()
        await until(lambda: supervisor.reloads == 1)
        supervisor.loaded.path.write_text("one")
        await until(lambda: supervisor.reloads == 2)


async def test_a_change_of_the_same_length_is_seen(
    supervisor: FakeSupervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with watching(supervisor, monkeypatch):
        path = supervisor.loaded.path
        before = path.stat().st_mtime_ns
        path.write_text("eno")
        os.utime(path, ns=(before + 1, before + 1))
        await until(lambda: supervisor.reloads >= 1)
