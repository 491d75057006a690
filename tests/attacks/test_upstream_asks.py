"""What a server may do with the stream on which it asks beside the calls."""

from __future__ import annotations

import asyncio

import msgspec
import pytest

from bawn.errors import Refused
from bawn.model import Answer, Json
from bawn.ports import HttpReply
from bawn.protocol import versions
from bawn.upstream.legacy import Legacy
from tests.unit.upstream.live import Live, asked, told, until
from tests.unit.upstream.old import Old
from tests.unit.upstream.scripted import Asked, Heard, outbound, reply, result

CAPABLE: Json = {versions.META_CAPABILITIES: {"sampling": {}}, versions.META_LOG_LEVEL: "debug"}


class Hostile(Old):
    """Begins to answer each call and never ends; has a stream of its own in each session."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: dict[bytes, Live] = {}
        self.aside: dict[bytes, Live] = {}
        self.behave = self.work

    def work(self, call: Asked) -> HttpReply:
        if call.method != "tools/call":
            return result(call, {})
        self.calls[call.session] = Live()
        return reply(events=self.calls[call.session])

    async def answer(self, asked: Asked) -> HttpReply:
        if asked.method == "GET" and asked.session in self.sessions:
            self.aside[asked.session] = Live()
            return reply(events=self.aside[asked.session])
        return await super().answer(asked)

    def responses(self) -> list[Json]:
        """What it was told about its questions."""
        return [a.message for a in self.server.asked if a.message and "method" not in a.message]


@pytest.fixture
def old() -> Hostile:
    return Hostile()


@pytest.fixture
def legacy(old: Hostile) -> Legacy:
    return Legacy(old.server.wire())


async def call(
    old: Hostile, legacy: Legacy, isolation: str
) -> tuple[asyncio.Task[Answer], Heard, bytes]:
    """A call that the server works on, what its caller hears, and its session."""
    heard, before = Heard(), set(old.calls)
    task = asyncio.create_task(legacy.call(outbound(isolation=isolation, meta=CAPABLE), heard))
    await until(lambda: set(old.calls) - before)
    (session,) = set(old.calls) - before
    return task, heard, session


async def test_what_is_said_in_one_callers_session_reaches_no_other_caller(
    old: Hostile, legacy: Legacy
) -> None:
    alice, _, hers = await call(old, legacy, "alice")
    bob, heard, his = await call(old, legacy, "bob")
    (id_,) = {a.message["id"] for a in old.server.of("tools/call") if a.session == his}
    for message in (
        told("notifications/message", level="error", data="for bob"),
        told("notifications/progress", progressToken=id_, progress=1),
        told("notifications/cancelled", requestId=id_),
        {"jsonrpc": "2.0", "id": id_, "result": {"content": ["forged"]}},
        asked("q"),
        asked("r"),
    ):
        old.aside[hers].say(message)
    answer = await alice
    assert answer.parked
    for _ in range(100):
        await asyncio.sleep(0)
    assert (bob.done(), heard.messages) == (False, [])
    # nor can another caller speak for the one who is asked
    state = (answer.result or {})["requestState"]
    theirs = outbound(isolation="bob", requestState=state, inputResponses={"1": {"x": 1}})
    with pytest.raises(Refused, match=r"state\.lost"):
        await legacy.call(msgspec.structs.replace(theirs, parked=True))
    assert old.responses() == []
    bob.cancel()


async def test_a_flood_of_questions_beside_the_calls_is_refused_and_bounded(
    old: Hostile, legacy: Legacy
) -> None:
    first, _, session = await call(old, legacy, "alice")
    for number in range(10_000):
        old.aside[session].say(asked(number))
        old.aside[session].say(told("notifications/message", level="error", data=number))
    answer = await first
    assert len((answer.result or {})["inputRequests"]) <= 16
    await until(lambda: old.aside[session]._queue.empty())
    assert all("error" in response for response in old.responses())
    second, _, _ = await call(old, legacy, "bob")
    assert not second.done()
    await legacy.aclose()
    assert old.aside[session].closed


async def test_a_stream_that_breaks_at_once_is_not_opened_in_a_loop(
    old: Hostile, legacy: Legacy
) -> None:
    task, _, session = await call(old, legacy, "alice")
    for _ in range(200):
        old.aside[session].end()
        await asyncio.sleep(0.001)
    assert len(old.server.of("GET")) <= 4
    task.cancel()
