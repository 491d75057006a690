"""What real local servers ask in the midst of calls, from the process to the worker and back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from bawn.errors import Refused
from bawn.model import Answer, Json
from tests.e2e.asking import ALL, FORM, ROOTS, Ear, a_worker, asking_server, questions, value
from tests.e2e.runner_process import RunnerProcess, exists, runner, until

__all__ = ["runner"]  # a fixture

pytestmark = pytest.mark.e2e

SAMPLE = ["s", "sampling/createMessage", {"messages": [], "maxTokens": 1}]
LIST = [7, "roots/list", {}]


def key_of(asked: Json, method: str) -> str:
    (key,) = (key for key, request in asked.items() if request["method"] == method)
    return str(key)


# ── asked and answered ──────────────────────────────────────────────────────────────────────────


async def test_a_legacy_server_asks_and_gets_the_callers_answers_under_its_own_ids(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        parked = await worker.call("ask", offers=ALL, asks=[SAMPLE])
        asked = questions(parked)
        assert asked["1"] == {"method": SAMPLE[1], "params": SAMPLE[2]}
        answer = {"role": "assistant", "content": {"type": "text", "text": "hm"}, "model": "m"}
        assert value(await worker.retry(parked, {"1": answer})) == {"s": answer}
        assert len(runner.pids()) == 1


async def test_several_questions_are_open_at_once_and_may_be_answered_one_by_one(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        parked = await worker.call("ask", offers=ALL, asks=[SAMPLE, LIST, FORM])
        await until(lambda: bool(runner.entries("asked")))
        asked: Json = {}
        said = {
            "sampling/createMessage": {"model": "m"},
            "roots/list": {"roots": []},
            "elicitation/create": {"action": "decline"},
        }
        answer = parked
        for _ in range(4):
            if not answer.parked:
                break
            asked = questions(answer)
            key = next(iter(asked))
            answer = await worker.retry(answer, {key: said[asked[key]["method"]]})
        found = value(answer)
        assert found == {"s": {"model": "m"}, "7": {"roots": []}, "form": {"action": "decline"}}


async def test_an_error_of_a_client_reaches_the_server_as_an_error(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        parked = await worker.call("ask", offers=ROOTS, asks=[LIST])
        error = {"code": -1, "message": "not now", "data": {"x": 1}}
        assert value(await worker.retry(parked, {}, declined={"1": error})) == {"7": error}


async def test_what_was_not_offered_is_answered_with_an_error_at_once(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        assert value(await worker.call("client", offers=ROOTS)) == ROOTS
        found = value(await worker.call("ask", offers=ROOTS, asks=[SAMPLE, FORM]))
        assert {error["code"] for error in found.values()} == {-32601}


async def test_a_shared_server_is_offered_nothing(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server(isolation="shared")})
    async with a_worker(runner) as worker:
        assert value(await worker.call("client", "shared", ALL)) == {}
        # the runner holds to it as well, whatever a worker says and whosever key it names
        headers = {**runner.headers("other"), "bawn-offers": '{"roots":{}}'}
        body = runner.request("tools/call", {"name": "client"})
        reply = await runner.http.post("/servers/files", json=body, headers=headers)
        assert reply.json()["result"]["content"][0]["text"] == "{}"


async def test_a_page_to_visit_first_is_a_question_to_those_who_can_be_asked_so(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        answer = await worker.call("page", offers=ALL)
        assert answer.result is not None
        assert not answer.parked
        params = {"mode": "url", "url": "https://example.com/in", "message": "Sign in"}
        asked = {"url-1": {"method": "elicitation/create", "params": params}}
        assert answer.result == {"resultType": "input_required", "inputRequests": asked}
        refused = await worker.call("page", offers=ROOTS)
        assert refused.error is not None
        assert refused.error["code"] == -32603


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_what_only_modern_retries_carry_never_reaches_a_legacy_server(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        outbound = worker.outbound("seen", "anna", ALL, None, {})
        outbound.params.update(inputResponses={"k": {"x": 1}}, requestState="state")
        seen = value(await worker.local.call(outbound))
        assert ("inputResponses" in seen, "requestState" in seen) == (era == "modern",) * 2
        assert ("_meta" in seen) == (era == "modern")


# ── whose it is ─────────────────────────────────────────────────────────────────────────────────


async def test_each_set_of_capabilities_has_a_legacy_child_and_modern_ones_share(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server(), "new": asking_server("modern")})
    async with a_worker(runner) as worker:
        sets: list[Json] = [{}, ROOTS, ALL]
        pids = [value(await worker.call("pid", offers=offers)) for offers in [*sets, *sets]]
        assert len(set(pids)) == 3
        assert pids[:3] == pids[3:]
        status = await runner.status()
        assert len({child["isolation"] for child in status["children"]}) == 1


@pytest.mark.parametrize(("era", "processes"), [("legacy", 2), ("modern", 1)])
async def test_first_calls_that_offer_different_things_start_no_process_too_many(
    runner: RunnerProcess, era: str, processes: int
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        calls = [worker.call("pid", offers=offers) for offers in (ALL, ROOTS, ALL, ROOTS)]
        pids = [value(answer) for answer in await asyncio.gather(*calls)]
        assert len(set(pids)) == len(runner.pids()) == processes
        assert pids[:2] == pids[2:]


async def test_principals_never_share_a_child_that_may_ask(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        annas = await worker.call("ask", "anna", ALL, asks=[LIST])
        bens = await worker.call("ask", "ben", ALL, asks=[LIST])
        assert len(runner.pids()) == 2
        mine = {"roots": [{"uri": "file:///anna"}]}
        assert value(await worker.retry(annas, {"1": mine}, "anna")) == {"7": mine}
        with pytest.raises(Refused) as refused:
            await worker.retry(bens, {"1": mine}, "anna")
        assert refused.value.reason.id == "state.lost"
        assert value(await worker.retry(bens, {"1": {"roots": []}}, "ben")) == {"7": {"roots": []}}


async def test_an_answer_to_the_question_of_another_principal_is_refused(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    body = runner.request("tools/call", {"name": "ask", "arguments": {"asks": [LIST]}})
    headers = {**runner.headers("anna"), "bawn-offers": '{"roots":{}}'}
    async with runner.http.stream("POST", "/servers/files", json=body, headers=headers) as reply:
        assert reply.headers["bawn-era"] == "legacy"
        events = reply.aiter_lines()
        ask = await _event(events)
        answer = {"jsonrpc": "2.0", "id": ask["id"], "result": {"roots": []}}
        for who, status in (("ben", 404), ("anna", 202), ("anna", 404)):
            posted = await runner.http.post(
                "/servers/files/answers", json=answer, headers=runner.headers(who)
            )
            assert posted.status_code == status
        assert "result" in await _event(events)
    (heard,) = runner.entries("answer")
    assert heard["outcome"] == {"roots": []}


async def _event(lines: Any) -> Json:
    async for line in lines:
        if line.startswith("data: "):
            found: Json = json.loads(line.removeprefix("data: "))
            return found
    raise AssertionError("the stream ended")


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"id": 1, "result": {}},
        {"id": "x"},
        {"id": "x", "result": []},
        {"id": "x", "error": {}},
        {"id": "x", "error": {"code": "1"}},
        {"id": "x", "result": {}, "error": {"code": 1}},
    ],
)
async def test_what_is_no_answer_is_refused(runner: RunnerProcess, answer: Json) -> None:
    runner.order({"files": asking_server()})
    headers = runner.headers("anna")
    posted = await runner.http.post("/servers/files/answers", json=answer, headers=headers)
    assert posted.status_code == 400
    assert posted.json()["error"]["data"]["reason"] == "message.shape"


# ── hostile and unlucky ─────────────────────────────────────────────────────────────────────────


async def test_ten_thousand_questions_hold_up_nobody_and_are_bounded(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        parked = await worker.call("flood", offers=ROOTS, count=10_000)
        asked = questions(parked)
        assert 0 < len(asked) <= 8
        answer = await worker.retry(parked, {key: {"roots": []} for key in asked})
        while answer.parked:
            asked = questions(answer)
            assert len(asked) <= 8
            answer = await worker.retry(answer, {key: {"roots": []} for key in asked})
        assert value(answer) == "enough"
        assert value(await worker.call("pid", "ben", ROOTS)) in runner.pids()


async def test_questions_with_odd_or_open_ids_are_ignored(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        parked = await worker.call("odd", offers=ROOTS)
        assert len(questions(parked)) == 1
        found = value(await worker.retry(parked, {"1": {"roots": []}}))
        assert found == {"same": {"roots": []}}
        (child,) = (await runner.status())["children"]
        assert child["ignored"] == 7


async def test_a_withdrawn_question_and_those_of_ended_calls_are_taken_away(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        for name, said in (("withdraw", "never mind"), ("leave", "gone")):
            answer = await worker.call(name, offers=ROOTS)
            if answer.parked:
                answer = await worker.retry(answer, {"1": {"roots": []}}, name=name)
            assert value(answer) == said
        await until(lambda: len(runner.entries("answer")) == 2)
        answers = {entry["id"]: entry["outcome"] for entry in runner.entries("answer")}
        assert answers.keys() == {"left", "late"}
        assert {outcome["code"] for outcome in answers.values()} == {-32603}
        assert value(await worker.call("pid", offers=ROOTS)) == runner.pids()[0]


async def test_a_server_that_dies_while_it_asks_ends_the_parked_call(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:

        async def through() -> Answer:
            answer = await worker.call("die", offers=ROOTS)
            return await worker.retry(answer, {"1": {"roots": []}}, name="die")

        with pytest.raises(Refused) as refused:
            await through()
        assert refused.value.reason.id in ("upstream.died", "state.lost")


async def test_a_caller_who_never_comes_back_has_the_call_cancelled_at_the_server(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()}, first_byte=0.2, total=0.4)
    async with a_worker(runner, input=1.0) as worker:
        parked = await worker.call("ask", offers=ROOTS, asks=[LIST])
        assert not runner.entries("notifications/cancelled")
        await until(lambda: bool(runner.entries("notifications/cancelled")))
        with pytest.raises(Refused) as refused:
            await worker.retry(parked, {"1": {"roots": []}})
        assert refused.value.reason.id == "state.lost"


async def test_the_servers_time_stands_still_while_its_caller_is_asked(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()}, first_byte=0.3, total=0.3)
    async with a_worker(runner, first_byte=0.3, total=0.3, input=30.0) as worker:
        await worker.call("pid", offers=ROOTS)
        parked = await worker.call("ask", offers=ROOTS, asks=[LIST])
        loop = asyncio.get_running_loop()
        later = loop.create_future()
        loop.call_later(0.6, later.set_result, None)  # twice what the server may take
        await later
        answer = await worker.retry(parked, {"1": {"roots": []}})
        assert value(answer) == {"7": {"roots": []}}


async def test_a_worker_that_ends_has_its_parked_calls_cancelled(runner: RunnerProcess) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        await worker.call("ask", offers=ROOTS, asks=[LIST])
    await until(lambda: bool(runner.entries("notifications/cancelled")))
    assert exists(runner.pids()[0])


# ── log messages ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("era", ["legacy", "modern"])
async def test_log_messages_go_to_the_one_call_that_asked_from_its_level_on(
    runner: RunnerProcess, era: str
) -> None:
    runner.order({"files": asking_server(era)})
    async with a_worker(runner) as worker:
        ear = Ear()
        assert value(await worker.call("log", ear=ear)) == "logged"
        assert ear.told == []
        await worker.call("log", ear=ear, level="info")
        assert [told["params"]["level"] for told in ear.told] == ["info", "error"]
        await worker.call("log", ear=ear, level="error")
        await worker.call("log", ear=ear, level="debug")
        levels = [told["params"]["level"] for told in ear.told[2:]]
        assert levels == ["error", "debug", "info", "error"]
        told = [entry["params"]["level"] for entry in runner.entries("logging/setLevel")]
        assert told == (["info", "debug"] if era == "legacy" else [])


async def test_of_two_calls_that_asked_neither_gets_what_may_be_the_others(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server()})
    async with a_worker(runner) as worker:
        ear = Ear()
        hanging = asyncio.create_task(worker.call("hang", level="debug", ear=ear))
        await until(lambda: bool(runner.entries("hanging")))
        await worker.call("log", ear=ear, level="debug")
        await worker.call("log")  # and what it says cannot be told from what the other says
        assert len(ear.told) == 3
        hanging.cancel()


async def test_in_a_shared_child_nobody_hears_the_log_of_anothers_call(
    runner: RunnerProcess,
) -> None:
    runner.order({"files": asking_server(isolation="shared")})
    async with a_worker(runner) as worker:
        ear = Ear()
        hanging = asyncio.create_task(worker.call("hang", "shared", level="debug", ear=ear))
        await until(lambda: bool(runner.entries("hanging")))
        await worker.call("log", "shared")
        assert ear.told == []
        hanging.cancel()


# ── a server of others ──────────────────────────────────────────────────────────────────────────

EVERYTHING = Path(__file__).parents[2] / ".quickstart/node/node_modules/.bin/mcp-server-everything"


async def test_server_everything_samples_elicits_and_lists_roots(runner: RunnerProcess) -> None:
    assert EVERYTHING.exists(), "`make test` installs what these tests use"
    server = {"command": [str(EVERYTHING), "stdio"], "confine": "off"}
    runner.order({"files": server})
    async with a_worker(runner) as worker:
        ear = Ear()
        sampling = await worker.call("trigger-sampling-request", offers=ALL, prompt="hm", ear=ear)
        (request,) = questions(sampling).values()
        assert request["method"] == "sampling/createMessage"
        content = {"type": "text", "text": "a thought"}
        message = {"role": "assistant", "content": content, "model": "m"}
        done = await worker.retry(sampling, {"1": message}, name="trigger-sampling-request")
        assert "a thought" in json.dumps(done.result)

        eliciting = await worker.call("trigger-elicitation-request", offers=ALL)
        (request,) = questions(eliciting).values()
        assert request["method"] == "elicitation/create"
        accepted = {"action": "accept", "content": {"name": "Anna"}}
        done = await worker.retry(eliciting, {"1": accepted}, name="trigger-elicitation-request")
        assert "Anna" in json.dumps(done.result)
