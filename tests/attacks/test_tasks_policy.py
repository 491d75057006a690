"""Tasks are judged as the tool that began them, by what its server and the operator say of it."""

from __future__ import annotations

import time
from typing import Final

import pytest

from bawn.model import Json, Kind
from bawn.policy.engine import CedarEngine
from bawn.protocol import tasks
from bawn.protocol.tasks import TaskHandle
from tests.attacks.test_rounds import WITH_TASKS
from tests.gate import ADA, FILES, LISTINGS, House, listing, modern
from tests.unit.policy.house import ruleset

HINTED: Final[Json] = {
    "name": "read", "inputSchema": {"type": "object"}, "description": "Read a web page.",
    "annotations": {"readOnlyHint": True, "openWorldHint": True},
}  # fmt: skip


def house_of(*rules: str) -> House:
    engine = CedarEngine(ruleset(*rules), {}, clock=time.time, touched=lambda call: frozenset())
    house = House(policy=engine)
    files = listing("files", {**FILES, Kind.TOOL: (HINTED,)})
    house.gateway.swap(house.view(files, *LISTINGS[1:]))
    return house


def task_of(house: House) -> str:
    isolation = "gate"
    handle = TaskHandle(
        ADA.key, None, "files", isolation, "tool", "read", "1", house.clock.now + 60
    )
    return tasks.seal(house.sealer, handle)


@pytest.mark.parametrize(
    "rule",
    [
        "permit(principal, action, resource is Tool) when { resource.readOnly };",
        "permit(principal, action, resource is Tool) when { resource.annotated };",
        "permit(principal, action, resource is Tool) unless { resource.destructive };",
    ],
)
async def test_who_may_call_a_tool_may_follow_its_tasks(rule: str) -> None:
    house = house_of(rule)
    _, body = await house.ask(modern("tools/call", {"name": "files__read", "arguments": {}}))
    assert "result" in body
    _, body = await house.ask(modern("tasks/get", {"taskId": task_of(house)}, meta=WITH_TASKS))
    assert "result" in body


async def test_a_result_of_a_task_touches_what_its_tool_touches() -> None:
    flow = "forbid(principal, action, resource) when { context.flow.changes };"
    house = house_of("permit(principal, action, resource);", flow)
    await house.ask(modern("tools/call", {"name": "files__read", "arguments": {}}))
    touched = house.flows.known.pop(ADA.key)
    await house.ask(modern("tasks/get", {"taskId": task_of(house)}, meta=WITH_TASKS))
    assert house.flows.known[ADA.key] == touched
