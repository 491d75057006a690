from __future__ import annotations

import asyncio

from bawn.ports import HttpReply
from bawn.upstream.modern import Modern, wire_headers
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
