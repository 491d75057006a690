from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from bawn.config import Limits
from bawn.model import Answer, Json, Outbound
from bawn.ports import Emit
from tests.gate import EVE, LEGACY, LISTINGS, Held, House, legacy, modern, reason_of

ARGUMENT: Json = {"argument": {"name": "a", "value": "b"}}
PROMPT: Json = {"ref": {"type": "ref/prompt", "name": "files__summary"}, **ARGUMENT}
TEMPLATE: Json = {"ref": {"type": "ref/resource", "uri": "file:///{+path}"}, **ARGUMENT}


def _completing(house: House, count: int = 3) -> House:
    async def behave(outbound: Outbound, emit: Emit | None) -> Answer:
        found: dict[str, Any] = {"values": [str(number) for number in range(count)]}
        return Answer(result={"resultType": "complete", "completion": found})

    house.upstreams["files"].behave = behave
    return house


@pytest.mark.parametrize(
    ("params", "named"),
    [
        (PROMPT, {"type": "ref/prompt", "name": "summary"}),
        (TEMPLATE, {"type": "ref/resource", "uri": "file:///{+path}"}),
    ],
)
async def test_a_completion_goes_to_its_server_by_the_servers_own_name(
    params: Json, named: Json
) -> None:
    house = _completing(House())
    context = {"context": {"arguments": {"x": "y"}}}
    _, body = await house.ask(modern("completion/complete", params | context))
    assert body["result"]["completion"]["values"] == ["0", "1", "2"]
    [sent] = house.sent
    assert (sent.server, sent.params["ref"]) == ("files", named)
    assert sent.params["context"] == context["context"]
    assert house.journal.words() == ["intent", "send", "outcome"]


@pytest.mark.parametrize("params", [PROMPT, TEMPLATE])
async def test_suggestions_go_only_to_who_may_use_what_is_completed(params: Json) -> None:
    house = _completing(House())
    error = await house.refused(modern("completion/complete", params, who=EVE), "target.unknown")
    assert error["code"] == -32602


@pytest.mark.parametrize(
    "ref",
    [
        {"type": "ref/prompt", "name": "summary"},
        {"type": "ref/prompt", "name": "files__none"},
        {"type": "ref/resource", "uri": "none://{x}"},
    ],
)
async def test_what_is_not_offered_is_not_completed(ref: Json) -> None:
    house = _completing(House())
    params = {"ref": ref, **ARGUMENT}
    error = await house.refused(modern("completion/complete", params), "target.unknown")
    assert error["code"] == -32602


async def test_at_most_a_hundred_values_are_passed() -> None:
    house = _completing(House(), 250)
    _, body = await house.ask(modern("completion/complete", PROMPT))
    completion = body["result"]["completion"]
    assert len(completion["values"]) == 100
    assert completion["hasMore"] is True


async def test_completions_count_as_calls_in_flight() -> None:
    house = House(limits=Limits(calls_per_principal=1))
    held = Held(house)
    first = asyncio.create_task(house.answer(modern("tools/call", {"name": "files__read"})))
    await held.reached.wait()
    _, body = await house.ask(modern("completion/complete", PROMPT, id_=2))
    assert reason_of(body) == "limit.principal"
    held.let.set()
    await first


@pytest.mark.parametrize("capability", ["completions", "logging"])
async def test_what_some_server_can_is_advertised_in_both_eras(capability: str) -> None:
    house = House()
    without = await _advertised(house)
    assert all(capability not in capabilities for capabilities in without)
    able = replace(LISTINGS[0], capabilities={**LISTINGS[0].capabilities, capability: {}})
    house.gateway.swap(house.view(able, *LISTINGS[1:]))
    assert [capability in each for each in await _advertised(house)] == [True] * 4
    assert [capability in each for each in await _advertised(house, "issues")] == [False] * 2


async def _advertised(house: House, *at: str) -> list[Json]:
    """By discovery and by handshake, at these endpoints."""
    found: list[Json] = []
    hello = {"protocolVersion": LEGACY, "capabilities": {}}
    for endpoint in at or (None, "files"):
        _, body = await house.ask(modern("server/discover", at=endpoint))
        found.append(body["result"]["capabilities"])
        _, body = await house.ask(legacy("initialize", hello, at=endpoint, version=None))
        found.append(body["result"]["capabilities"])
    return found
