from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.ports import HttpReply
from bawn.protocol import versions
from bawn.upstream.http import Remote
from bawn.upstream.oldstream import OldStream
from tests.unit.upstream.live import Live, answered, asked, told, until
from tests.unit.upstream.old import INITIALIZED
from tests.unit.upstream.scripted import CREDENTIAL, URL, Asked, Heard, Server, outbound, reply

SAMPLING: Json = {versions.META_CAPABILITIES: {"sampling": {}}}


class Older:
    """A server of HTTP+SSE: answers on the stream what is posted where it said."""

    def __init__(self) -> None:
        self.server = Server(self.answer)
        self.live: list[Live] = []
        self.endpoint = b"/messages?session=1"
        self.status = 405
        self.gone = False
        self.silent = False

    async def answer(self, request: Asked) -> HttpReply:
        await asyncio.sleep(0)
        if request.request.method == "GET":
            self.live.append(Live(self.endpoint))
            return reply(events=self.live[-1])
        if request.request.url == URL:
            return reply(status=self.status)
        if self.gone:
            self.gone = False
            return reply(status=404)
        if request.method == "initialize":
            self.live[-1].say(answered(request.message["id"], **INITIALIZED))
        elif request.method == "ping" or ("id" in request.message and not self.silent):
            self.live[-1].say(answered(request.message["id"], content=[]))
        return reply(status=202)

    def id(self) -> int:
        """That of the last call."""
        found: int = self.server.of("tools/call")[-1].message["id"]
        return found


@pytest.fixture
def old() -> Older:
    return Older()


@pytest.fixture
def remote(old: Older) -> Remote:
    return Remote(old.server.wire(CREDENTIAL))


async def started(old: Older, remote: Remote, meta: Json | None = None) -> tuple[Any, Heard]:
    """A call that the server has not answered yet."""
    old.silent, heard = True, Heard()
    before = len(old.server.of("tools/call"))
    call = asyncio.create_task(remote.call(outbound(meta=meta), heard))
    await until(lambda: len(old.server.of("tools/call")) > before)
    await asyncio.sleep(0)
    return call, heard


async def test_after_both_posts_failed_the_stream_is_asked_for_and_used(
    old: Older, remote: Remote
) -> None:
    assert (await remote.call(outbound())).result == {"resultType": "complete", "content": []}
    assert old.server.methods() == [
        "server/discover", "initialize", "GET", "initialize", "notifications/initialized",
        "tools/call",
    ]  # fmt: skip
    call = old.server.asked[-1]
    assert call.request.url == "http://127.0.0.1:9/messages?session=1"
    assert call.headers[b"authorization"] == b"Bearer the-gates-own"
    assert b"mcp-session-id" not in call.headers
    await remote.call(outbound())
    assert len(old.live) == 1


@pytest.mark.parametrize(
    "endpoint",
    [
        b"http://169.254.169.254/latest",
        b"//b.example/x",
        b"https://127.0.0.1:9/x",
        b"http://127.0.0.1:10/x",
        b"http://me@127.0.0.1:9/x",
        b"http+unix://%2Frun%2Fx/",
        b"/\xff",
        b"x" * 3000,
        b"http://[",
    ],
)
async def test_an_endpoint_elsewhere_is_refused(
    old: Older, remote: Remote, endpoint: bytes
) -> None:
    old.endpoint = endpoint
    with pytest.raises(Refused, match=r"upstream\.status"):
        await remote.call(outbound())
    assert {asked.request.url for asked in old.server.asked} == {URL}
    assert old.live[0].closed


@pytest.mark.parametrize("status", [401, 500, 429])
async def test_another_status_is_not_taken_for_another_transport(
    old: Older, remote: Remote, status: int
) -> None:
    old.status = status
    with pytest.raises(Refused):
        await remote.call(outbound())
    assert not old.live


async def test_each_isolation_key_and_offer_has_its_own_stream(old: Older, remote: Remote) -> None:
    await remote.call(outbound())
    await remote.call(outbound(isolation="bob"))
    await remote.call(outbound(meta=SAMPLING))
    assert len(old.live) == 3
    await remote.aclose()
    await until(lambda: all(live.closed for live in old.live))


async def test_answers_find_their_calls_whatever_their_order(old: Older, remote: Remote) -> None:
    first, _ = await started(old, remote)
    one = old.id()
    second, _ = await started(old, remote)
    old.live[0].say(answered("1", wrong=0))
    old.live[0].say(answered(old.id(), n=2))
    old.live[0].say(answered(old.id(), n=3))
    old.live[0].say(answered(one, n=1))
    assert [(await first).result["n"], (await second).result["n"]] == [1, 2]


async def test_a_stream_that_breaks_fails_its_calls_and_the_next_opens_another(
    old: Older, remote: Remote
) -> None:
    call, _ = await started(old, remote)
    old.live[0].end()
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await call
    old.silent = False
    assert (await remote.call(outbound())).result
    assert len(old.live) == 2


async def test_a_server_that_forgot_the_stream_gets_another_and_the_call_once(
    old: Older, remote: Remote
) -> None:
    await remote.call(outbound())
    old.gone = True
    assert (await remote.call(outbound())).result
    assert len(old.live) == 2
    assert old.live[0].closed


async def test_progress_finds_its_call_and_log_messages_only_where_there_is_one(
    old: Older, remote: Remote
) -> None:
    meta = {"progressToken": "mine", versions.META_LOG_LEVEL: "debug"}
    first, heard = await started(old, remote, meta)
    one = old.id()
    old.live[0].say(told("notifications/message", level="info", data=1))
    await until(lambda: heard.messages)
    second, also = await started(old, remote, meta)
    old.live[0].say(told("notifications/message", level="info", data=2))
    old.live[0].say(told("notifications/progress", progressToken=one, progress=1))
    old.live[0].say(answered(one))
    old.live[0].say(answered(old.id()))
    await first
    await second
    assert [m["method"] for m in heard.messages] == [
        "notifications/message", "notifications/progress",
    ]  # fmt: skip
    assert heard.messages[1]["params"]["progressToken"] == "mine"
    assert also.messages == []


async def test_a_question_is_asked_of_the_caller(old: Older, remote: Remote) -> None:
    call, _ = await started(old, remote, SAMPLING)
    old.live[0].say(asked(9))
    answer = await call
    assert answer.parked
    params = {"requestState": answer.result["requestState"], "inputResponses": {"1": {"x": 1}}}
    retry = msgspec.structs.replace(outbound(meta=SAMPLING, **params), parked=True)
    going_on = asyncio.create_task(remote.call(retry))
    await until(
        lambda: old.server.asked[-1].message == {"jsonrpc": "2.0", "id": 9, "result": {"x": 1}}
    )
    old.live[0].say(answered(old.id(), n=1))
    assert ((await going_on).result or {})["n"] == 1


async def test_a_question_that_no_call_can_bear_is_refused(old: Older, remote: Remote) -> None:
    await remote.call(outbound(meta=SAMPLING))
    old.live[0].say(asked(9))
    await until(lambda: old.server.asked[-1].message.get("id") == 9)
    assert old.server.asked[-1].message["error"]["code"] == -32603


async def test_changes_are_told_from_the_one_stream(old: Older, remote: Remote) -> None:
    heard = Heard()
    wanted: Any = {"notifications": {"toolsListChanged": True}}
    INITIALIZED["capabilities"]["tools"] = {"listChanged": True}
    try:
        listen = asyncio.create_task(remote.call(outbound("subscriptions/listen", **wanted), heard))
        await until(lambda: heard.messages)
        await asyncio.sleep(0)
        old.live[0].say(told("notifications/tools/list_changed"))
        await until(lambda: len(heard.messages) == 2)
        old.live[0].fail()
        with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
            await listen
    finally:
        INITIALIZED["capabilities"]["tools"] = {}


async def test_streams_in_use_are_not_given_up_for_others(old: Older) -> None:
    remote = Remote(old.server.wire(connections=1))
    await remote.call(outbound())
    call, _ = await started(old, remote)
    with pytest.raises(Refused, match=r"upstream\.unreachable"):
        await remote.call(outbound(isolation="bob"))
    old.live[0].say(answered(old.id()))
    await call
    old.silent = False
    assert (await remote.call(outbound(isolation="bob"))).result
    await until(lambda: old.live[0].closed)


async def test_a_server_that_became_a_newer_one_is_spoken_to_as_such(
    old: Older, remote: Remote
) -> None:
    await remote.call(outbound())
    legacy: Any = remote._speaker
    assert isinstance(legacy._line, OldStream)

    async def newer(request: Asked) -> HttpReply:
        if request.request.method == "GET" or request.method == "server/discover":
            return reply(status=405)
        if request.method == "initialize":
            return reply({"jsonrpc": "2.0", "id": request.message["id"], "result": INITIALIZED})
        if "id" not in request.message:
            return reply(status=202)
        return reply({"jsonrpc": "2.0", "id": request.message["id"], "result": {"new": 1}})

    old.server.answer = newer
    old.live[0].end()
    await until(lambda: old.live[0].closed)
    with pytest.raises(Refused):
        await remote.call(outbound())
    assert ((await remote.call(outbound())).result or {})["new"] == 1
