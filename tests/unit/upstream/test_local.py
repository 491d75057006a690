from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from math import inf
from typing import Any

import msgspec
import pytest

from bawn.errors import REASONS, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import HttpReply
from bawn.protocol import strict, versions
from bawn.upstream.local import Local
from tests.unit.upstream.scripted import Asked, Heard, Server, error, outbound, result


async def fine(asked: Asked) -> HttpReply:
    return result(asked)


async def test_the_runner_gets_the_canonical_request_and_its_isolation_key() -> None:
    server = Server(fine)
    await Local(server.wire()).call(outbound(isolation="0123abcd"))
    (asked,) = server.asked
    assert asked.headers[b"bawn-isolation"] == b"0123abcd"
    assert b"bawn-project" not in asked.headers
    assert asked.message["params"]["name"] == "read"


async def test_a_directory_of_any_name_travels_in_a_header() -> None:
    server = Server(fine)
    call = outbound()
    named = Outbound(
        call.server, call.method, call.params, call.isolation, call.trace, call.name,
        project="/zwölf %41\n",
    )  # fmt: skip
    await Local(server.wire()).call(named)
    assert server.asked[0].headers[b"bawn-project"] == b"/zw%C3%B6lf%20%2541%0A"


async def test_the_runner_is_told_on_whose_account_a_process_is_held() -> None:
    server = Server(fine)
    local = Local(server.wire())
    await local.call(outbound())
    await local.call(msgspec.structs.replace(outbound(), principal="d1635e"))
    assert b"bawn-principal" not in server.asked[0].headers
    assert server.asked[1].headers[b"bawn-principal"] == b"d1635e"


async def refused(**data: Any) -> Refused:
    """The refusal that an error with this data becomes."""

    async def failing(asked: Asked) -> HttpReply:
        return error(asked, 31003, data=data)

    with pytest.raises(Refused) as caught:
        await Local(Server(failing).wire()).call(outbound())
    return caught.value


@pytest.mark.parametrize("reason", ["upstream.died", "upstream.not_started", "limit.children"])
async def test_the_runners_refusal_is_raised_as_it_was(reason: str) -> None:
    found = await refused(reason=reason, detail="exit code 7")
    assert found.reason is REASONS[reason]
    assert found.detail == "exit code 7"
    assert "exit code" not in found.message


@pytest.mark.parametrize(
    "data",
    [{"reason": "no.such"}, {"server": {"reason": "auth.missing"}}, {"reason": ["x"]}, [], "x"],
)
async def test_a_servers_own_error_is_none_of_ours(data: Any) -> None:
    async def failing(asked: Asked) -> HttpReply:
        return error(asked, -32050, data=data)

    local = Local(Server(failing).wire())
    assert (await local.call(outbound())).error == {"code": -32050, "message": "no", "data": data}
    await local.aclose()


# ── what a legacy server asks ───────────────────────────────────────────────────────────────────

OFFERS: Json = {versions.META_CAPABILITIES: {"roots": {}, "tasks": {}}}
ASK: Json = {"jsonrpc": "2.0", "id": "minted", "method": "roots/list"}


class Runner:
    """Asks by `before`, in a stream, and then answers the call; `status` is for answers."""

    def __init__(self, *before: Json, era: bytes = b"legacy", status: int = 202) -> None:
        self.before = before
        self.era = era
        self.status = status
        self.answered = asyncio.Event()
        self.server = Server(self._answer)

    async def _answer(self, asked: Asked) -> HttpReply:
        if asked.request.url.endswith("/answers"):
            self.answered.set()
            return HttpReply(self.status, {}, b"{}")
        done = {"jsonrpc": "2.0", "id": asked.message["id"], "result": {"resultType": "complete"}}
        if not self.before:
            return HttpReply(200, {b"bawn-era": self.era}, strict.encode(done))
        waits = any(message.get("method") == "roots/list" for message in self.before)
        events = self._events(done, withdrawn=len(self.before) > 1 or not waits)
        return HttpReply(200, {b"bawn-era": self.era}, b"", events)

    async def _events(self, done: Json, *, withdrawn: bool) -> AsyncIterator[bytes]:
        for message in self.before:
            yield strict.encode(message)
        if not withdrawn:
            await self.answered.wait()
        yield strict.encode(done)


async def test_what_a_caller_offers_is_sent_to_legacy_servers_alone() -> None:
    for era, sent in ((b"legacy", 2), (b"modern", 1)):
        runner = Runner(era=era)
        local = Local(runner.server.wire())
        for meta in (OFFERS, OFFERS, None):
            await local.call(outbound(meta=meta))
        offers = [asked.headers.get(b"bawn-offers") for asked in runner.server.asked]
        assert offers == [b'{"roots":{}}'] * sent + [None] * (3 - sent)
        await local.aclose()


async def test_nothing_is_offered_for_those_who_share_a_process() -> None:
    runner = Runner()
    await Local(runner.server.wire()).call(outbound(isolation="shared", meta=OFFERS))
    assert b"bawn-offers" not in runner.server.asked[0].headers


def retry(parked: Answer, **extra: Any) -> Outbound:
    assert parked.result is not None
    call = outbound(meta=OFFERS)
    params = {**call.params, "requestState": parked.result["requestState"], **extra}
    return msgspec.structs.replace(call, params=params, parked=True)


async def test_an_ask_parks_the_call_and_its_answer_goes_to_the_runner() -> None:
    runner = Runner(ASK)
    local = Local(runner.server.wire())
    parked = await local.call(outbound(meta=OFFERS))
    assert parked.parked
    assert parked.result is not None
    assert parked.result["inputRequests"] == {"1": {"method": "roots/list"}}
    answer = await local.call(retry(parked, inputResponses={"1": {"roots": []}}))
    assert answer.result == {"resultType": "complete"}
    call, posted = runner.server.asked
    assert posted.message == {"jsonrpc": "2.0", "id": "minted", "result": {"roots": []}}
    assert posted.headers[b"bawn-isolation"] == call.headers[b"bawn-isolation"]
    with pytest.raises(Refused) as refused:
        await local.call(retry(parked))
    assert refused.value.reason.id == "state.lost"
    await local.aclose()


@pytest.mark.parametrize(("status", "reason"), [(400, "upstream.status"), (503, "upstream.status")])
async def test_an_answer_that_the_runner_does_not_take_ends_the_call(
    status: int, reason: str
) -> None:
    runner = Runner(ASK, status=status)
    local = Local(runner.server.wire())
    parked = await local.call(outbound(meta=OFFERS))
    with pytest.raises(Refused) as refused:
        await local.call(retry(parked, inputResponses={"1": {"roots": []}}))
    assert refused.value.reason.id == reason
    await local.aclose()


async def test_a_withdrawn_ask_is_asked_no_more() -> None:
    withdrawn = {"method": "notifications/cancelled", "params": {"requestId": "minted"}}
    runner = Runner(ASK, {"jsonrpc": "2.0", **withdrawn})
    local = Local(runner.server.wire())
    answer = await local.call(outbound(meta=OFFERS))
    if answer.parked:
        answer = await local.call(retry(answer))
    assert answer.result == {"resultType": "complete"}
    await local.aclose()


async def test_a_stream_of_notifications_is_passed_on_whole_and_parks_nothing() -> None:
    told: list[Json] = [
        {"jsonrpc": "2.0", "method": "notifications/subscriptions/acknowledged", "params": {}},
        {"jsonrpc": "2.0", "method": "notifications/tools/list_changed"},
    ]
    runner = Runner(*told)
    heard = Heard()
    local = Local(runner.server.wire())
    answer = await local.call(outbound("subscriptions/listen", notifications={}), heard)
    assert heard.messages == told
    assert answer.result == {"resultType": "complete"}
    assert runner.server.asked[0].request.total == inf
