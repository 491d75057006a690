"""A worker has what is on record put in force by the supervisor, and says so when that fails."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bawn.app import looking as module
from bawn.app.looking import Looking
from bawn.errors import Refused


@asynccontextmanager
async def _door(path: Path, answer: bytes | None) -> AsyncIterator[list[Any]]:
    """The owner's door: what it was told, one answer to all of it; None for silence."""
    heard: list[Any] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(json.loads(await reader.readline()))
        if answer is not None:
            writer.write(answer)
            await writer.drain()
        else:
            await reader.read()
        writer.close()
        await writer.wait_closed()
        served.set()

    served = asyncio.Event()
    async with await asyncio.start_unix_server(serve, path=path):
        yield heard
        await served.wait()


def _looking(path: Path) -> Looking:
    return Looking(cast(Any, SimpleNamespace(control=path)))


async def test_it_is_done_when_the_supervisor_says_so(tmp_path: Path) -> None:
    path = tmp_path / "c"
    async with _door(path, b'{"done": "in force"}\n') as heard:
        await _looking(path).done("files")
        assert heard == [{"do": "pins", "server": "files"}]


@pytest.mark.parametrize("answer", [b'{"error": "no steward"}\n', b"", b"x\n", b"[]\n"])
async def test_whatever_else_it_says_is_told_as_not_yet(tmp_path: Path, answer: bytes) -> None:
    path = tmp_path / "c"
    async with _door(path, answer):
        with pytest.raises(Refused, match=r"gate\.not_ready"):
            await _looking(path).done("files")


async def test_a_supervisor_that_is_gone_or_silent_is_not_waited_for_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    with pytest.raises(Refused, match=r"gate\.not_ready"):
        await _looking(tmp_path / "none").done("files")
    async with _door(tmp_path / "c", None):
        with pytest.raises(Refused, match=r"gate\.not_ready"):
            await _looking(tmp_path / "c").done("files")


async def test_asked_in_passing_it_never_raises(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    looking = _looking(tmp_path / "none")
    looking.ask("files")
    await asyncio.gather(*looking._asking)
    assert "not in force yet" in caplog.text
