from __future__ import annotations

import asyncio
from math import inf

import msgspec
import pytest

from bawn.errors import Refused
from bawn.ports import HttpReply
from bawn.upstream.modern import Modern, wire_headers
from tests.unit.upstream.live import Live, answered, told, until
from tests.unit.upstream.live import asked as asked_
from tests.unit.upstream.scripted import (
    CREDENTIAL,
    META,
    Asked,
    Events,
    Heard,
    Server,
    error,
    outbound,
    reply,
    result,
)


async def fine(asked: Asked) -> HttpReply:
    return result(asked)


async def test_a_call_is_sent_as_it_is_under_an_id_of_our_own() -> None:
    server = Server(fine)
    modern = Modern(server.wire(CREDENTIAL))
    for _ in range(2):
        answer = await modern.call(outbound(arguments={"path": "/a"}))
        assert answer.result == {"resultType": "complete", "content": []}
    first, second = server.asked
    assert first.message["params"] == {"name": "read", "arguments": {"path": "/a"}, "_meta": META}
    assert first.message["id"] != second.message["id"]
    assert first.headers[b"authorization"] == b"Bearer the-gates-own"


async def test_headers_are_made_of_what_is_sent() -> None:
    server = Server(fine)
    await Modern(server.wire()).call(outbound(name="zwölf"))
    headers = server.asked[0].headers
    assert headers[b"mcp-protocol-version"] == b"2026-07-28"
    assert headers[b"mcp-method"] == b"tools/call"
    assert headers[b"mcp-name"] == b"=?base64?enfDtmxm?="
    assert wire_headers("tools/list", None)[1:] == ((b"mcp-method", b"tools/list"),)


async def test_progress_of_a_stream_reaches_the_caller() -> None:
    async def streaming(asked: Asked) -> HttpReply:
        id_ = asked.message["id"]
        token = asked.message["params"]["_meta"]["progressToken"]
        told = {"progressToken": token, "progress": 1}
        note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": told}
        return reply(events=Events([note, {"jsonrpc": "2.0", "id": id_, "result": {}}]))

    heard = Heard()
    call = outbound(meta={"progressToken": "mine"})
    assert (await Modern(Server(streaming).wire()).call(call, heard)).result == {}
    assert [message["params"]["progressToken"] for message in heard.messages] == ["mine"]


async def test_calls_at_once_never_share_an_id_or_a_token() -> None:
    server = Server(fine)
    modern = Modern(server.wire())
    await asyncio.gather(*(modern.call(outbound(meta={"progressToken": 1})) for _ in range(20)))
    assert len({asked.message["id"] for asked in server.asked}) == 20
    tokens = {asked.message["params"]["_meta"]["progressToken"] for asked in server.asked}
    assert len(tokens) == 20


async def test_an_error_is_the_servers_own() -> None:
    async def failing(asked: Asked) -> HttpReply:
        return error(asked, -32050, data={"x": 1})

    answer = await Modern(Server(failing).wire()).call(outbound())
    assert answer.error == {"code": -32050, "message": "no", "data": {"x": 1}}
    await Modern(Server(failing).wire()).aclose()


async def test_headers_that_repeat_arguments_go_with_the_mirrored_ones() -> None:
    server = Server(fine)
    more = ((b"mcp-param-region", b"eu"), (b"traceparent", b"00-1"))
    await Modern(server.wire()).call(msgspec.structs.replace(outbound(), headers=more))
    asked = server.asked[0].headers
    assert (asked[b"mcp-param-region"], asked[b"traceparent"]) == (b"eu", b"00-1")
    assert asked[b"mcp-name"] == b"read"


# ── listening ───────────────────────────────────────────────────────────────────────────────────

ACKNOWLEDGED = "notifications/subscriptions/acknowledged"


def listening(live: Live) -> Server:
    async def streaming(asked: Asked) -> HttpReply:
        assert asked.request.total == inf
        return reply(events=live)

    return Server(streaming)


async def test_a_listen_tells_from_its_acknowledgement_to_its_result() -> None:
    live, heard = Live(), Heard()
    for said in (
        told("notifications/tools/list_changed", early=True),
        told(ACKNOWLEDGED, notifications={"toolsListChanged": True}),
        told("notifications/tools/list_changed"),
        told("notifications/message", level="error"),
        told("notifications/progress", progressToken=1, progress=1),
        asked_("q"),
        told("notifications/tasks/status", taskId="t"),
        answered(1, resultType="complete"),
    ):
        live.say(said)
    call = outbound("subscriptions/listen", notifications={"toolsListChanged": True})
    answer = await Modern(listening(live).wire()).call(call, heard)
    assert answer.result == {"resultType": "complete"}
    assert [m["method"] for m in heard.messages] == [
        ACKNOWLEDGED, "notifications/tools/list_changed", "notifications/tasks/status",
    ]  # fmt: skip
    assert live.closed


async def test_a_listen_outlives_the_bounds_of_calls_once_acknowledged() -> None:
    live = Live(told(ACKNOWLEDGED, notifications={}))
    modern = Modern(listening(live).wire(first_byte=0.02, total=0.02))
    task = asyncio.ensure_future(modern.call(outbound("subscriptions/listen"), Heard()))
    await asyncio.sleep(0.06)
    assert not task.done()
    live.fail()
    with pytest.raises(Refused, match=r"upstream\.outcome_unknown"):
        await task


async def test_a_listen_that_is_not_acknowledged_is_given_up() -> None:
    live = Live()
    modern = Modern(listening(live).wire(first_byte=0.02))
    with pytest.raises(Refused, match=r"upstream\.first_byte"):
        await modern.call(outbound("subscriptions/listen"), Heard())
    assert live.closed


async def test_listens_at_one_server_are_bounded() -> None:
    live, heard = Live(told(ACKNOWLEDGED, notifications={})), Heard()
    modern = Modern(listening(live).wire(connections=1))
    task = asyncio.ensure_future(modern.call(outbound("subscriptions/listen"), heard))
    await until(lambda: heard.messages)
    with pytest.raises(Refused, match=r"limit\.listens"):
        await modern.call(outbound("subscriptions/listen"), heard)
    task.cancel()
    await asyncio.wait({task})
    assert live.closed
