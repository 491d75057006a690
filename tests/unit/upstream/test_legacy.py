from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bawn.errors import UPSTREAM_UNREACHABLE, Refused
from bawn.ports import HttpReply
from bawn.protocol import versions
from bawn.upstream.legacy import Legacy
from tests.unit.upstream.old import INITIALIZED, Old
from tests.unit.upstream.scripted import (
    CREDENTIAL,
    Asked,
    Events,
    Heard,
    error,
    outbound,
    reply,
    result,
)


@pytest.fixture
def old() -> Old:
    return Old()


@pytest.fixture
def legacy(old: Old) -> Legacy:
    return Legacy(old.server.wire(CREDENTIAL))


# ── the handshake ───────────────────────────────────────────────────────────────────────────────


async def test_a_session_is_begun_as_the_handshake_says(old: Old, legacy: Legacy) -> None:
    await legacy.call(outbound())
    hello, confirmed, call = old.server.asked
    assert hello.method == "initialize"
    assert hello.message["params"]["capabilities"] == {}
    assert hello.message["params"]["clientInfo"]["name"] == "bawn"
    assert b"mcp-session-id" not in hello.headers
    assert confirmed.message == {"jsonrpc": "2.0", "method": "notifications/initialized"}
    for asked in (confirmed, call):
        assert asked.headers[b"mcp-session-id"] == b"s1"
        assert asked.headers[b"mcp-protocol-version"] == b"2025-06-18"
        assert asked.headers[b"authorization"] == b"Bearer the-gates-own"
        assert b"mcp-method" not in asked.headers


async def test_the_metadata_of_the_new_version_stays_here_and_everything_else_goes(
    old: Old, legacy: Legacy
) -> None:
    meta = {versions.META_LOG_LEVEL: "info", "progressToken": "t", "traceparent": "00-a", "x": 1}
    await legacy.call(outbound(meta=meta, arguments={"a": 1}))
    params = old.server.of("tools/call")[0].message["params"]
    assert params["arguments"] == {"a": 1}
    assert params["_meta"].keys() == {"progressToken", "traceparent", "x"}
    assert params["_meta"]["progressToken"] != "t"


async def test_results_and_errors_come_in_canonical_form(old: Old, legacy: Legacy) -> None:
    old.behave = lambda asked: result(asked, {"content": [], "x": 1})
    answer = await legacy.call(outbound())
    assert answer.result == {"resultType": "complete", "content": [], "x": 1}
    old.behave = lambda asked: result(asked, {"tools": [], "ttlMs": 9, "cacheScope": "public"})
    listed = (await legacy.call(outbound("tools/list"))).result or {}
    assert (listed["ttlMs"], listed["cacheScope"]) == (0, "private")
    old.behave = lambda asked: error(asked, -32002)
    assert ((await legacy.call(outbound("resources/read"))).error or {})["code"] == -32602


async def test_discovery_is_a_ping_and_is_answered_from_the_handshake(
    old: Old, legacy: Legacy
) -> None:
    old.behave = lambda asked: result(asked, {})
    found = (await legacy.call(outbound("server/discover"))).result or {}
    assert found["supportedVersions"] == ["2025-06-18"]
    assert found["instructions"] == "be good"
    assert old.server.methods()[-1] == "ping"
    assert "server/discover" not in old.server.methods()


async def test_a_handshake_that_fails_is_refused_and_tried_again(old: Old, legacy: Legacy) -> None:
    old.initialized = {**INITIALIZED, "protocolVersion": "1999-01-01"}
    with pytest.raises(Refused, match=r"upstream\.invalid"):
        await legacy.call(outbound())
    old.initialized = INITIALIZED
    assert (await legacy.call(outbound())).result


async def test_an_error_to_initialize_is_told_by_its_code(old: Old, legacy: Legacy) -> None:
    async def refusing(asked: Asked) -> HttpReply:
        return error(asked, -32600)

    old.server.answer = refusing
    with pytest.raises(Refused, match="initialize was answered with error -32600"):
        await legacy.call(outbound())


# ── whose session ───────────────────────────────────────────────────────────────────────────────


async def test_each_isolation_key_has_a_session_of_its_own(old: Old, legacy: Legacy) -> None:
    for isolation in ("alice", "bob", "alice"):
        await legacy.call(outbound(isolation=isolation))
    assert old.used() == [b"s1", b"s2", b"s1"]


async def test_concurrent_first_calls_begin_one_session(old: Old, legacy: Legacy) -> None:
    old.gate.clear()
    calls = [asyncio.create_task(legacy.call(outbound())) for _ in range(5)]
    await asyncio.sleep(0)
    old.gate.set()
    await asyncio.gather(*calls)
    assert old.used() == [b"s1"] * 5
    assert old.begun == 1


async def test_a_caller_who_gives_up_takes_the_session_from_nobody(
    old: Old, legacy: Legacy
) -> None:
    old.gate.clear()
    first = asyncio.create_task(legacy.call(outbound()))
    second = asyncio.create_task(legacy.call(outbound()))
    await asyncio.sleep(0)
    first.cancel()
    await asyncio.wait({first})
    old.gate.set()
    assert (await second).result
    assert old.begun == 1


# ── forgotten sessions ──────────────────────────────────────────────────────────────────────────


def plainly(asked: Asked, code: int, status: int, *, id_: object) -> HttpReply:
    """A 404 without JSON."""
    return reply(b"not found", status)


@pytest.mark.parametrize("gone", [error, plainly])
async def test_a_forgotten_session_is_begun_anew_and_the_call_made_once_more(
    old: Old, legacy: Legacy, gone: Any
) -> None:
    old.gone = gone
    await legacy.call(outbound())
    old.sessions.clear()
    assert (await legacy.call(outbound())).result
    assert old.used() == [b"s1", b"s1", b"s2"]


async def test_many_who_meet_a_forgotten_session_begin_one_in_its_place(
    old: Old, legacy: Legacy
) -> None:
    await legacy.call(outbound())
    old.sessions.clear()
    await asyncio.gather(*(legacy.call(outbound()) for _ in range(5)))
    assert old.begun == 2


async def test_a_server_that_forgets_at_once_is_refused_after_the_second_try(
    old: Old, legacy: Legacy
) -> None:
    class Forgetful(set[bytes]):
        def add(self, element: bytes) -> None:
            """Forget it."""

    old.sessions = Forgetful()
    with pytest.raises(Refused, match=r"upstream\.status"):
        await legacy.call(outbound())
    assert old.begun == 2
    old.sessions = set()
    assert (await legacy.call(outbound())).result


async def test_without_a_session_id_a_404_is_a_refusal_and_nothing_is_sent_twice() -> None:
    old = Old(identified=False)
    old.behave = lambda asked: reply(b"not found", 404)
    with pytest.raises(Refused, match=r"upstream\.status"):
        await Legacy(old.server.wire()).call(outbound())
    assert len(old.used()) == 1
    assert old.begun == 1


# ── during a call ───────────────────────────────────────────────────────────────────────────────


async def test_what_the_server_asks_is_answered_without_the_caller(
    old: Old, legacy: Legacy
) -> None:
    def asking(asked: Asked) -> HttpReply:
        ping = {"jsonrpc": "2.0", "id": "p", "method": "ping"}
        sampling = {"jsonrpc": "2.0", "id": asked.message["id"], "method": "sampling/createMessage"}
        done = {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}}
        return reply(events=Events([ping, sampling, done]))

    old.behave = asking
    heard = Heard()
    assert (await legacy.call(outbound(), heard)).result
    assert heard.messages == []
    while len([a for a in old.server.asked if "method" not in a.message]) < 2:
        await asyncio.sleep(0)
    answers = [a.message for a in old.server.asked if "method" not in a.message]
    assert answers[0] == {"jsonrpc": "2.0", "id": "p", "result": {}}
    assert answers[1]["error"]["code"] == -32601


async def test_log_messages_of_a_session_reach_only_the_call_that_asked(
    old: Old, legacy: Legacy
) -> None:
    def logging(asked: Asked) -> HttpReply:
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "error"}}
        done = {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}}
        return reply(events=Events([note, done]))

    old.behave = logging
    deaf, listening = Heard(), Heard()
    await legacy.call(outbound(), deaf)
    await legacy.call(outbound(meta={versions.META_LOG_LEVEL: "warning"}), listening)
    assert (len(deaf.messages), len(listening.messages)) == (0, 1)


async def test_a_cancelled_call_is_told_to_the_server_in_its_session(
    old: Old, legacy: Legacy
) -> None:
    reached, answer = asyncio.Event(), old.answer

    async def hanging(asked: Asked) -> HttpReply:
        if asked.method == "tools/call":
            reached.set()
            await asyncio.Event().wait()
        return await answer(asked)

    old.server.answer = hanging
    call = asyncio.create_task(legacy.call(outbound()))
    await reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    while not old.server.of("notifications/cancelled"):
        await asyncio.sleep(0)
    (told,) = old.server.of("notifications/cancelled")
    assert told.message["params"] == {"requestId": old.server.of("tools/call")[0].message["id"]}
    assert told.session == b"s1"


async def test_a_notification_that_does_not_arrive_ends_no_call(old: Old, legacy: Legacy) -> None:
    answer = old.answer

    async def deaf(asked: Asked) -> HttpReply:
        if asked.method == "notifications/initialized":
            raise Refused(UPSTREAM_UNREACHABLE)
        return await answer(asked)

    old.server.answer = deaf
    assert (await legacy.call(outbound())).result


# ── the end ─────────────────────────────────────────────────────────────────────────────────────


async def test_every_session_is_ended_with_the_gates_credential(old: Old, legacy: Legacy) -> None:
    for isolation in ("alice", "bob"):
        await legacy.call(outbound(isolation=isolation))
    await legacy.aclose()
    ended = old.server.of("DELETE")
    assert sorted(asked.session for asked in ended) == [b"s1", b"s2"]
    assert {asked.headers[b"authorization"] for asked in ended} == {b"Bearer the-gates-own"}
    assert all(asked.request.total <= 1.0 for asked in ended)
    await legacy.aclose()
    assert len(old.server.of("DELETE")) == 2


async def test_sessions_end_side_by_side_and_a_server_that_refuses_holds_up_nobody(
    old: Old, legacy: Legacy
) -> None:
    for isolation in "abc":
        await legacy.call(outbound(isolation=isolation))
    ending = 0
    together = asyncio.Event()

    async def refusing(asked: Asked) -> HttpReply:
        nonlocal ending
        ending += 1
        if ending == 3:
            together.set()
        await together.wait()
        raise Refused(UPSTREAM_UNREACHABLE)

    old.server.answer = refusing
    await asyncio.wait_for(legacy.aclose(), 30)
    assert ending == 3


async def test_a_session_that_is_just_begun_is_given_up(old: Old, legacy: Legacy) -> None:
    old.gate.clear()
    call = asyncio.create_task(legacy.call(outbound()))
    await asyncio.sleep(0)
    await legacy.aclose()
    with pytest.raises(Refused) as caught:  # not cancelled: its caller is still there
        await call
    assert caught.value.reason.id == "upstream.unreachable"
    assert json.dumps(old.server.methods()).count("DELETE") == 0


async def test_a_flood_of_requests_by_the_server_is_answered_up_to_a_bound(
    old: Old, legacy: Legacy
) -> None:
    asking = [{"jsonrpc": "2.0", "id": n, "method": "ping"} for n in range(1000)]
    answers, held = 0, asyncio.Event()

    async def slow(asked: Asked) -> HttpReply:
        nonlocal answers
        if "method" not in asked.message:
            answers += 1
            await held.wait()
        return await old.answer(asked)

    def flooding(asked: Asked) -> HttpReply:
        end = {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"content": []}}
        return reply(events=Events([*asking, end]))

    old.behave, old.server.answer = flooding, slow
    assert (await legacy.call(outbound())).result
    await asyncio.sleep(0)  # what was begun beside the call gets as far as the wire
    assert 0 < answers <= 64
    held.set()
