"""What is found in a call is acted on, recorded and remembered; what breaks on the way refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from bawn.errors import (
    INSPECTION_ARGUMENT,
    INSPECTION_CANARY,
    INSPECTION_JUDGE,
    INSPECTION_OUTPUT,
    Refused,
)
from bawn.model import (
    Answer,
    Ask,
    Call,
    Detection,
    Item,
    Json,
    Label,
    Outbound,
    Severity,
)
from bawn.ports import Arrival, Emit, Found, Inspected, Placed
from tests.gate import DONE, House, Script, asks, legacy, modern, reason_of

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
SEEN = Found("/arguments/path", Detection("argument/x", Severity.HIGH, 0, 2, "…"), "mark")
EITHER = pytest.mark.parametrize("ask", [modern, legacy])


def _refusing(reason: Refused) -> Callable[..., Inspected | None]:
    def inspect(call: Call, item: Item, what: object) -> Inspected | None:
        raise reason

    return inspect


@EITHER
async def test_what_is_refused_on_the_way_out_never_leaves_and_is_recorded(
    ask: Callable[..., Arrival],
) -> None:
    house = House()
    house.inspector.leaves = _refusing(Refused(INSPECTION_ARGUMENT, "/path (argument/x)"))

    await house.refused(ask("tools/call", READ), "inspection.argument")

    assert house.journal.words() == ["refusal"]
    assert house.nothing_in_flight


@EITHER
async def test_an_inspection_that_breaks_refuses_the_call(ask: Callable[..., Arrival]) -> None:
    house = House()

    def broken(call: Call, item: Item, params: Json) -> Inspected | None:
        raise ZeroDivisionError

    house.inspector.leaves = broken

    await house.refused(ask("tools/call", READ), "inspection.failed")


async def test_an_inspection_that_breaks_on_the_way_back_refuses_the_answer() -> None:
    house = House()

    def broken(call: Call, item: Item, answer: Answer) -> Inspected | None:
        raise ZeroDivisionError

    house.inspector.returns = broken

    _, body = await house.ask(modern("tools/call", READ))

    assert reason_of(body) == "inspection.failed"
    assert "inspection.failed" in house.journal.of("outcome")[0]


async def test_what_leaves_is_what_the_inspection_lets_leave() -> None:
    house = House()
    cleaned = {"name": "read", "arguments": {"path": "[secret]"}}
    house.inspector.leaves = lambda *_: Inspected(params=cleaned, found=(SEEN,))

    await house.ask(modern("tools/call", READ))

    assert house.sent[0].params["arguments"] == {"path": "[secret]"}
    assert house.journal.words() == ["event", "intent", "send", "outcome"]
    assert house.meter.findings == [("arguments", "argument", "mark")]


async def test_findings_are_recorded_by_rule_and_place_and_never_by_what_was_found() -> None:
    house = House()
    house.inspector.leaves = lambda *_: Inspected(found=(SEEN,))

    await house.ask(modern("tools/call", READ))

    _, what, _, detail = house.journal.of("event")[0]
    assert what == "inspection.found"
    assert detail["way"] == "arguments"
    assert detail["findings"] == [
        {
            "rule": "argument/x",
            "severity": "high",
            "place": "/arguments/path",
            "span": [0, 2],
            "action": "mark",
            "shadow": False,
        }
    ]


async def test_the_caller_gets_what_the_inspection_lets_come_back_and_its_conversation_is_marked() -> (
    None
):
    house = House()
    marked = Answer(result={"resultType": "complete", "content": [], "_meta": {"marked": True}})
    house.inspector.returns = lambda *_: Inspected(
        answer=marked, found=(SEEN,), labels=frozenset({Label.UNTRUSTED})
    )

    _, body = await house.ask(modern("tools/call", READ))

    assert body["result"]["_meta"] == {"marked": True}
    assert Label.UNTRUSTED in house.flows.touched("https://idp.example.com|ada")


async def test_what_is_found_can_ask_for_consent_that_policy_did_not_ask_for() -> None:
    house = House()
    ask = Ask("inspection argument/x", frozenset({"admin"}), False, 1, 60.0)
    house.inspector.leaves = lambda *_: Inspected(asks=(ask,), found=(SEEN,))

    await house.refused(modern("tools/call", READ), "approval.pending")

    assert house.sent == []


async def test_what_a_server_tells_on_the_way_is_inspected_and_left_out_when_refused() -> None:
    house = House()

    async def chatty(outbound: Outbound, emit: Emit | None) -> Answer:
        assert emit is not None
        for text in ("fine", "bad", "odd"):
            await emit({"method": "notifications/message", "params": {"data": text}})
        return Answer(result={"resultType": "complete", "content": []})

    def telling(call: Call, item: Item, message: Json) -> Inspected | None:
        match message["params"]["data"]:
            case "bad":
                raise Refused(INSPECTION_OUTPUT)
            case "odd":
                mended = {**message, "params": {"data": "marked"}}
                return Inspected(params=mended, found=(SEEN,))
        return None

    house.upstreams["files"].behave = chatty
    house.inspector.tells = telling

    await house.ask(modern("tools/call", READ))

    assert [each["params"]["data"] for each in house.emitted] == ["fine", "marked"]
    assert "refusal" in house.journal.words()


async def test_a_question_that_is_refused_lets_its_parked_call_end() -> None:
    house = House()
    question = {"u": {"method": "elicitation/create", "params": {"mode": "form", "message": "?"}}}
    Script(house, asks(question, "state", parked=True), DONE)
    house.inspector.returns = _only_questions(Refused(INSPECTION_OUTPUT))

    _, body = await house.ask(modern("tools/call", READ))
    for _ in range(20):
        await asyncio.sleep(0)

    assert reason_of(body) == "inspection.output"
    assert len(house.sent) == 2


def _only_questions(reason: Refused) -> Callable[[Call, Item, Answer], Inspected | None]:
    def inspect(call: Call, item: Item, answer: Answer) -> Inspected | None:
        if answer.parked:
            raise reason
        return None

    return inspect


async def test_what_judges_find_who_decide_counts_as_if_it_had_been_found_here() -> None:
    house = House()

    async def verdict() -> Sequence[Placed]:
        return [("/arguments/path", SEEN.detection)]

    house.judges.say = lambda direction, tree: verdict()

    await house.ask(modern("tools/call", READ))

    assert house.inspector.more == [("/arguments/path", SEEN.detection)] * 2


@pytest.mark.parametrize("direction", ["arguments", "outputs"])
async def test_a_judge_that_has_to_decide_and_cannot_refuses(direction: str) -> None:
    house = House()

    async def verdict() -> Sequence[Placed]:
        raise Refused(INSPECTION_JUDGE)

    house.judges.say = lambda asked, tree: verdict() if asked == direction else None

    _, body = await house.ask(modern("tools/call", READ))

    assert reason_of(body) == "inspection.judge"
    assert len(house.sent) == (direction == "outputs")
    assert house.nothing_in_flight


async def test_a_new_view_reaches_the_inspection() -> None:
    house = House(serving=False)
    view = house.view()

    house.gateway.swap(view)

    assert house.inspector.views == [view]


async def test_by_which_rules_an_answer_is_refused_is_recorded() -> None:
    house = House()
    house.inspector.returns = _refusing(Refused(INSPECTION_OUTPUT, "output/evil, hidden/tags"))

    await house.ask(modern("tools/call", READ))

    _, what, _, detail = house.journal.of("event")[0]
    assert (what, detail["way"]) == ("inspection.found", "outputs")
    assert [each["rule"] for each in detail["findings"]] == ["output/evil", "hidden/tags"]


async def test_of_a_planted_value_the_record_has_the_rule_and_the_caller_has_not() -> None:
    house = House()
    house.inspector.leaves = _refusing(Refused(INSPECTION_CANARY, detail="canary/first"))

    body = await house.ask(modern("tools/call", READ))

    assert "canary/first" in house.journal.of("refusal")[0]
    assert "canary/first" not in str(body)


async def test_what_is_taken_out_of_a_uri_is_not_in_the_header_field_either() -> None:
    house = House()
    house.inspector.leaves = lambda *_: Inspected(params={"uri": "[secret]"}, found=(SEEN,))

    await house.ask(modern("resources/read", {"uri": "file:///a"}))

    assert (house.sent[0].name, house.sent[0].params["uri"]) == ("[secret]", "[secret]")
