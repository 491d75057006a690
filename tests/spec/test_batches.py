from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bawn.config import Limits
from bawn.model import Json
from bawn.ports import Arrival, Reply
from tests.fakes import Journal
from tests.gate import ADA, VIC, Held, House, arrive, reason_of, session_of

FIRST = "2025-03-26"
READ: Json = {"name": "files__read"}


def _part(method: str, params: Json | None = None, id_: object = None) -> Json:
    made: Json = {"jsonrpc": "2.0", "method": method, "params": params or {}}
    return made if id_ is None else {**made, "id": id_}


def _batch(*parts: Any, session: str | None = None, **more: Any) -> Arrival:
    named = {b"mcp-protocol-version": FIRST.encode()}
    if session is not None:
        named[b"mcp-session-id"] = session.encode()
    return arrive(list(parts), named, **more)


async def _asked(house: House, arrival: Arrival) -> tuple[Reply, list[Json]]:
    """The answer, and the responses that it holds."""
    reply = await house.answer(arrival)
    return reply, json.loads(reply.body)


async def test_each_part_is_decided_recorded_and_answered() -> None:
    house = House()
    session = await session_of(house, VIC, version=FIRST)
    reply, body = await _asked(
        house,
        _batch(
            _part("tools/call", READ, 1),
            _part("notifications/initialized"),
            _part("prompts/get", {"name": "files__summary"}, "two"),
            _part("tools/none", {}, 3),
            _part("ping", {}, 4),
            session=session,
            who=VIC,  # who may use prompts, and no tools
        ),
    )
    assert reply.status == 200
    answers = {each["id"]: each for each in body}
    assert list(answers) == [1, "two", 3, 4]
    assert answers[1]["error"]["code"] == -32602
    assert "result" in answers["two"]
    assert answers[3]["error"]["code"] == -32601
    assert answers[4]["result"] == {}
    assert house.journal.words() == ["refusal", "intent", "send", "outcome"]
    assert [sent.method for sent in house.sent] == ["prompts/get"]


async def test_a_part_that_is_no_message_spoils_no_other() -> None:
    house = House()
    _, body = await _asked(house, _batch(5, [], {"id": 1}, _part("ping", {}, 2)))
    assert [("error" in each, each["id"]) for each in body] == [
        (True, None),
        (True, None),
        (True, 1),
        (False, 2),
    ]


async def test_a_batch_without_requests_gets_202() -> None:
    house = House()
    session = await session_of(house, version=FIRST)
    told = _part("notifications/roots/list_changed")
    answer = {"jsonrpc": "2.0", "id": "nobody asked", "result": {}}
    for parts in ([told], [told, told], [answer], [told, answer]):
        reply = await house.answer(_batch(*parts, session=session))
        assert (reply.status, reply.body) == (202, b"")


async def test_initialize_is_no_part_of_a_batch() -> None:
    house = House()
    hello = _part("initialize", {"protocolVersion": FIRST, "capabilities": {}}, 1)
    reply, body = await _asked(house, _batch(hello, _part("ping", {}, 2)))
    assert [("error" in each, each["id"]) for each in body] == [(True, 1), (False, 2)]
    assert body[0]["error"]["code"] == -32600
    assert b"mcp-session-id" not in dict(reply.headers)


@pytest.mark.parametrize("last", ["files", "issues"])
async def test_the_answer_has_one_response_for_each_request_and_comes_with_the_last(
    last: str,
) -> None:
    house = House()
    held = Held(house, last)
    parts = [_part("tools/call", {"name": f"{each}__read"}, each) for each in ("files", "issues")]
    answering = asyncio.create_task(_asked(house, _batch(*parts)))
    await held.reached.wait()
    while len(house.journal.of("outcome")) < 1:
        await asyncio.sleep(0)
    assert not answering.done()
    held.let.set()
    _, body = await answering
    assert sorted(each["id"] for each in body) == ["files", "issues"]
    assert all("result" in each for each in body)


@pytest.mark.parametrize("size", [0, 4, 100])
async def test_an_empty_batch_and_one_that_is_too_long_are_refused(size: int) -> None:
    house = House(limits=Limits(batch=3))
    parts = [_part("tools/call", READ, number) for number in range(size)]
    reply, body = await house.ask(_batch(*parts))
    assert (reply.status, reason_of(body)) == (400, "message.shape")
    assert house.journal == Journal()
    _, answers = await _asked(house, _batch(*[_part("ping", {}, number) for number in range(3)]))
    assert len(answers) == 3


async def test_parts_of_a_batch_count_as_calls_in_flight() -> None:
    house = House(limits=Limits(calls_per_principal=1))
    parts = [_part("tools/call", READ, number) for number in (1, 2)]
    held = Held(house)
    answering = asyncio.create_task(_asked(house, _batch(*parts, who=ADA)))
    await held.reached.wait()
    held.let.set()
    _, body = await answering
    assert "result" in body[0]
    assert reason_of(body[1]) == "limit.principal"
