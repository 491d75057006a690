"""What an answer means, by what was asked and who asked."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bawn.model import Answer, Json
from bawn.ports import Arrival
from bawn.protocol import tasks, versions
from tests.gate import (
    ABLE,
    DONE,
    FORM,
    META,
    House,
    Script,
    asks,
    legacy,
    modern,
    reason_of,
)

ARGUMENT: Json = {"argument": {"name": "a", "value": ""}}
REACHING: dict[str, Json] = {
    "tools/call": {"name": "files__read"},
    "prompts/get": {"name": "files__summary"},
    "resources/read": {"uri": "file:///a"},
    "completion/complete": {"ref": {"type": "ref/prompt", "name": "files__summary"}} | ARGUMENT,
}
DECLARED: Json = {META + "clientCapabilities": ABLE | {"extensions": {versions.TASKS: {}}}}
MAY: dict[str, set[str]] = {
    "tools/call": {"complete", "input_required", "task"},
    "prompts/get": {"complete", "input_required"},
    "resources/read": {"complete", "input_required"},
    "completion/complete": {"complete"},
}
RESULTS: dict[str, Json] = {
    "complete": {"content": [], "contents": [], "messages": [], "completion": {"values": []}},
    "input_required": {"inputRequests": {"sure": FORM}},
    "task": {"taskId": "own", "status": "working"},
}


@pytest.mark.parametrize("kind", RESULTS)
@pytest.mark.parametrize("method", REACHING)
async def test_a_method_is_answered_in_the_ways_that_it_has(method: str, kind: str) -> None:
    house = House()
    Script(house, Answer(result={"resultType": kind, **RESULTS[kind]}))
    _, body = await house.ask(modern(method, REACHING[method], meta=DECLARED))
    if kind in MAY[method]:
        assert body["result"]["resultType"] == kind
    else:
        assert reason_of(body) == "upstream.invalid"


@pytest.mark.parametrize("kind", ["unheard-of", "Complete", 5, None])
@pytest.mark.parametrize("method", REACHING)
async def test_a_kind_that_the_protocol_does_not_have_is_refused(method: str, kind: object) -> None:
    house = House()
    Script(house, Answer(result={"resultType": kind, **RESULTS["complete"]}))
    _, body = await house.ask(modern(method, REACHING[method], meta=DECLARED))
    assert reason_of(body) == "upstream.invalid"


async def test_a_legacy_caller_is_never_given_a_task() -> None:
    house = House()
    Script(house, Answer(result={"resultType": "task", **RESULTS["task"]}))
    _, body = await house.ask(legacy("tools/call", REACHING["tools/call"]))
    assert reason_of(body) == "upstream.invalid"


@pytest.mark.parametrize("method", ["resources/read", "prompts/get"])
async def test_what_was_decided_for_one_caller_is_not_for_others_to_keep(method: str) -> None:
    house = House()
    kept: Json = {"contents": [], "ttlMs": 9, "cacheScope": "public"}
    Script(house, Answer(result={"resultType": "complete", **kept}))
    _, body = await house.ask(modern(method, REACHING[method]))
    expected = "private" if method == "resources/read" else "public"
    assert body["result"]["cacheScope"] == expected


@pytest.mark.parametrize("ask", [modern, legacy])
async def test_an_answer_reads_as_its_callers_era_has_it(ask: Callable[..., Arrival]) -> None:
    house = House()
    Script(house, DONE)
    _, body = await house.ask(ask("tools/call", REACHING["tools/call"]))
    assert ("resultType" in body["result"]) == (ask is modern)


async def test_a_question_is_nothing_to_keep() -> None:
    house = House()
    asked = asks({"sure": FORM}, "own").result or {}
    Script(house, Answer(result={**asked, "ttlMs": 60_000, "cacheScope": "public"}))
    arrival = modern("resources/read", REACHING["resources/read"], meta=DECLARED)
    _, body = await house.ask(arrival)
    assert body["result"]["resultType"] == "input_required"
    assert body["result"].get("cacheScope") != "public"
    assert not body["result"].get("ttlMs")


async def test_a_task_is_named_wherever_the_extension_names_it_and_nowhere_else() -> None:
    house = House()
    related = {META + "related-task": {"taskId": "own"}, "own": 1}
    result = {"resultType": "task", "taskId": "own", "_meta": related, "more": {"taskId": "own"}}
    Script(house, Answer(result=result))
    _, body = await house.ask(modern("tools/call", REACHING["tools/call"], meta=DECLARED))
    told = body["result"]
    for id_ in (told["taskId"], told["_meta"][META + "related-task"]["taskId"]):
        handle = tasks.open(house.sealer, id_)
        assert (handle.server, handle.name, handle.task) == ("files", "read", "own")
    assert told["more"] == {"taskId": "own"}
    assert told["_meta"]["own"] == 1
