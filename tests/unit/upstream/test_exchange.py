from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bawn.errors import Refused
from bawn.model import Json
from bawn.ports import HttpReply
from bawn.protocol import versions
from bawn.protocol.strict import OFF_LOOP
from bawn.upstream.exchange import Relay
from tests.unit.upstream.scripted import (
    CREDENTIAL,
    URL,
    Asked,
    Events,
    Heard,
    Server,
    reply,
    result,
)

GOOD: Json = {"jsonrpc": "2.0", "id": 7, "result": {"content": []}}


async def ask(answer: HttpReply, **limits: Any) -> Any:
    """The answer to request 7, or the reason of the refusal."""

    async def same(asked: Asked) -> HttpReply:
        return answer

    try:
        found = await Server(same).wire(**limits).ask(7, "tools/call", {}, (), Heard())
    except Refused as refused:
        return refused.reason.id
    return found.result if found.error is None else found.error


# ── what is sent ────────────────────────────────────────────────────────────────────────────────


async def test_a_request_is_json_rpc_with_the_gates_credential_and_its_deadlines() -> None:
    async def good(asked: Asked) -> HttpReply:
        return result(asked)

    server = Server(good)
    wire = server.wire(CREDENTIAL, first_byte=3.0, total=9.0, result=1000)
    await wire.ask(3, "tools/call", {"name": "x"}, ((b"mcp-name", b"x"),), Heard())
    (asked,) = server.asked
    request = asked.request
    assert (request.method, request.url) == ("POST", URL)
    assert (request.first_byte, request.total, request.limit) == (3.0, 9.0, 1000)
    assert list(request.headers) == [
        (b"content-type", b"application/json"),
        (b"accept", b"application/json, text/event-stream"),
        *CREDENTIAL,
        (b"mcp-name", b"x"),
    ]
    assert asked.message == {
        "jsonrpc": "2.0",
        "id": 3,
        "method": "tools/call",
        "params": {"name": "x"},
    }


# ── what comes back ─────────────────────────────────────────────────────────────────────────────


async def test_a_result_is_the_answer() -> None:
    assert await ask(reply(GOOD)) == {"content": []}
    assert await ask(reply(json.dumps(GOOD, separators=(",", ":")).encode())) == {"content": []}


async def test_an_error_of_a_known_status_is_the_servers_own() -> None:
    told = {"code": -32602, "message": "no such tool", "data": [1]}
    for status in (200, 400, 404, 500):
        assert await ask(reply({"jsonrpc": "2.0", "id": 7, "error": told}, status)) == told
    assert await ask(reply({"jsonrpc": "2.0", "id": None, "error": told}, 400)) == told


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (reply(b""), "upstream.invalid"),
        (reply(b"<html>"), "upstream.invalid"),
        (reply(b"null"), "upstream.invalid"),
        (reply(b"5"), "upstream.invalid"),
        (reply(b"true"), "upstream.invalid"),
        (reply(b'"text"'), "upstream.invalid"),
        (reply([GOOD]), "upstream.invalid"),
        (reply({}), "upstream.invalid"),
        (reply({**GOOD, "id": 8}), "upstream.invalid"),
        (reply({**GOOD, "id": "7"}), "upstream.invalid"),
        (reply({**GOOD, "id": 7.0}), "upstream.invalid"),
        (reply({**GOOD, "id": None}), "upstream.invalid"),
        (reply({**GOOD, "jsonrpc": "1.0"}), "upstream.invalid"),
        (reply({**GOOD, "result": []}), "upstream.invalid"),
        (reply({**GOOD, "error": {"code": 1, "message": ""}}), "upstream.invalid"),
        (reply({"jsonrpc": "2.0", "id": 7}), "upstream.invalid"),
        (reply({"jsonrpc": "2.0", "id": 7, "error": "text"}), "upstream.invalid"),
        (reply(b'{"jsonrpc":"2.0","id":7,"result":{"a":1,"a":2}}'), "upstream.invalid"),
        (reply(b'{"jsonrpc":"2.0","id":7,"result":{"a":1e999}}'), "upstream.invalid"),
        (reply(GOOD, 202), "upstream.status"),
        (reply(GOOD, 302), "upstream.status"),
        (reply(GOOD, 500), "upstream.status"),
        (reply(b"", 404), "upstream.status"),
        (reply({**GOOD, "error": {"code": 1, "message": ""}}, 404), "upstream.status"),
        (reply(b"", 401), "upstream.sign_in"),
        (reply({"jsonrpc": "2.0", "id": 7, "error": {"code": 1, "message": ""}}, 403), "upstream.sign_in"),
    ],
)  # fmt: skip
async def test_anything_else_is_a_refusal_with_its_reason(answer: HttpReply, reason: str) -> None:
    assert await ask(answer) == reason


async def test_a_result_is_bounded_in_depth_and_values() -> None:
    deep = {**GOOD, "result": {"a": [[[[1]]]]}}
    assert await ask(reply(deep)) == {"a": [[[[1]]]]}
    assert await ask(reply(deep), json_depth=4) == "upstream.invalid"
    assert await ask(reply(deep), json_nodes=4) == "upstream.invalid"


@pytest.mark.parametrize("size", [1, OFF_LOOP + 1])
async def test_a_lone_surrogate_is_mended(size: int) -> None:
    text = "x" * size
    body = json.dumps({**GOOD, "result": {"a": f"{text}\ud800"}}).encode()
    assert await ask(reply(body)) == {"a": f"{text}\ufffd"}


# ── event streams ───────────────────────────────────────────────────────────────────────────────


async def stream(*values: Any) -> tuple[Any, list[Json], Events]:
    """The answer at the end of these events, what was said before, and the stream."""
    events, heard = Events(values), Heard()

    async def same(asked: Asked) -> HttpReply:
        return reply(events=events)

    try:
        found = await Server(same).wire().ask(7, "tools/call", {}, (), heard)
        answer: Any = found.result
    except Refused as refused:
        answer = refused.reason.id
    return answer, heard.messages, events


async def test_the_first_response_ends_a_stream_and_what_comes_before_is_heard() -> None:
    note = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {}}
    asking = {"jsonrpc": "2.0", "id": 7, "method": "ping"}
    second = {**GOOD, "result": {"second": True}}
    answer, heard, events = await stream(note, asking, GOOD, second)
    assert answer == {"content": []}
    assert heard == [note, asking]
    assert events.closed


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ((), "upstream.outcome_unknown"),
        (({"jsonrpc": "2.0", "method": "notifications/x"},), "upstream.outcome_unknown"),
        (({**GOOD, "id": 8}, GOOD), "upstream.invalid"),
        ((b"[]", GOOD), "upstream.invalid"),
        ((b"5", GOOD), "upstream.invalid"),
        ((b"null", GOOD), "upstream.invalid"),
        ((b"{", GOOD), "upstream.invalid"),
    ],
)
async def test_a_stream_without_the_answer_is_a_refusal(
    values: tuple[Any, ...], reason: str
) -> None:
    answer, _, events = await stream(*values)
    assert answer == reason
    assert events.closed


async def test_a_stream_that_goes_with_a_refusing_status_is_let_go() -> None:
    for status, reason in ((401, "upstream.sign_in"), (500, "upstream.status")):
        events = Events([GOOD])
        assert await ask(reply(status=status, events=events)) == reason
        assert events.closed


async def test_whatever_answers_a_notification_is_let_go() -> None:
    events = Events([GOOD])

    async def streaming(asked: Asked) -> HttpReply:
        return reply(events=events)

    await Server(streaming).wire().post(b"{}", ())
    assert events.closed


# ── notifications on their way to the caller ────────────────────────────────────────────────────


def progress(token: object, value: object, **more: Any) -> Json:
    """A progress notification of a server."""
    told = {"progressToken": token, "progress": value, **more}
    return {"jsonrpc": "2.0", "method": "notifications/progress", "params": told}


async def relayed(meta: Json | None, *messages: Json) -> list[Json]:
    """What a caller with this `_meta` hears of these messages."""
    heard = Heard()
    params = {"name": "x"} if meta is None else {"name": "x", "_meta": meta}
    relay = Relay(params, 42, heard)
    for message in messages:
        await relay(message)
    return heard.messages


async def test_a_caller_without_a_token_sends_none_and_hears_no_progress() -> None:
    assert Relay({"name": "x"}, 42, None).params == {"name": "x"}
    assert Relay({"_meta": {"a": 1}}, 42, None).params == {"_meta": {"a": 1}}
    assert await relayed({}, progress(42, 1), progress(None, 1)) == []


@pytest.mark.parametrize("token", ["mine", 0, 42, ""])
async def test_progress_travels_under_the_callers_own_token(token: str | int) -> None:
    params = {"_meta": {"progressToken": token, "a": 1}}
    assert Relay(params, 42, None).params == {"_meta": {"progressToken": 42, "a": 1}}
    assert params == {"_meta": {"progressToken": token, "a": 1}}
    heard = await relayed({"progressToken": token}, progress(42, 1, total=2, x="kept"))
    assert heard == [progress(token, 1, total=2, x="kept")]


async def test_progress_must_be_this_calls_a_number_and_go_up() -> None:
    steps = [
        progress(42, 1), progress(42, 1), progress(42, 0.5), progress(41, 9), progress("42", 9),
        progress(42, "9"), progress(42, True), progress(42, None), progress(42, 2.5),
    ]  # fmt: skip
    heard = await relayed({"progressToken": "t"}, *steps)
    assert [message["params"]["progress"] for message in heard] == [1, 2.5]


def said(level: object, **more: Any) -> Json:
    """A log message of a server."""
    return {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": level, **more}}


async def test_log_messages_reach_only_who_asked_from_the_level_that_was_asked() -> None:
    messages = [said(level) for level in ("debug", "warning", "emergency", "loud", None, ["error"])]
    assert await relayed({}, *messages) == []
    assert await relayed(None, *messages) == []
    assert await relayed({versions.META_LOG_LEVEL: "everything"}, *messages) == []
    heard = await relayed({versions.META_LOG_LEVEL: "warning"}, *messages)
    assert [message["params"]["level"] for message in heard] == ["warning", "emergency"]


async def test_nothing_else_is_passed_on() -> None:
    meta = {"progressToken": "t", versions.META_LOG_LEVEL: "debug"}
    dropped: list[Json] = [
        {"jsonrpc": "2.0", "method": "notifications/tools/list_changed", "params": {}},
        {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}},
        {**said("error"), "id": 1},
        {**said("error"), "jsonrpc": "1.0"},
        {"method": "notifications/message", "params": {"level": "error"}},
        {**said("error"), "params": []},
        {"jsonrpc": "2.0", "method": "notifications/message"},
    ]
    assert await relayed(meta, *dropped) == []


async def test_a_caller_that_does_not_read_ends_the_call_in_its_time() -> None:
    events = Events([{"jsonrpc": "2.0", "method": "notifications/message"}, GOOD])

    async def streaming(asked: Asked) -> HttpReply:
        return reply(events=events)

    async def unread(message: Json) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Refused, match=r"upstream\.total"):
        await Server(streaming).wire(total=0.01).ask(7, "tools/call", {}, (), unread)
    assert events.closed
