from __future__ import annotations

from collections.abc import Callable

import pytest

from bawn.model import Answer, Json, Outbound
from bawn.ports import Arrival, Emit
from bawn.protocol import capabilities, legacy_server
from tests.gate import (
    ADA,
    DONE,
    FORM,
    META,
    MODERN,
    ROOTS,
    SAMPLE,
    VIC,
    House,
    Script,
    arrive,
    legacy,
    modern,
    reason_of,
    session_of,
)

CALL: Json = {"name": "files__read"}
TASKS: Json = {META + "clientCapabilities": {"extensions": {META + "tasks": {}}}}
REQUIRED: Json = {"extensions": {META + "tasks": {}}}
TASK: Json = {
    "taskId": "T",
    "status": "working",
    "createdAt": "2026-01-01T00:00:00Z",
    "lastUpdatedAt": "2026-01-01T00:00:00Z",
    "ttlMs": None,
}
METHODS = ["tasks/get", "tasks/update", "tasks/cancel"]


def _house() -> House:
    """A gateway whose server `files` makes a task of every call."""
    house = House()

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        match outbound.method:
            case "tools/call" | "prompts/get":
                return Answer(result={"resultType": "task", **TASK})
            case "tasks/get":
                return Answer(result={"resultType": "complete", **TASK})
        return Answer(result={"resultType": "complete"})

    house.upstreams["files"].behave = behave
    return house


async def _task(house: House) -> str:
    _, body = await house.ask(modern("tools/call", CALL, meta=TASKS))
    assert body["result"]["resultType"] == "task"
    task: str = body["result"]["taskId"]
    return task


def _about(method: str, task: str) -> Json:
    return {"taskId": task} | ({"inputResponses": {}} if method == "tasks/update" else {})


async def test_who_did_not_declare_the_extension_gets_no_task() -> None:
    house = _house()
    await _task(house)  # an earlier declaration does not count
    _, body = await house.ask(modern("tools/call", CALL))
    assert "result" not in body


async def test_a_server_may_say_that_it_answers_by_a_task_alone() -> None:
    house = House()

    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        data = {"requiredCapabilities": REQUIRED}
        return Answer(error={"code": -32021, "message": "tasks only", "data": data})

    house.upstreams["files"].behave = behave
    reply, body = await house.ask(modern("tools/call", CALL))
    assert (reply.status, body["error"]["code"]) == (400, -32021)
    assert body["error"]["data"]["requiredCapabilities"] == REQUIRED


@pytest.mark.parametrize("method", METHODS)
async def test_a_task_is_asked_about_under_the_callers_id_of_it(method: str) -> None:
    house = _house()
    task = await _task(house)
    assert task != "T"
    _, body = await house.ask(modern(method, _about(method, task), meta=TASKS, id_=2))
    assert body["result"]["resultType"] == "complete"
    assert body["result"].get("taskId", task) == task
    sent = house.sent[-1]
    assert (sent.server, sent.method, sent.name, sent.params["taskId"]) == (
        "files",
        method,
        "T",
        "T",
    )


@pytest.mark.parametrize("method", ["tasks/update", "tasks/cancel"])
async def test_what_changes_a_task_is_acknowledged_by_an_empty_result(method: str) -> None:
    house = _house()
    task = await _task(house)
    _, body = await house.ask(modern(method, _about(method, task), meta=TASKS, id_=2))
    assert {name for name in body["result"] if name != "_meta"} == {"resultType"}


@pytest.mark.parametrize("method", METHODS)
async def test_a_task_of_another_is_minus_32602(method: str) -> None:
    house = _house()
    task = await _task(house)
    sent = len(house.sent)
    for who, at, id_ in ((VIC, None, task), (ADA, "files", task), (ADA, None, "T")):
        arrival = modern(method, _about(method, id_), meta=TASKS, at=at, id_=2, who=who)
        reply, body = await house.ask(arrival)
        assert (reply.status, reason_of(body)) == (400, "task.unknown")
        assert body["error"]["code"] == -32602
    assert len(house.sent) == sent


@pytest.mark.parametrize("method", METHODS)
async def test_who_did_not_declare_the_extension_asks_about_no_task(method: str) -> None:
    house = _house()
    task = await _task(house)
    reply, body = await house.ask(modern(method, _about(method, task), id_=2))
    assert (reply.status, body["error"]["code"]) == (400, -32021)
    assert body["error"]["data"]["requiredCapabilities"] == REQUIRED


async def test_every_call_about_a_task_is_recorded() -> None:
    house = _house()
    task = await _task(house)
    await house.ask(modern("tasks/cancel", {"taskId": task}, meta=TASKS, id_=2))
    assert house.journal.words() == ["intent", "send", "outcome"] * 2


async def test_a_task_for_anything_but_a_tool_is_the_servers_fault() -> None:
    house = _house()
    arrival = modern("prompts/get", {"name": "files__summary"}, meta=TASKS)
    _, body = await house.ask(arrival)
    assert reason_of(body) == "upstream.invalid"


async def test_a_task_is_cancelled_by_its_own_method_alone() -> None:
    house = _house()
    task = await _task(house)
    session = await session_of(house)
    for told in ({"requestId": 1}, {"requestId": task}, {"taskId": task, "requestId": 1}):
        cancelled = "notifications/cancelled"
        message = {"jsonrpc": "2.0", "method": cancelled, "params": told}
        for ask in (
            arrive(message, {b"mcp-protocol-version": MODERN.encode()}),
            legacy(cancelled, told, id_=None, session=session),
        ):
            assert (await house.answer(ask)).status == 202
    assert len(house.sent) == 1  # the call that made it
    await house.ask(modern("tasks/cancel", {"taskId": task}, meta=TASKS, id_=2))
    assert [sent.method for sent in house.sent] == ["tools/call", "tasks/cancel"]


async def test_questions_of_a_task_and_their_answers_keep_their_keys() -> None:
    house = _house()
    task = await _task(house)
    able = {META + "clientCapabilities": {**REQUIRED, "elicitation": {}}}
    asked = {"inputRequests": {"a": FORM, "b ": FORM}, **TASK, "status": "input_required"}
    Script(house, Answer(result={"resultType": "complete", **asked}), DONE)
    _, body = await house.ask(modern("tasks/get", {"taskId": task}, meta=able, id_=2))
    assert list(body["result"]["inputRequests"]) == ["a", "b "]
    answers = {"a": {"action": "decline"}, "b ": {"action": "accept", "content": {"x": 1}}}
    params = {"taskId": task, "inputResponses": answers}
    await house.ask(modern("tasks/update", params, meta=able, id_=3))
    assert house.sent[-1].params["inputResponses"] == answers


@pytest.mark.parametrize("asked", [FORM, SAMPLE, ROOTS])
async def test_a_task_asks_nothing_that_its_caller_did_not_declare(asked: Json) -> None:
    house = _house()
    task = await _task(house)
    result = {"inputRequests": {"a": asked}, **TASK, "status": "input_required"}
    Script(house, Answer(result={"resultType": "complete", **result}))
    reply, body = await house.ask(modern("tasks/get", {"taskId": task}, meta=TASKS, id_=2))
    assert (reply.status, body["error"]["code"]) == (400, -32021)


@pytest.mark.parametrize("ask", [modern, legacy])
async def test_no_legacy_server_is_asked_for_a_task_of_2025_11_25(
    ask: Callable[..., Arrival],
) -> None:
    house = House()
    await house.ask(ask("tools/call", {**CALL, "task": {"ttl": 1}}))
    [sent] = house.sent
    params = legacy_server.to_legacy(sent.method, sent.params)
    assert "task" not in params
    assert params["name"] == "read"
    initialize = legacy_server.initialize_params(capabilities.offered({"tasks": {}}, shared=False))
    assert "tasks" not in initialize["capabilities"]


LACKING: Json = {"requiredCapabilities": REQUIRED}


@pytest.mark.parametrize(
    "answer",
    [
        Answer(result={"resultType": "task", **TASK}),
        Answer(error={"code": -32021, "message": "as a task alone", "data": LACKING}),
    ],
    ids=["makes one all the same", "says that it cannot otherwise"],
)
async def test_a_legacy_caller_is_told_that_a_tool_makes_tasks(answer: Answer) -> None:
    house = House()
    Script(house, answer)
    session = await session_of(house, capabilities={**REQUIRED, "tasks": {}})
    reply, body = await house.ask(legacy("tools/call", CALL, session=session))
    declared = house.sent[0].params["_meta"][META + "clientCapabilities"]
    assert declared == {"extensions": {}}
    assert reply.status == 200
    if "error" in body:
        told = body["error"]["message"]
    else:
        assert body["result"]["isError"]
        [told] = [block["text"] for block in body["result"]["content"]]
    assert "a task" in told
