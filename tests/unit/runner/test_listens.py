"""One stream of notifications, and those who hear of changed lists."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bawn.errors import Refused
from bawn.model import Answer, Json
from bawn.runner.caller import Caller
from bawn.runner.listens import Changes, Listen

TOOLS = "notifications/tools/list_changed"


class Ear:
    """A listener; it reads as long as `reads`."""

    def __init__(self, **wanted: Any) -> None:
        self.told: list[Json] = []
        self.reads = True
        self.listen = Listen({"notifications": wanted}, Caller(self._tell), 3)

    def _tell(self, message: Json) -> bool:
        self.told.append(message)
        return self.reads


async def never() -> Answer:
    await asyncio.Event().wait()
    raise AssertionError


async def test_nothing_goes_out_before_the_acknowledgement() -> None:
    ear = Ear(toolsListChanged=True)
    ear.listen.hear({"method": "early"})
    assert ear.told == []
    ear.listen.acknowledge({"toolsListChanged": True})
    ear.listen.hear({"method": "late"})
    assert [message["method"] for message in ear.told] == [
        "notifications/subscriptions/acknowledged", "early", "late",
    ]  # fmt: skip
    assert ear.told[0]["params"] == {"notifications": {"toolsListChanged": True}}


async def test_the_lists_are_told_from_what_concerns_one_process() -> None:
    listen = Ear(toolsListChanged=True, resourceSubscriptions=["a", "a", "b"], taskIds=["t"]).listen
    assert listen.lists == ["toolsListChanged"]
    assert listen.uris == ("a", "b")
    assert listen.rest == {"resourceSubscriptions": ["a", "b"], "taskIds": ["t"]}


@pytest.mark.parametrize("params", [{}, {"notifications": []}, {"notifications": None}])
async def test_a_filter_of_the_wrong_shape_is_refused(params: Json) -> None:
    with pytest.raises(Refused) as refused:
        Listen(params, Caller(lambda message: True), 3)
    assert refused.value.reason.id == "message.params"


async def test_more_than_the_limit_is_refused() -> None:
    with pytest.raises(Refused):
        Ear(resourceSubscriptions=["a", "b", "c", "d"])


async def test_a_slow_listener_is_cut_and_the_work_ends() -> None:
    ear = Ear(toolsListChanged=True)
    running = asyncio.create_task(ear.listen.run(never()))
    ear.listen.acknowledge({})
    ear.reads = False
    ear.listen.hear({"method": "x"})
    with pytest.raises(Refused) as refused:
        await running
    assert refused.value.reason.id == "upstream.outcome_unknown"
    ear.listen.hear({"method": "y"})
    assert len(ear.told) == 2


async def test_a_flood_before_the_acknowledgement_is_cut() -> None:
    ear = Ear(toolsListChanged=True)
    for _ in range(300):
        ear.listen.hear({"method": "x"})
    assert ear.listen.over.exception() is not None


async def test_changes_reach_those_who_want_them_until_the_end() -> None:
    changes, tools, prompts = Changes(), Ear(toolsListChanged=True), Ear(promptsListChanged=True)
    for ear in (tools, prompts):
        ear.listen.acknowledge({})
        changes.listeners.add(ear.listen)
    changes.note(TOOLS)
    assert [len(ear.told) for ear in (tools, prompts)] == [2, 1]
    assert tools.told[1] == {"jsonrpc": "2.0", "method": TOOLS}
    assert changes.count == 1
    changes.end()
    changes.note(TOOLS)
    assert len(tools.told) == 2
    assert (await tools.listen.over).result == {"resultType": "complete"}
