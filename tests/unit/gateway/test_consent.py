"""Calls that policy asks about leave with their consent, once each, and never without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

import pytest

from bawn.barrier.edition import Cut, Cuts
from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.model import Approval, Ask, Call, Decision, Item, Json, Label, Principal, View
from bawn.ports import Arrival
from tests.gate import (
    ABLE,
    ADA,
    DONE,
    FORM,
    ISSUER,
    META,
    House,
    Script,
    asks,
    legacy,
    modern,
    reason_of,
    session_of,
)
from tests.unit.gateway.calling import READ, caller_of, error, silent

KEY: Final = "bawn.approval"
DECLARED: Final[Json] = {META + "clientCapabilities": ABLE}
YES: Final[Json] = {KEY: {"action": "accept", "content": {"approve": True}}}
SELF: Final = Ask("risky", frozenset(), confirm=True, count=1, within=900.0)
ONCALL: Final = Ask("risky", frozenset({"oncall"}), confirm=False, count=1, within=900.0)
BOB: Final = Principal("bob", ISSUER, ADA.roles, float("inf"))


class Asking:
    """A policy that allows everything, once this was consented to."""

    def __init__(self, *wanted: Ask) -> None:
        self.decision = Decision(True, "permit all", wanted)

    def decide(self, call: Call, item: Item) -> Decision:
        return self.decision

    def may(self, principal: Principal, item: Item) -> bool:
        return True

    def permission_set(self, principal: Principal) -> str:
        return "all"

    def touches(self, item: Item) -> frozenset[Label]:
        return frozenset()

    def swap(self, view: View) -> None:
        """Fills `ports.PolicyEngine`."""


def house_that_asks(*wanted: Ask, wait: float = 0.02) -> House:
    return House(policy=Asking(*(wanted or (SELF,))), wait=wait)


def called(params: Json = READ, *, able: bool = True, who: Principal = ADA) -> Arrival:
    return modern("tools/call", params, meta=DECLARED if able else None, who=who)


async def question_of(house: House, params: Json = READ) -> Json:
    """What the gate asks its modern caller, after seeing that nothing was sent."""
    _, body = await house.ask(called(params))
    assert body["result"]["resultType"] == "input_required"
    assert house.sent == []
    result: Json = body["result"]
    return result


def again(question: Json, responses: Json = YES, params: Json = READ) -> Arrival:
    """The call again, with an answer."""
    came_with = {"requestState": question["requestState"], "inputResponses": responses}
    return called({**params, **came_with})


async def refusal_of(house: House, arrival: Arrival) -> tuple[str, Json]:
    _, body = await house.ask(arrival)
    return reason_of(body), body["error"]


def approval_of(house: House) -> Approval:
    [approval] = house.approvals.all.values()
    return approval


# ── a modern caller's own consent ─────────────────────────────────────────────────────────────────


async def test_a_caller_who_consents_to_its_own_call_has_it_made_once() -> None:
    house = house_that_asks()
    question = await question_of(house)
    request = question["inputRequests"][KEY]
    assert request["params"]["mode"] == "form"
    assert "at server files: read" in request["params"]["message"]
    _, body = await house.ask(again(question))
    assert body["result"]["from"] == "files"
    [sent] = house.sent
    assert sent.params["arguments"] == READ["arguments"]
    assert not {"inputResponses", "requestState"} & sent.params.keys()
    assert approval_of(house).state == "used"
    [(_, _, decision, _)] = house.journal.of("intent")
    assert approval_of(house).id in decision.rule


async def test_an_answer_serves_once() -> None:
    house = house_that_asks()
    question = await question_of(house)
    await house.ask(again(question))
    reason, _ = await refusal_of(house, again(question))
    assert reason == "state.used"
    assert len(house.sent) == 1


@pytest.mark.parametrize(
    "params",
    [
        {**READ, "arguments": {"path": "/b"}},
        {**READ, "name": "files__write"},
        {**READ, "arguments": {}},
    ],
)
async def test_an_answer_serves_the_very_call_that_was_asked_about(params: Json) -> None:
    house = house_that_asks()
    question = await question_of(house)
    reason, _ = await refusal_of(house, again(question, params=params))
    assert reason == "state.invalid"
    assert house.sent == []


async def test_an_answer_serves_the_caller_who_was_asked() -> None:
    house = house_that_asks()
    question = await question_of(house)
    arrival = again(question)
    params = {**READ, "requestState": question["requestState"], "inputResponses": YES}
    reason, _ = await refusal_of(house, called(params, who=BOB))
    assert (reason, house.sent) == ("state.invalid", [])
    _, body = await house.ask(arrival)
    assert "result" in body


@pytest.mark.parametrize(
    "response", [{"action": "decline"}, {"action": "accept", "content": {"approve": False}},
                 {"action": "accept", "content": {"approve": "true"}},
                 {"action": "accept", "content": {"approve": 1}}],
)  # fmt: skip
async def test_a_caller_who_says_no_is_not_asked_again(response: Json) -> None:
    house = house_that_asks()
    question = await question_of(house)
    reason, _ = await refusal_of(house, again(question, {KEY: response}))
    assert reason == "approval.denied"
    reason, _ = await refusal_of(house, called())
    assert (reason, house.sent) == ("approval.denied", [])


@pytest.mark.parametrize(
    "responses", [{}, {KEY: {"action": "cancel"}}, {KEY: {}}, {"other": {"action": "accept"}},
                  {KEY: {"action": "accept"}}, {KEY: {"action": "accept", "content": []}}],
)  # fmt: skip
async def test_what_is_no_answer_leaves_the_call_waiting(responses: Json) -> None:
    house = house_that_asks()
    question = await question_of(house)
    reason, told = await refusal_of(house, again(question, responses))
    assert (reason, house.sent) == ("approval.pending", [])
    assert told["data"]["approval"] == approval_of(house).id


async def test_a_client_cannot_answer_what_it_was_not_asked() -> None:
    house = house_that_asks()
    reason, _ = await refusal_of(house, called({**READ, "inputResponses": YES}))
    assert (reason, house.sent) == ("state.invalid", [])


async def test_the_gates_own_key_never_answers_a_server() -> None:
    house = House()
    Script(house, asks({"sure": FORM}, "inner"), DONE)
    question = (await house.ask(called()))[1]["result"]
    reason, _ = await refusal_of(house, again(question, {**YES, "sure": {"action": "accept"}}))
    assert reason == "state.invalid"
    assert len(house.sent) == 1


# ── a client that cannot be asked ─────────────────────────────────────────────────────────────────


async def test_a_client_that_cannot_be_asked_comes_again_once_it_was_approved() -> None:
    house = house_that_asks()
    for _ in range(2):
        reason, told = await refusal_of(house, called(able=False))
        assert (reason, house.sent) == ("approval.pending", [])
    approval = approval_of(house)
    assert told["data"] | {"approval": approval.id, "needs": approval.needs} == told["data"]
    assert approval.id in told["message"]
    house.approvals.set(approval, "granted")
    assert "result" in (await house.ask(called(able=False)))[1]
    reason, _ = await refusal_of(house, called(able=False))
    assert reason == "approval.pending"
    assert len(house.sent) == 1


async def test_waiting_calls_are_recorded_as_refused() -> None:
    house = house_that_asks()
    await refusal_of(house, called(able=False))
    [(_, reason, detail)] = house.journal.of("refusal")
    assert reason == "approval.pending"
    assert approval_of(house).id in detail


# ── somebody else's decision ──────────────────────────────────────────────────────────────────────


async def test_a_caller_is_shown_where_others_decide_and_waits_there() -> None:
    house = house_that_asks(ONCALL, wait=5.0)
    question = await question_of(house)
    request = question["inputRequests"][KEY]["params"]
    approval = approval_of(house)
    assert request["mode"] == "url"
    assert request["url"] == f"{house.config.base_url}/approvals/{approval.id}"

    def decided() -> None:
        if house.approvals.looks > 3:
            house.approvals.set(approval, "granted")

    house.approvals.on_look = decided
    _, body = await house.ask(again(question, {KEY: {"action": "accept"}}))
    assert body["result"]["from"] == "files"


async def test_a_caller_never_consents_where_others_decide() -> None:
    house = house_that_asks(ONCALL)
    question = await question_of(house)
    reason, _ = await refusal_of(house, again(question))
    assert (reason, house.sent) == ("approval.pending", [])
    assert approval_of(house).state == "pending"


async def test_a_caller_who_declines_does_not_decide_for_others() -> None:
    house = house_that_asks(ONCALL)
    question = await question_of(house)
    reason, _ = await refusal_of(house, again(question, {KEY: {"action": "decline"}}))
    assert reason == "approval.pending"
    assert approval_of(house).state == "pending"


async def test_few_calls_of_one_caller_wait_at_once() -> None:
    house = house_that_asks(ONCALL, wait=60.0)
    house.gateway._path.consents._most = 1
    question = await question_of(house)
    first = asyncio.create_task(house.ask(again(question, {KEY: {"action": "accept"}})))
    await asyncio.sleep(0)
    other = await question_of(house)
    reason, _ = await refusal_of(house, again(other, {KEY: {"action": "accept"}}))
    assert reason == "approval.pending"
    first.cancel()
    await asyncio.wait([first])
    assert not house.gateway._path.consents._waiting


# ── legacy callers ────────────────────────────────────────────────────────────────────────────────


def answering(response: Json) -> Callable[[Json], Json]:
    return lambda asked: {"result": response}


async def test_a_legacy_caller_is_asked_on_the_stream_of_its_call() -> None:
    house = house_that_asks(wait=5.0)
    caller = await caller_of(house, answering(YES[KEY]))
    body = await caller.call()
    assert body["result"]["content"] == []
    [asked] = caller.requests()
    assert asked["method"] == "elicitation/create"
    assert len(house.sent) == 1
    assert approval_of(house).state == "used"


async def test_a_legacy_caller_who_declines_is_refused() -> None:
    house = house_that_asks(wait=5.0)
    caller = await caller_of(house, answering({"action": "decline"}))
    assert reason_of(await caller.call()) == "approval.denied"
    assert house.sent == []


@pytest.mark.parametrize("answers", [silent, error])
async def test_a_legacy_client_that_does_not_answer_is_told_to_come_again(
    answers: Callable[[Json], Json | None],
) -> None:
    house = house_that_asks()
    caller = await caller_of(house, answers)
    body = await caller.call()
    assert reason_of(body) == "approval.pending"
    house.approvals.set(approval_of(house), "granted")
    assert "result" in await caller.call()
    assert len(house.sent) == 1


async def test_a_legacy_client_without_elicitation_is_told_at_once() -> None:
    house = house_that_asks(wait=60.0)
    caller = await caller_of(house, silent, capabilities={})
    assert reason_of(await caller.call()) == "approval.pending"
    assert caller.requests() == []


async def test_a_client_too_old_for_pages_is_not_sent_to_one() -> None:
    house = house_that_asks(ONCALL, wait=60.0)
    session = await session_of(house, version="2025-06-18", capabilities={"elicitation": {}})
    arrival = legacy("tools/call", READ, session=session, version="2025-06-18")
    assert (await refusal_of(house, arrival))[0] == "approval.pending"
    assert house.emitted == []


async def test_what_a_server_asks_afterwards_needs_no_second_consent() -> None:
    house = house_that_asks(wait=5.0)
    Script(house, asks({"sure": FORM}), DONE)
    caller = await caller_of(house, answering(YES[KEY]))
    assert "result" in await caller.call()
    assert len(caller.requests()) == 2
    assert len(house.approvals.all) == 1


async def test_a_modern_callers_way_back_to_the_server_needs_no_second_consent() -> None:
    house = house_that_asks()
    Script(house, asks({"sure": FORM}, "inner"), DONE)
    question = await question_of(house)
    theirs = (await house.ask(again(question)))[1]["result"]
    assert list(theirs["inputRequests"]) == ["sure"]
    _, body = await house.ask(again(theirs, {"sure": {"action": "accept", "content": {}}}))
    assert body["result"]["resultType"] == "complete"
    assert [sent.params.get("requestState") for sent in house.sent] == [None, "inner"]
    assert len(house.approvals.all) == 1


# ── what changes meanwhile ────────────────────────────────────────────────────────────────────────


async def test_what_policy_says_when_the_call_leaves_counts() -> None:
    house = house_that_asks()
    policy = house.policy
    assert isinstance(policy, Asking)
    question = await question_of(house)

    def changed() -> None:
        policy.decision = Decision(True, "permit all", (SELF, ONCALL))

    house.approvals.on_look = changed
    reason, _ = await refusal_of(house, again(question))
    assert (reason, house.sent) == ("approval.pending", [])


async def test_a_cut_while_somebody_thinks_holds() -> None:
    house = house_that_asks()
    question = await question_of(house)
    house.approvals.on_look = lambda: house.gateway.cut(Cuts((Cut("item", "files:read", 0.0),)))
    reason, _ = await refusal_of(house, again(question))
    assert (reason, house.sent) == ("gate.cut", [])


async def test_a_call_that_finds_no_place_keeps_its_consent() -> None:
    house = House(policy=Asking(SELF), limits=None, wait=0.02)
    await refusal_of(house, called(able=False))
    house.approvals.set(approval_of(house), "granted")
    full = house.config.limits.calls_per_server
    house.quotas.servers["files"] = full
    reason, _ = await refusal_of(house, called(able=False))
    assert reason == "limit.server"
    del house.quotas.servers["files"]
    assert "result" in (await house.ask(called(able=False)))[1]


async def test_two_calls_do_not_leave_by_one_consent() -> None:
    house = house_that_asks()
    await refusal_of(house, called(able=False))
    house.approvals.set(approval_of(house), "granted")
    both = await asyncio.gather(house.ask(called(able=False)), house.ask(called(able=False)))
    assert sum("result" in body for _, body in both) == 1
    assert len(house.sent) == 1


async def test_a_store_that_fails_lets_nothing_pass() -> None:
    house = house_that_asks()
    house.approvals.failing = Refused(STORE_UNAVAILABLE)
    reason, _ = await refusal_of(house, called())
    assert (reason, house.sent) == ("store.unavailable", [])


async def test_a_question_shows_no_trick_of_the_arguments() -> None:
    house = house_that_asks()
    sly = {"name": "files__read", "arguments": {"path": "/a\u202e\x07\n" + "x" * 5000}}
    question = await question_of(house, sly)
    message: str = question["inputRequests"][KEY]["params"]["message"]
    assert message.isprintable()
    assert len(message) < 2_000
