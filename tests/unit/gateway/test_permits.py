"""Whether a call may leave: each of those who may say no is asked, and what they say is recorded."""

from __future__ import annotations

import asyncio

from bawn.barrier.edition import Cut, Cuts
from bawn.config import RoleRule
from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.model import Decision, Json, Label, Principal
from tests.gate import ADA, FORM, ISSUER, House, Script, asks, modern, reason_of
from tests.unit.gateway.calling import READ
from tests.unit.gateway.test_consent import SELF, Asking

TOKEN = Principal("ada", ISSUER, ADA.roles, float("inf"), scopes=frozenset({"read"}), token="t1")
FOREIGN = Principal("ada", ISSUER, ADA.roles, float("inf"), tenant="acme")


def house_that_says(decision: Decision, **more: object) -> House:
    policy = Asking()
    policy.decision = decision
    return House(policy=policy, **more)  # type: ignore[arg-type]  # settings of a house


async def test_what_policy_denies_is_as_if_it_were_not_there() -> None:
    for reason in ("policy.denied", "policy.error"):
        house = house_that_says(Decision(False, "forbid x", (), reason))
        await house.refused(modern("tools/call", READ), "target.unknown")
        assert house.journal.of("refusal")[0][1:] == (reason, "forbid x")


async def test_a_store_that_policy_cannot_ask_refuses_by_its_own_reason() -> None:
    house = house_that_says(Decision(False, "no store", (), "store.unavailable"))
    await house.refused(modern("tools/call", READ), "store.unavailable")


async def test_a_token_without_the_scope_is_told_which_one_it_needs() -> None:
    house = House(scopes={"write": RoleRule(tools=("*",))})
    reply, body = await house.ask(modern("tools/call", READ, who=TOKEN))
    assert (reply.status, reason_of(body)) == (403, "auth.scope")
    assert dict(reply.headers)[b"www-authenticate"] == b"Bearer scope=write"
    assert house.sent == []


async def test_a_scope_never_tells_of_what_policy_hides() -> None:
    house = house_that_says(Decision(False, "no"), scopes={"write": RoleRule(tools=("*",))})
    await house.refused(modern("tools/call", READ, who=TOKEN), "target.unknown")


async def test_nothing_of_another_tenant_is_reached_whatever_policy_says() -> None:
    house = house_that_says(Decision(True, "permit all"))
    await house.refused(modern("tools/call", {"name": "read"}, who=FOREIGN, at="files"), "http.not_found")  # fmt: skip
    await house.refused(modern("tools/call", READ, who=FOREIGN), "target.unknown")


async def test_what_a_call_touches_is_remembered_before_it_leaves() -> None:
    class Labelling(Asking):
        def touches(self, item: object) -> frozenset[Label]:
            return frozenset({Label.PRIVATE})

    house = House(policy=Labelling())
    await house.ask(modern("tools/call", READ))
    assert house.flows.known == {ADA.key: frozenset({Label.PRIVATE})}
    house.flows.failing = Refused(STORE_UNAVAILABLE)
    house.journal.clear()
    await house.refused(modern("tools/call", READ), "store.unavailable")
    assert house.nothing_in_flight


async def test_a_subscription_that_policy_asks_about_is_not_granted() -> None:
    house = House(policy=Asking(SELF))
    meta: Json = {"io.modelcontextprotocol/clientCapabilities": {}}
    wanted = {"notifications": {"resourceSubscriptions": ["file:///a"]}}

    async def ended() -> None:
        await house.ask(modern("subscriptions/listen", wanted, meta=meta))

    listening = asyncio.create_task(ended())
    async with asyncio.timeout(30):
        while not house.emitted:
            await asyncio.sleep(0)
    listening.cancel()
    await asyncio.wait([listening])
    assert house.emitted[0]["params"]["notifications"].get("resourceSubscriptions", []) == []
    assert house.sent == []
    assert [reason for _, reason, _ in house.journal.of("refusal")] == ["approval.pending"]


async def test_a_cut_holds_for_whatever_policy_allows() -> None:
    house = house_that_says(Decision(True, "permit all"))
    house.gateway.cut(Cuts((Cut("server", "files", 0.0),)))
    await house.refused(modern("tools/call", READ), "gate.cut")


async def test_a_call_that_left_is_judged_again_on_its_way_back() -> None:
    policy = Asking()
    house = House(policy=policy)
    Script(house, asks({"sure": FORM}, "inner"))
    able: Json = {"io.modelcontextprotocol/clientCapabilities": {"elicitation": {}}}
    _, body = await house.ask(modern("tools/call", READ, meta=able))
    policy.decision = Decision(False, "not any more")
    state = body["result"]["requestState"]
    again = {**READ, "requestState": state, "inputResponses": {"sure": {"action": "cancel"}}}
    _, body = await house.ask(modern("tools/call", again, meta=able))
    assert reason_of(body) == "target.unknown"
    assert len(house.sent) == 1
