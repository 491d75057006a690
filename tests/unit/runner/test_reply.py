"""One HTTP reply to a worker."""

from __future__ import annotations

import asyncio
from collections.abc import MutableMapping
from typing import Any

from bawn.runner.reply import QUEUE, Reply


class Reader:
    """Takes what is sent, once it is allowed to flow."""

    def __init__(self) -> None:
        self.flowing = asyncio.Event()
        self.sent: list[MutableMapping[str, Any]] = []

    async def send(self, message: MutableMapping[str, Any]) -> None:
        await self.flowing.wait()
        self.sent.append(message)


async def test_without_progress_the_reply_is_json_of_a_known_length() -> None:
    reader = Reader()
    reader.flowing.set()
    await Reply(reader.send).finish(b"{}")
    start, body = reader.sent
    assert start["headers"] == [(b"content-type", b"application/json"), (b"content-length", b"2")]
    assert body == {"type": "http.response.body", "body": b"{}", "more_body": False}


async def test_a_slow_reader_misses_the_oldest_progress_and_never_the_answer() -> None:
    reader = Reader()
    reply = Reply(reader.send)
    for n in range(QUEUE + 100):
        reply.tell({"n": n})
    end = asyncio.create_task(reply.finish(b'{"answer":1}'))
    reader.flowing.set()
    await end
    bodies = [message["body"] for message in reader.sent[1:]]
    assert len(bodies) == QUEUE + 1
    assert b'{"n":100}' in bodies[0]
    assert b'{"answer":1}' in bodies[-1]


async def test_an_abandoned_reply_sends_nothing_more() -> None:
    reader = Reader()
    reply = Reply(reader.send)
    reply.tell({"n": 1})
    await asyncio.sleep(0)
    reply.abandon()
    await asyncio.sleep(0)
    reader.flowing.set()
    await asyncio.sleep(0)
    assert reader.sent == []


async def test_what_asks_something_is_never_dropped_for_a_slow_reader() -> None:
    reader = Reader()
    reply = Reply(reader.send)
    assert reply.tell({"id": "ask", "method": "roots/list"})
    kept = [reply.tell({"n": n}) for n in range(QUEUE + 50)]
    assert kept.count(False) == 51
    end = asyncio.create_task(reply.finish(b"{}"))
    reader.flowing.set()
    await end
    assert b'"ask"' in reader.sent[1]["body"]


async def test_the_era_is_told_once_it_is_known() -> None:
    for era, streams in (("legacy", True), ("legacy", False), ("", False)):
        reader = Reader()
        reader.flowing.set()
        reply = Reply(reader.send, lambda era=era: era)  # type: ignore[misc]
        if streams:
            reply.tell({"n": 1})
        await reply.finish(b"{}")
        found = dict(reader.sent[0]["headers"]).get(b"bawn-era")
        assert found == (era.encode() or None)
