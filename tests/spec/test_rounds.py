from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest

from bawn.config import Limits
from bawn.errors import REASONS, Refused
from bawn.model import Answer, Json, Outbound
from bawn.ports import Arrival, Emit
from bawn.upstream.parking import Asks, Parking
from tests.gate import META, VIC, House, Script, modern, reason_of

READ: Json = {"name": "files__read", "arguments": {"path": "/a"}}
DECLARED: Json = {META + "clientCapabilities": {"elicitation": {}, "roots": {}}}
FORM: Json = {
    "method": "elicitation/create",
    "params": {"message": "Who?", "requestedSchema": {"type": "object", "properties": {}}},
}
ACCEPTED: Json = {"action": "accept", "content": {"name": "ada"}}


class Asking:
    """A server that asks until it was told, and keeps what it was told."""

    def __init__(self, house: House, asked: Json, server: str = "files") -> None:
        self.asked = asked
        self.told: list[Outbound] = []
        house.upstreams[server].behave = self

    async def __call__(self, outbound: Outbound, emit: Emit | None) -> Answer:
        """How the server behaves."""
        self.told.append(outbound)
        if "inputResponses" in outbound.params or "requestState" in outbound.params:
            return Answer(result={"resultType": "complete", "content": []})
        return Answer(result={"resultType": "input_required", **self.asked})


def _ask(**changes: Any) -> Arrival:
    params = READ | changes.pop("params", {})
    return modern("tools/call", params, **({"meta": DECLARED} | changes))


async def _asked(house: House) -> Json:
    _, body = await house.ask(_ask())
    assert body["result"]["resultType"] == "input_required"
    result: Json = body["result"]
    return result


def _retry(state: str, **changes: Any) -> Arrival:
    answered = {"requestState": state, "inputResponses": {"who": ACCEPTED}}
    return _ask(params=answered | changes.pop("params", {}), **({"id_": 2} | changes))


async def test_a_question_is_part_of_the_result_and_no_request() -> None:
    house = House()
    Asking(house, {"inputRequests": {"who": FORM}})
    asked = await _asked(house)
    assert list(asked["inputRequests"]) == ["who"]
    assert asked["inputRequests"]["who"]["method"] == "elicitation/create"
    assert house.emitted == []


async def test_a_question_carries_no_caching_hints() -> None:
    house = House()
    Asking(house, {"inputRequests": {"who": FORM}, "ttlMs": 5, "cacheScope": "public"})
    params = {"uri": "file:///a"}
    _, body = await house.ask(modern("resources/read", params, meta=DECLARED))
    assert body["result"]["resultType"] == "input_required"
    assert {"ttlMs", "cacheScope"}.isdisjoint(body["result"])


@pytest.mark.parametrize("state", ["S", "", "é\u2028", "x" * 500])
async def test_a_server_gets_its_own_state_back_and_the_answers(state: str) -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}, "requestState": state})
    sealed = (await _asked(house))["requestState"]
    assert sealed != state
    _, body = await house.ask(_retry(sealed))
    assert body["result"]["resultType"] == "complete"
    assert server.told[1].params["requestState"] == state
    assert server.told[1].params["inputResponses"] == {"who": ACCEPTED}
    assert server.told[1].params["arguments"] == READ["arguments"]


async def test_a_server_that_gave_no_state_gets_none() -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    await house.ask(_retry((await _asked(house))["requestState"]))
    assert "requestState" not in server.told[1].params


@pytest.mark.parametrize("action", ["accept", "decline", "cancel"])
async def test_accepting_declining_and_dismissing_reach_the_server(action: str) -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    responses = {"inputResponses": {"who": {"action": action}}}
    await house.ask(_retry((await _asked(house))["requestState"], params=responses))
    assert server.told[1].params["inputResponses"] == {"who": {"action": action}}


@pytest.mark.parametrize(
    "changes",
    [
        {"who": VIC},
        {"params": {"arguments": {"path": "/b"}}},
        {"params": {"name": "files__write"}},
        {"params": {"name": "read"}, "at": "files"},
    ],
    ids=["principal", "arguments", "tool", "endpoint"],
)
async def test_a_state_serves_its_own_request_and_caller_alone(changes: Json) -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}, "requestState": "S"})
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(_retry(state, **changes))
    assert "result" not in body
    assert body["error"]["code"] == -32602
    assert len(server.told) == 1
    _, body = await house.ask(_retry(state, id_=3))
    assert body["result"]["resultType"] == "complete"


@pytest.mark.parametrize("place", [0, 10, 40, -1])
async def test_a_changed_state_is_refused(place: int) -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    state = (await _asked(house))["requestState"]
    place %= len(state)
    other = "A" if state[place] != "A" else "B"
    changed = state[:place] + other + state[place + 1 :]
    _, body = await house.ask(_retry(changed))
    assert reason_of(body) == "state.invalid"
    assert len(server.told) == 1


async def test_a_state_ends_with_its_time() -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    state = (await _asked(house))["requestState"]
    house.clock.now += house.config.limits.input + 1
    _, body = await house.ask(_retry(state))
    assert reason_of(body) == "state.invalid"
    assert len(server.told) == 1


async def test_a_state_serves_once() -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    state = (await _asked(house))["requestState"]
    await house.ask(_retry(state))
    _, body = await house.ask(_retry(state, id_=3))
    assert reason_of(body) == "state.used"
    assert len(server.told) == 2


async def test_without_the_store_no_retry_is_made() -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    state = (await _asked(house))["requestState"]
    house.graves.failing = Refused(REASONS["store.unavailable"])
    _, body = await house.ask(_retry(state))
    assert reason_of(body) == "store.unavailable"
    assert len(server.told) == 1


async def test_every_retry_is_decided_and_recorded_anew() -> None:
    house = House()
    Asking(house, {"inputRequests": {"who": FORM}})
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(_retry(state))
    assert body["result"]["resultType"] == "complete"
    assert house.journal.words() == ["intent", "send", "outcome"] * 2
    state = (await _asked(house))["requestState"]
    fewer = msgspec.structs.replace(_retry(state, id_=9).principal, roles=frozenset())
    _, body = await house.ask(_retry(state, id_=9, who=fewer))
    assert "result" not in body
    assert len(house.sent) == 3


@pytest.mark.parametrize("responses", [5, "x", [], {"who": 5}])
async def test_answers_of_a_wrong_shape_are_minus_32602(responses: object) -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    state = (await _asked(house))["requestState"]
    _, body = await house.ask(_retry(state, params={"inputResponses": responses}))
    assert body["error"]["code"] == -32602
    assert len(server.told) == 1


async def test_an_invented_state_is_refused() -> None:
    house = House()
    server = Asking(house, {"inputRequests": {"who": FORM}})
    _, body = await house.ask(_retry("invented"))
    assert reason_of(body) == "state.invalid"
    assert server.told == []


async def test_what_the_caller_cannot_answer_is_minus_32021() -> None:
    house = House()
    Asking(house, {"inputRequests": {"who": FORM}})
    reply, body = await house.ask(_ask(meta={}))
    assert (reply.status, body["error"]["code"]) == (400, -32021)
    assert body["error"]["data"]["requiredCapabilities"] == {"elicitation": {"form": {}}}


async def test_the_person_reads_which_server_asks() -> None:
    house = House()
    Asking(house, {"inputRequests": {"who": FORM}})
    asked = await _asked(house)
    assert "files" in asked["inputRequests"]["who"]["params"]["message"]


async def test_two_servers_may_ask_under_one_key() -> None:
    house = House()
    servers = {
        "files": Asking(house, {"inputRequests": {"who": FORM}, "requestState": "F"}),
        "issues": Asking(house, {"inputRequests": {"who": FORM}, "requestState": "I"}, "issues"),
    }
    states: dict[str, str] = {}
    for name in servers:
        _, body = await house.ask(_ask(params={"name": f"{name}__read"}))
        assert list(body["result"]["inputRequests"]) == ["who"]
        states[name] = body["result"]["requestState"]
    for name, server in servers.items():
        answer = {"action": "accept", "content": {"name": name}}
        params = {"name": f"{name}__read", "inputResponses": {"who": answer}}
        _, body = await house.ask(_retry(states[name], params=params))
        assert body["result"]["resultType"] == "complete"
        assert server.told[1].params["requestState"] == name[0].upper()
        assert server.told[1].params["inputResponses"] == {"who": answer}
        assert len(server.told) == 2


@pytest.mark.parametrize("unasked", [{"9": {}}, {"": {}, "who": ACCEPTED}, {"__proto__": {"a": 1}}])
async def test_a_parked_call_hears_nothing_that_it_did_not_ask(unasked: Json) -> None:
    heard: list[Json] = []
    done = asyncio.get_running_loop().create_future()

    async def answered(outcome: Json) -> None:
        heard.append(outcome)
        done.set_result(None)

    async def exchange(emit: Emit, asks: Asks) -> Answer:
        assert asks.ask("q", {"method": "roots/list"}, answered)
        await done
        return Answer(result={"resultType": "complete"})

    parking = Parking("files", Limits())
    first = await parking.run(Outbound("files", "tools/call", {}, "ada", "t"), None, exchange)
    assert first.result is not None
    [key] = first.result["inputRequests"]

    def retry(asked: Answer, **responses: Json) -> Outbound:
        params = {"requestState": (asked.result or {})["requestState"], "inputResponses": responses}
        return Outbound("files", "tools/call", params, "ada", "t", parked=True)

    again = await parking.resume(retry(first, **unasked), None)
    assert again.parked
    assert list((again.result or {})["inputRequests"]) == [key]
    assert heard == []
    last = await parking.resume(retry(again, **{**unasked, key: {"roots": []}}), None)
    assert not last.parked
    assert heard == [{"result": {"roots": []}}]


@pytest.mark.parametrize(
    "method", ["completion/complete", "tasks/get", "tasks/update", "tasks/cancel"]
)
async def test_who_asks_where_nobody_may_be_asked_is_at_fault(method: str) -> None:
    house = House()
    declared: Json = {"elicitation": {}, "extensions": {META + "tasks": {}}}
    meta = {META + "clientCapabilities": declared}
    asking = Answer(result={"resultType": "input_required", "inputRequests": {"a": FORM}})
    Script(house, Answer(result={"resultType": "task", "taskId": "T"}), asking)
    _, body = await house.ask(modern("tools/call", READ, meta=meta))
    params: Json = {"taskId": body["result"]["taskId"]}
    if method == "completion/complete":
        ref = {"type": "ref/prompt", "name": "files__summary"}
        params = {"ref": ref, "argument": {"name": "a", "value": ""}}
    elif method == "tasks/update":
        params["inputResponses"] = {}
    _, body = await house.ask(modern(method, params, meta=meta, id_=2))
    assert reason_of(body) == "upstream.invalid"
