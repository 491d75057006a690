"""What a server asks a modern caller, and the caller's way back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.config import Limits, Server
from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.model import Answer, Json, Kind, Outbound, Principal
from bawn.ports import Arrival, Elsewhere, Emit
from bawn.protocol import rounds
from tests.gate import (
    ABLE,
    ADA,
    DONE,
    FORM,
    ISSUER,
    META,
    ROOTS,
    SAMPLE,
    Held,
    House,
    Script,
    asks,
    listing,
    modern,
    reason_of,
)

READ: Json = {"name": "files__read", "arguments": {"path": "/a", "depth": 1}}
DECLARED: Json = {META + "clientCapabilities": ABLE}
YES: Json = {"sure": {"action": "accept", "content": {}}}
BOB = Principal("bob", ISSUER, ADA.roles, float("inf"))


def _ask(params: Json = READ, *, who: Principal = ADA, at: str | None = None) -> Arrival:
    return modern("tools/call", params, meta=DECLARED, who=who, at=at)


def _again(state: object, params: Json = READ, **arrival: Principal | str) -> Arrival:
    return _ask(params | {"requestState": state, "inputResponses": YES}, **arrival)  # type: ignore[arg-type]  # who, at


async def _asked(house: House, arrival: Arrival | None = None) -> Json:
    """What the caller reads of a call that needs input first."""
    reply, body = await house.ask(arrival or _ask())
    assert reply.status == 200
    result: Json = body["result"]
    assert result["resultType"] == "input_required"
    return result


# ── there and back ────────────────────────────────────────────────────────────────────────────────


async def test_what_a_server_asks_reaches_the_caller_with_a_state_of_the_gates_own() -> None:
    house = House()
    Script(house, asks({"sure": FORM, "where": ROOTS}, "s3cr3t"))
    result = await _asked(house)
    assert set(result["inputRequests"]) == {"sure", "where"}
    assert result["inputRequests"]["where"] == ROOTS
    assert "s3cr3t" not in result["requestState"]
    assert rounds.opened(house.sealer, result["requestState"]).inner == "s3cr3t"


async def test_the_person_who_is_asked_reads_which_server_asks() -> None:
    house = House()
    named = {"method": FORM["method"], "params": FORM["params"] | {"message": "[files] Sure?"}}
    Script(house, asks({"a": FORM, "b": named}))
    requests = (await _asked(house))["inputRequests"]
    assert [requests[key]["params"]["message"] for key in "ab"] == ["[files] Sure?"] * 2


@pytest.mark.parametrize("own", ["own state", "", None])
async def test_a_retry_goes_out_with_the_answers_and_the_servers_own_state(
    own: str | None,
) -> None:
    house = House()
    Script(house, asks({"sure": FORM}, own), DONE)
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result
    _, sent = house.sent
    assert sent.params["inputResponses"] == YES
    assert sent.params.get("requestState") == own
    assert (sent.name, sent.params["name"]) == ("read", "read")
    assert sent.params["arguments"] == READ["arguments"]
    assert not sent.parked


async def test_a_retry_is_a_call_with_an_intent_of_its_own() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    await house.ask(_again(state))
    assert house.journal.words() == ["intent", "send", "outcome"] * 2
    assert len({intent[3] for intent in house.journal.of("intent")}) == 2


async def test_a_server_may_ask_again_and_each_state_is_another() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), asks({"sure": FORM}), DONE)
    first = (await _asked(house))["requestState"]
    second = (await _asked(house, _again(first)))["requestState"]
    assert first != second
    _, body = await house.ask(_again(second))
    assert body["result"] == DONE.result


async def test_a_server_that_only_wants_to_be_called_again_is() -> None:
    house = House()
    Script(house, Answer(result={"resultType": "input_required", "requestState": "later"}), DONE)
    result = await _asked(house, modern("tools/call", READ))
    assert "inputRequests" not in result
    await house.ask(modern("tools/call", READ | {"requestState": result["requestState"]}))
    assert house.sent[1].params["requestState"] == "later"
    assert "inputResponses" not in house.sent[1].params


async def test_answers_without_a_state_are_the_servers_to_judge() -> None:
    house = House()
    await house.ask(_ask(READ | {"inputResponses": YES}))
    [sent] = house.sent
    assert sent.params["inputResponses"] == YES
    assert "requestState" not in sent.params
    assert not sent.parked


async def test_prompts_and_resources_have_rounds_too() -> None:
    for method, params in (
        ("prompts/get", {"name": "files__summary"}),
        ("resources/read", {"uri": "file:///deep/b"}),
    ):
        house = House()
        Script(house, asks({"sure": FORM}, "own"), DONE)
        result = await _asked(house, modern(method, params, meta=DECLARED))
        retry = params | {"requestState": result["requestState"], "inputResponses": YES}
        await house.ask(modern(method, retry, meta=DECLARED))
        assert house.sent[1].params["requestState"] == "own"


# ── one state, one retry ──────────────────────────────────────────────────────────────────────────


async def test_a_state_serves_once() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(_again(state))
    assert "result" in body
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "state.used"
    assert len(house.sent) == 2
    assert [reason for _, reason, _ in house.journal.of("refusal")] == ["state.used"]
    assert house.nothing_in_flight


async def test_of_two_retries_at_once_one_is_served() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    replies = await asyncio.gather(house.ask(_again(state)), house.ask(_again(state)))
    assert sorted("result" in body for _, body in replies) == [False, True]
    assert len(house.sent) == 2


async def test_a_retry_that_was_refused_before_it_left_may_come_again() -> None:
    house = House(limits=Limits(calls_per_principal=1))
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    held = Held(house, "issues")
    other = asyncio.create_task(house.ask(modern("tools/call", {"name": "issues__search"})))
    await held.reached.wait()
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "limit.principal"
    held.let.set()
    await other
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result


async def test_while_the_store_is_down_no_state_serves() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    house.graves.failing = Refused(STORE_UNAVAILABLE, detail="disk full")
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "store.unavailable"
    assert len(house.sent) == 1
    assert house.nothing_in_flight


# ── whose state it is ─────────────────────────────────────────────────────────────────────────────

OTHERS: dict[str, Callable[[str], Arrival]] = {
    "another principal": lambda state: _again(state, who=BOB),
    "other arguments": lambda state: _again(state, READ | {"arguments": {"path": "/b"}}),
    "one more argument": lambda state: _again(
        state, READ | {"arguments": {"path": "/a", "depth": 1, "x": 1}}
    ),
    "one more parameter": lambda state: _again(state, READ | {"own": 1}),
    "another tool": lambda state: _again(state, READ | {"name": "files__write"}),
    "another server": lambda state: _again(state, READ | {"name": "issues__read"}),
    "another method": lambda state: modern(
        "prompts/get", {"name": "files__summary", "requestState": state}, meta=DECLARED
    ),
    "another endpoint": lambda state: _again(state, READ | {"name": "read"}, at="files"),
    "cut short": lambda state: _again(state[:-1]),
    "grown": lambda state: _again(state + "A"),
    "padded": lambda state: _again(state + "="),
    "invented": lambda _: _again("x" * 40),
    "empty": lambda _: _again(""),
    "too long": lambda state: _again(state + "A" * 200_000),
}


@pytest.mark.parametrize("arrival", OTHERS.values(), ids=OTHERS)
async def test_a_state_serves_who_it_was_given_to_for_what_they_asked(
    arrival: Callable[[str], Arrival],
) -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(arrival(state))
    assert (reason_of(body), body["error"]["code"]) == ("state.invalid", -32602)
    assert len(house.sent) == 1
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result


async def test_a_state_of_the_aggregate_does_not_serve_at_the_servers_own_endpoint() -> None:
    house = House()
    echo: Json = {"name": "echo", "arguments": {}}  # one name at both
    Script(house, asks({"sure": FORM}), DONE, server="bare")
    state = (await _asked(house, _ask(echo)))["requestState"]
    _, body = await house.ask(_again(state, echo, at="bare"))
    assert reason_of(body) == "state.invalid"
    assert len(house.sent) == 1


async def test_a_state_does_not_outlive_its_time() -> None:
    house = House(limits=Limits(input=60.0))
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    house.clock.now += 60.0
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "state.invalid"
    house.clock.now -= 0.5
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result


async def test_a_state_of_another_gate_is_refused() -> None:
    one, other = House(), House()
    other.sealer.use([b"x" * 32])
    Script(one, asks({"sure": FORM}))
    state = (await _asked(one))["requestState"]
    await other.refused(_again(state), "state.invalid")


async def test_a_name_that_stands_for_another_servers_tool_by_now_is_refused() -> None:
    remote = Server(url="http://127.0.0.1:9/mcp", prefix="")
    house = House(servers={"a": remote, "b": remote}, serving=False)
    tools = {**dict.fromkeys(Kind, ()), Kind.TOOL: ({"name": "read"},)}
    house.gateway.swap(house.view(listing("a", tools)))
    Script(house, asks({"sure": FORM}), server="a")
    state = (await _asked(house, _ask({"name": "read"})))["requestState"]
    house.gateway.swap(house.view(listing("b", tools)))
    _, body = await house.ask(_again(state, {"name": "read"}))
    assert reason_of(body) == "state.invalid"
    assert [sent.server for sent in house.sent] == ["a"]


@pytest.mark.parametrize(
    "odd", [{"requestState": 5}, {"requestState": None}, {"inputResponses": []}, {"inputResponses": None}]
)  # fmt: skip
async def test_a_retry_of_another_shape_is_refused(odd: Json) -> None:
    await House().refused(_ask(READ | odd), "message.params")


async def test_the_order_of_keys_and_the_metadata_may_differ() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    turned = {"arguments": {"depth": 1, "path": "/a"}, "name": "files__read"}
    retry = turned | {"requestState": state, "inputResponses": YES}
    meta = DECLARED | {"progressToken": 9, META + "clientInfo": {"name": "x", "version": "1"}}
    _, body = await house.ask(modern("tools/call", retry, meta=meta, id_="other"))
    assert body["result"] == DONE.result


# ── decided anew ──────────────────────────────────────────────────────────────────────────────────


async def test_a_retry_is_decided_anew_by_policy() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    demoted = msgspec.structs.replace(ADA, roles=frozenset({"viewer"}))
    _, body = await house.ask(_again(state, who=demoted))
    assert reason_of(body) == "target.unknown"
    assert len(house.sent) == 1
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result


async def test_a_retry_is_decided_anew_by_what_is_cut() -> None:
    house = House()
    Script(house, asks({"sure": FORM}), DONE)
    state = (await _asked(house))["requestState"]
    house.gateway.cut(Cuts((Cut("item", "files:read", 0.0),)))
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "gate.cut"
    assert len(house.sent) == 1
    house.gateway.cut(Cuts())
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result


# ── parked calls ──────────────────────────────────────────────────────────────────────────────────


async def test_the_answers_to_a_parked_call_go_to_the_park() -> None:
    house = House()
    Script(house, asks({"sure": FORM}, "park", parked=True), DONE)
    state = (await _asked(house))["requestState"]
    await house.ask(_again(state))
    assert [(sent.parked, sent.params.get("requestState")) for sent in house.sent] == [
        (False, None),
        (True, "park"),
    ]


async def test_a_parked_call_is_resumed_where_it_waits() -> None:
    owner, other = House(slot=2, workers=3), House(slot=0, workers=3)
    Script(owner, asks({"sure": FORM}, "park", parked=True), DONE)
    state = (await _asked(owner))["requestState"]
    with pytest.raises(Elsewhere) as caught:
        await other.answer(_again(state))
    assert caught.value.slot == 2
    assert other.journal == []
    _, body = await owner.ask(_again(state))
    assert body["result"] == DONE.result


async def test_a_parked_call_whose_worker_is_gone_is_lost_and_never_begun_again() -> None:
    owner, other = House(slot=2, workers=3), House(slot=0, workers=3)
    Script(owner, asks({"sure": FORM}, "park", parked=True))
    state = (await _asked(owner))["requestState"]
    retry = msgspec.structs.replace(_again(state), settled=True)
    await other.refused(retry, "state.lost")
    assert other.journal.of("intent") == []


async def test_a_call_that_waits_nowhere_is_resumed_by_any_worker() -> None:
    owner, other = House(slot=2, workers=3), House(slot=0, workers=3)
    Script(owner, asks({"sure": FORM}, "own"))
    state = (await _asked(owner))["requestState"]
    await other.ask(_again(state))
    assert other.sent[0].params["requestState"] == "own"


# ── what may not be asked ─────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("declared", "requests", "required"),
    [
        ({}, {"a": FORM}, {"elicitation": {"form": {}}}),
        ({"elicitation": {"url": {}}}, {"a": FORM}, {"elicitation": {"form": {}}}),
        ({"elicitation": {}}, {"a": SAMPLE, "b": FORM}, {"sampling": {}}),
        ({"sampling": {}}, {"a": ROOTS}, {"roots": {}}),
        ({}, {"a": SAMPLE, "b": ROOTS}, {"sampling": {}, "roots": {}}),
    ],
)
async def test_a_caller_is_not_asked_what_it_did_not_declare(
    declared: Json, requests: Json, required: Json
) -> None:
    house = House()
    Script(house, asks(requests, "own"))
    arrival = modern("tools/call", READ, meta={META + "clientCapabilities": declared})
    reply, body = await house.ask(arrival)
    assert (reply.status, body["error"]["code"]) == (400, -32021)
    assert reason_of(body) == "input.undeclared"
    assert body["error"]["data"]["requiredCapabilities"] == required
    assert house.journal.of("outcome")[0][2] == "input.undeclared"


async def test_a_state_too_large_to_be_carried_is_the_servers_fault() -> None:
    house = House()
    longest = rounds.LONGEST - len('""')
    Script(house, asks({"sure": FORM}, "x" * longest), DONE)
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(_again(state))
    assert body["result"] == DONE.result
    for large in ("x" * (longest + 1), "é" * (longest // 2 + 1), "\x01" * (longest // 6 + 1)):
        Script(house, asks({"sure": FORM}, large))
        _, body = await house.ask(_ask())
        assert reason_of(body) == "upstream.invalid"


async def test_what_came_of_a_retry_that_the_server_failed_is_told_and_not_repeated() -> None:
    house = House()
    Script(house, asks({"sure": FORM}))
    state = (await _asked(house))["requestState"]

    async def fail(outbound: Outbound, emit: Emit | None) -> Answer:
        raise ConnectionError

    house.upstreams["files"].behave = fail
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "internal.error"
    _, body = await house.ask(_again(state))
    assert reason_of(body) == "state.used"
    assert len(house.sent) == 2
