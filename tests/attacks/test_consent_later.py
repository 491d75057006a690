"""A call that has left once, and comes back when policy asks for more than it did."""

from __future__ import annotations

import asyncio

from bawn.model import Decision, Json
from tests.gate import DONE, FORM, House, Script, asks
from tests.unit.gateway.calling import READ, caller_of
from tests.unit.gateway.test_consent import ONCALL, SELF, Asking, again, called, house_that_asks

ANSWERED: Json = {"sure": {"action": "accept", "content": {"note": "what was read meanwhile"}}}


async def settled(house: House) -> None:
    """Wait until what goes on without its caller is over."""
    ending = house.gateway._path._ending
    if ending:
        await asyncio.wait(ending)


def asking_later(house: House) -> None:
    """What the conversation has touched meanwhile makes policy ask."""
    policy = house.policy
    assert isinstance(policy, Asking)
    policy.decision = Decision(True, "permit all", (SELF, ONCALL))


async def test_the_way_back_to_a_server_is_asked_for_when_it_was_not_before() -> None:
    house = house_that_asks()
    policy = house.policy
    assert isinstance(policy, Asking)
    policy.decision = Decision(True, "permit all")
    Script(house, asks({"sure": FORM}, "inner"), DONE)
    _, body = await house.ask(called(READ))
    assert len(house.sent) == 1
    asking_later(house)
    _, body = await house.ask(again(body["result"], ANSWERED))
    assert len(house.sent) == 1, "the answer left without the consent that policy asks for"
    assert body["error"]["data"]["reason"] == "approval.pending"


async def test_consent_to_less_does_not_carry_the_way_back() -> None:
    house = house_that_asks(SELF)
    Script(house, asks({"sure": FORM}, "inner"), DONE)
    _, body = await house.ask(called(READ))
    _, body = await house.ask(again(body["result"]))
    assert len(house.sent) == 1
    asking_later(house)
    _, body = await house.ask(again(body["result"], ANSWERED))
    assert len(house.sent) == 1, "the answer left with less consent than policy asks for"


async def test_a_legacy_callers_answer_is_asked_for_when_its_call_was_not() -> None:
    house = house_that_asks()
    policy = house.policy
    assert isinstance(policy, Asking)
    policy.decision = Decision(True, "permit all")
    Script(house, asks({"sure": FORM}, "inner"), DONE)

    def answers(message: Json) -> Json | None:
        asking_later(house)
        return {"result": {"action": "accept", "content": {}}} if len(house.sent) == 1 else None

    caller = await caller_of(house, answers)
    body = await caller.call()
    assert len(house.sent) == 1, "the answer left without the consent that policy asks for"
    assert body["error"]["data"]["reason"] == "approval.pending"


async def test_a_server_that_waits_for_an_answer_that_may_not_leave_is_told() -> None:
    house = house_that_asks()
    policy = house.policy
    assert isinstance(policy, Asking)
    policy.decision = Decision(True, "permit all")
    Script(house, asks({"sure": FORM}, "park", parked=True), DONE)

    def answers(message: Json) -> Json | None:
        asking_later(house)
        return {"result": {"action": "accept", "content": {"secret": "x"}}}

    caller = await caller_of(house, answers)
    body = await caller.call()
    assert body["error"]["data"]["reason"] == "approval.pending"
    await settled(house)
    assert [sent.parked for sent in house.sent] == [False, True]
    last = house.sent[-1]
    assert (last.params["inputResponses"], list(last.declined)) == ({}, ["sure"])
