"""What servers ask legacy callers: on the stream of the call, answered by messages of their own."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import Limits
from bawn.model import Json
from bawn.ports import Elsewhere
from tests.gate import (
    DONE,
    FORM,
    ROOTS,
    SAMPLE,
    VIC,
    House,
    Script,
    arrive,
    asks,
    legacy,
    reason_of,
    session_of,
)
from tests.unit.gateway.calling import (
    YES,
    caller_of,
    error,
    silent,
    waiting_in,
    yes,
)

# ── there and back ────────────────────────────────────────────────────────────────────────────────


async def test_a_legacy_caller_is_asked_on_the_stream_of_its_call() -> None:
    house = House(slot=3, workers=4)
    Script(house, asks({"sure": FORM}, "own"), DONE)
    caller = await caller_of(house, yes)
    body = await caller.call()
    assert body["result"] == {"content": []}
    [request] = caller.requests()
    assert request["method"] == "elicitation/create"
    assert request["params"]["message"] == "[files] Sure?"
    assert request["id"].startswith("3.")  # whose it is: any worker can tell
    first, second = house.sent
    assert second.params["inputResponses"] == {"sure": YES}
    assert second.params["requestState"] == "own"
    assert second.params["arguments"] == first.params["arguments"]
    assert waiting_in(house) == house.in_flight == 0


async def test_everything_is_asked_at_once() -> None:
    house = House()
    Script(house, asks({"sure": FORM, "think": SAMPLE, "where": ROOTS}), DONE)
    order: list[str] = []
    caller = await caller_of(house, lambda request: order.append(request["method"]))
    call = asyncio.create_task(caller.call())
    while len(order) < 3:
        caller.asked.clear()
        await caller.asked.wait()
    for request in reversed(caller.requests()):
        await caller.post(request["id"], {"result": {"of": request["method"]}})
    await call
    assert house.sent[1].params["inputResponses"] == {
        "sure": {"of": "elicitation/create"},
        "think": {"of": "sampling/createMessage"},
        "where": {"of": "roots/list"},
    }


async def test_each_round_is_decided_and_recorded_anew() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), asks({"sure": FORM}), DONE)
    caller = await caller_of(house, yes)
    await caller.call()
    assert house.journal.words() == ["intent", "send", "outcome"] * 3
    statuses = [status for _, _, status, _ in house.journal.of("outcome")]
    assert statuses == ["input_required", "input_required", "ok"]


async def test_what_is_cut_while_the_caller_thinks_is_not_called_again() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)

    def cut(_: Json) -> Json:
        house.gateway.cut(Cuts((Cut("item", "files:read", 0.0),)))
        return {"result": YES}

    body = await (await caller_of(house, cut)).call()
    assert reason_of(body) == "gate.cut"
    assert len(house.sent) == 1
    assert house.nothing_in_flight


async def test_while_the_caller_thinks_its_call_takes_no_place() -> None:
    house = House(limits=Limits(calls_per_principal=1))
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    _, body = await house.ask(legacy("tools/call", {"name": "issues__search"}, id_=2))
    assert "result" in body
    await caller.post(caller.requests()[0]["id"], {"result": YES})
    assert "result" in await call


async def test_a_parked_call_is_resumed_by_its_park() -> None:
    house = House()
    Script(house, asks({"sure": FORM}, "park", parked=True), DONE)
    await (await caller_of(house, yes)).call()
    assert [(sent.parked, sent.params.get("requestState")) for sent in house.sent] == [
        (False, None),
        (True, "park"),
    ]
    assert house.sent[1].declined == {}


# ── who may answer ────────────────────────────────────────────────────────────────────────────────


async def test_nobody_else_answers_what_a_caller_was_asked() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    second, elsewhere = await session_of(house), await session_of(house, at="files")
    foreign = await session_of(house, VIC)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    id_ = caller.requests()[0]["id"]
    stolen: Json = {"result": {"action": "accept", "content": {"stolen": True}}}
    for post in (
        caller.post(id_, stolen, session=second),
        caller.post(id_, stolen, session=foreign, who=VIC),
        caller.post(id_, stolen, session=elsewhere, at="files"),
        caller.post("0.beef", stolen),
        caller.post(1, stolen),
    ):
        assert (await post).status == 202
    assert (await caller.post(id_, stolen, who=VIC)).status == 404
    assert (await caller.post(id_, stolen, at="files")).status == 404
    assert len(house.sent) == 1
    await caller.post(id_, {"result": YES})
    await call
    assert house.sent[1].params["inputResponses"] == {"sure": YES}


async def test_an_answer_that_came_to_the_wrong_worker_is_not_taken_for_one_that_is_late() -> None:
    house = House(slot=3, workers=4)
    caller = await caller_of(house, silent)
    answer = {"jsonrpc": "2.0", "id": "2.beef", "result": YES}
    for body in (answer, [answer]):
        named: dict[bytes, bytes | None] = {b"mcp-session-id": (caller.session or "").encode()}
        if isinstance(body, list):
            named |= {b"mcp-session-id": None, b"mcp-protocol-version": b"2025-03-26"}
        arrival = arrive(body, named)
        with pytest.raises(Elsewhere) as elsewhere:
            await house.answer(arrival)
        assert elsewhere.value.slot == 2
        reply = await house.answer(msgspec.structs.replace(arrival, settled=True))
        assert (reply.status, b"gate.not_ready" in reply.body) == (503, True)


async def test_a_batch_answers_what_one_worker_asked() -> None:
    house = House(slot=3, workers=4)
    told = [{"jsonrpc": "2.0", "id": id_, "result": YES} for id_ in ("2.beef", "3.beef")]
    reply = await house.answer(arrive(told, {b"mcp-protocol-version": b"2025-03-26"}))
    assert (reply.status, b"must come apart" in reply.body) == (400, True)


async def test_the_first_answer_counts() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    id_ = caller.requests()[0]["id"]
    for outcome in ({"result": YES}, {"result": {"action": "decline"}}, error({})):
        assert (await caller.post(id_, outcome)).status == 202
    await call
    assert house.sent[1].params["inputResponses"] == {"sure": YES}
    assert (await caller.post(id_, {"result": YES})).status == 202


@pytest.mark.parametrize(
    "outcome",
    [{}, {"result": None}, {"result": []}, {"result": {}, "error": {}}, {"error": "no"}],
)
async def test_an_answer_of_another_shape_answers_nothing(outcome: Json) -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, silent)
    call = asyncio.create_task(caller.call())
    await caller.asked.wait()
    id_ = caller.requests()[0]["id"]
    assert (await caller.post(id_, outcome)).status == 400
    assert len(house.sent) == 1
    await caller.post(id_, {"result": YES})
    await call


# ── errors ────────────────────────────────────────────────────────────────────────────────────────


async def test_anerror_reaches_the_legacy_server_that_asked() -> None:
    house = House()
    Script(house, asks({"sure": FORM, "where": ROOTS}, "park", parked=True), DONE)

    def answers(request: Json) -> Json:
        return error(request) if request["method"] == "roots/list" else yes(request)

    await (await caller_of(house, answers)).call()
    resumed = house.sent[1]
    assert resumed.declined == {"where": {"code": -1, "message": "the user is out"}}
    assert resumed.params["inputResponses"] == {"sure": YES}


async def test_for_a_modern_server_anerror_is_an_elicitation_that_was_cancelled() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    await (await caller_of(house, error)).call()
    assert house.sent[1].params["inputResponses"] == {"sure": {"action": "cancel"}}
    assert house.sent[1].declined == {}


@pytest.mark.parametrize("request_", [SAMPLE, ROOTS])
async def test_a_modern_server_cannot_go_on_without_the_rest(request_: Json) -> None:
    house = House()
    Script(house, asks({"x": request_}), DONE)
    body = await (await caller_of(house, error)).call()
    assert reason_of(body) == "input.failed"
    assert "the user is out" not in json.dumps(body)
    assert len(house.sent) == 1


async def test_a_refusal_of_the_person_is_an_answer() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, lambda _: {"result": {"action": "decline", "content": None}})
    await caller.call()
    assert house.sent[1].params["inputResponses"] == {"sure": {"action": "decline"}}
