"""How long and how often servers may ask legacy callers, and whom."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bawn.config import Limits
from bawn.model import Answer, Json
from tests.gate import (
    ABLE,
    DONE,
    FORM,
    ROOTS,
    SAMPLE,
    House,
    Script,
    asks,
    legacy,
    reason_of,
    session_of,
)
from tests.unit.gateway.calling import (
    READ,
    SUMMARY,
    YES,
    Caller,
    caller_of,
    silent,
    waiting_in,
    yes,
)

# ── bounds ────────────────────────────────────────────────────────────────────────────────────────


async def test_a_caller_that_does_not_answer_in_time_is_told_so() -> None:
    house = House(limits=Limits(input=0.01))
    Script(house, asks({"sure": FORM, "where": ROOTS}), DONE)

    def answers(request: Json) -> Json | None:
        return {"result": {"roots": []}} if request["method"] == "roots/list" else None

    caller = await caller_of(house, answers)
    body = await caller.call()
    assert reason_of(body) == "input.failed"
    assert len(house.sent) == 1
    form, *_ = caller.requests()
    [told] = [message for message in caller.told if message["method"] == "notifications/cancelled"]
    assert told["params"]["requestId"] == form["id"]
    assert "id" not in told
    assert waiting_in(house) == 0
    assert (await caller.post(form["id"], {"result": YES})).status == 202
    assert len(house.sent) == 1


async def test_a_server_that_asks_again_and_again_is_stopped() -> None:
    house = House(limits=Limits(rounds=2))
    Script(house, asks({"sure": FORM}))
    caller = await caller_of(house, yes)
    body = await caller.call()
    assert reason_of(body) == "input.rounds"
    assert len(caller.requests()) == 2
    assert len(house.sent) == 3
    assert waiting_in(house) == house.in_flight == 0


async def test_a_server_may_ask_as_often_as_is_configured() -> None:
    house = House(limits=Limits(rounds=2))
    Script(house, asks({"sure": FORM}), asks({"sure": FORM}), DONE)
    body = await (await caller_of(house, yes)).call()
    assert body["result"] == {"content": []}


async def test_a_parked_call_that_asks_too_often_is_let_go() -> None:
    house = House(limits=Limits(rounds=1))
    Script(house, asks({"sure": FORM}, "park", parked=True))  # and again when it is let go
    caller = await caller_of(house, yes)
    assert reason_of(await caller.call()) == "input.rounds"
    while len(house.journal.of("outcome")) < 3:
        await asyncio.sleep(0)
    assert [set(sent.declined) for sent in house.sent] == [set(), set(), {"sure"}]
    while house.gateway._path._ending:
        await asyncio.sleep(0)
    assert len(house.sent) == 3


# ── who cannot be asked ───────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("declared", "requests"),
    [
        ({}, {"a": FORM}),
        ({"roots": {}}, {"a": SAMPLE}),
        ({"sampling": {}}, {"a": FORM, "b": SAMPLE}),
        ({"elicitation": {}}, {"a": ROOTS}),
    ],
)
async def test_a_session_is_not_asked_what_its_client_did_not_declare(
    declared: Json, requests: Json
) -> None:
    house = House()
    Script(house, asks(requests), DONE)
    caller = await caller_of(house, yes, declared)
    body = await caller.call("prompts/get", SUMMARY)
    assert reason_of(body) == "input.undeclared"
    assert body["error"]["data"]["requiredCapabilities"]
    assert caller.told == []
    assert len(house.sent) == 1


async def test_a_model_reads_that_its_client_cannot_be_asked() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    body = await (await caller_of(house, yes, {})).call()
    assert body["result"]["isError"] is True
    assert "capability" in body["result"]["content"][0]["text"]


async def test_without_a_session_nobody_is_asked() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = Caller(house, None, yes)
    assert reason_of(await caller.call("prompts/get", SUMMARY)) == "input.undeclared"
    assert caller.told == []


async def test_a_version_without_elicitation_is_not_asked_for_it() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    session = await session_of(house, version="2025-03-26", capabilities=ABLE)
    caller = Caller(house, session, yes)
    arrival = legacy("prompts/get", SUMMARY, session=session, version="2025-03-26")
    reply = await house.gateway.answer(arrival, caller.emit)
    assert reason_of(json.loads(reply.body)) == "input.undeclared"
    assert caller.told == []


# ── while a caller is asked ───────────────────────────────────────────────────────────────────────


async def test_a_call_is_cancelled_while_its_caller_is_asked() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    cancel = legacy("notifications/cancelled", {"requestId": 1}, id_=None, session=caller.session)
    await house.answer(cancel)
    assert reason_of(await call) == "call.cancelled"
    assert len(house.sent) == 1
    assert waiting_in(house) == house.in_flight == 0


async def test_a_caller_that_goes_away_while_it_is_asked_leaves_nothing_behind() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert len(house.sent) == 1
    assert waiting_in(house) == house.in_flight == 0


@pytest.mark.parametrize("how", ["cancelled", "gone", "late"])
async def test_a_server_whose_parked_call_nobody_answers_is_told_so(how: str) -> None:
    house = House(limits=Limits(input=0.01 if how == "late" else 600.0))
    Script(house, asks({"sure": FORM, "where": ROOTS}, "park", parked=True), DONE)
    caller = await caller_of(house, silent)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    if how == "cancelled":
        told: Json = {"requestId": 1}
        await house.answer(
            legacy("notifications/cancelled", told, id_=None, session=caller.session)
        )
    elif how == "gone":
        call.cancel()
    await asyncio.wait({call})
    while len(house.journal.of("outcome")) < 2:
        await asyncio.sleep(0)
    resumed = house.sent[1]
    assert (resumed.parked, resumed.params["requestState"]) == (True, "park")
    assert resumed.params["inputResponses"] == {}
    assert set(resumed.declined) == {"sure", "where"}
    assert house.journal.words() == ["intent", "send", "outcome"] * 2
    assert house.nothing_in_flight


async def test_a_modern_server_that_nobody_answers_is_not_called_again() -> None:
    house = House(limits=Limits(input=0.01))
    Script(house, asks({"sure": FORM}, "own"), DONE)
    caller = await caller_of(house, silent)
    assert reason_of(await caller.call()) == "input.failed"
    assert len(house.sent) == 1
    assert not house.gateway._path._ending


async def test_a_caller_whose_stream_fails_is_not_waited_for() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    session = await session_of(house, capabilities=ABLE)

    async def broken(message: Json) -> None:
        raise ConnectionError

    reply = await house.gateway.answer(legacy("tools/call", READ, session=session), broken)
    assert reason_of(json.loads(reply.body)) == "internal.error"
    assert waiting_in(house) == house.in_flight == 0


async def test_the_ids_of_requests_are_never_the_same() -> None:
    house = House()
    answers: list[Answer] = [asks({str(n): ROOTS for n in range(20)})] * 3
    Script(house, *answers, DONE)
    caller = await caller_of(house, lambda _: {"result": {"roots": []}})
    await caller.call()
    ids: list[Any] = [request["id"] for request in caller.requests()]
    assert len(set(ids)) == len(ids) == 60
