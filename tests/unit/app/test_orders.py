from __future__ import annotations

import asyncio
from typing import Any, cast

import msgspec
import pytest

from bawn.app.orders import Channel, RunnerOrder, WorkOrder
from bawn.config import Config
from bawn.policy.rules import Source


class FakeWriter:
    """Remembers what is written."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written += data

    async def drain(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        self.closed = True


def channel(*pieces: bytes, ended: bool = True) -> tuple[Channel, FakeWriter]:
    """A channel on which these bytes have arrived."""
    reader, writer = asyncio.StreamReader(limit=1000), FakeWriter()
    for piece in pieces:
        reader.feed_data(piece)
    if ended:
        reader.feed_eof()
    return Channel(reader, cast(Any, writer)), writer


async def test_messages_are_lines_of_json_both_ways() -> None:
    both, writer = channel(b'{"ok":tr', b'ue}\n{"a":1}\n')
    assert await both.receive() == {"ok": True}
    assert await both.receive() == {"a": 1}
    await both.send({"x": "ü\n"})
    assert writer.written == '{"x":"ü\\n"}\n'.encode()
    both.close()
    assert writer.closed


@pytest.mark.parametrize("rest", [b"", b'{"half":', b"x" * 2000, b"x" * 2000 + b"\n"])
async def test_the_end_of_the_other_side_is_no_message(rest: bytes) -> None:
    both, _ = channel(rest)
    assert await both.receive() is None


async def test_a_broken_connection_is_the_end() -> None:
    both, _ = channel(ended=False)
    both._reader.set_exception(ConnectionResetError())
    assert await both.line() == b""


def test_an_order_survives_its_way_with_the_whole_configuration() -> None:
    config = Config.model_validate_json('{"servers": {"files": {"command": ["x", "--a"]}}}')
    raw = msgspec.Raw(config.model_dump_json().encode())
    work = WorkOrder(
        config=raw, base="/b", state="/s", runner="/r", epoch=1, slot=0, workers=2,
        listeners=[3, 4], management=None,
        insecure_no_auth=True, policy=Source("policies", (("a.cedar", "forbid;"),)),
    )  # fmt: skip
    found = msgspec.json.decode(msgspec.json.encode(work), type=WorkOrder)
    assert Config.model_validate_json(bytes(found.config)) == config
    assert found.policy == work.policy
    assert (found.listeners, found.management, found.insecure_no_auth) == ([3, 4], None, True)
    run = RunnerOrder(
        config=raw,
        base="/b",
        socket="/r",
        hide=["/s"],
        guard=["/b/bawn.yaml"],
        data="/s/data",
        state="/s",
    )
    again = msgspec.json.decode(msgspec.json.encode(run), type=RunnerOrder)
    assert Config.model_validate_json(bytes(again.config)) == config
