"""What comes on a stream is read as much as what an answer brings: its conversation has touched it."""

from __future__ import annotations

import asyncio
from typing import Final

from bawn.model import Item, Json, Label
from tests.gate import ADA, House
from tests.unit.gateway.telling import Telling
from tests.unit.gateway.test_consent import Asking
from tests.unit.gateway.test_subscriptions import DECLARED, Listener, _started, _view

FINISHED: Final[Json] = {
    "taskId": "own-1",
    "status": "completed",
    "result": {"content": [{"type": "text", "text": "what is private"}]},
}


class Touching(Asking):
    """A policy that allows everything, and looks at what conversations have touched."""

    def touches(self, item: Item) -> frozenset[Label]:
        return frozenset({Label.PRIVATE, Label.UNTRUSTED})


async def test_the_result_of_a_task_that_is_heard_of_has_been_touched() -> None:
    house = House(policy=Touching())
    house.gateway.swap(_view(house))
    id_ = await _started(house)
    server = Telling(house)
    listener = Listener(house, {"taskIds": [id_]}, meta=DECLARED)
    assert await listener.acknowledged() == {"taskIds": [id_]}
    house.flows.known.clear()  # hours have passed: what its call touched counts no more
    await server.tell("notifications/tasks/status", FINISHED)
    told = await listener.told.get()
    assert "result" in told["params"]
    assert house.flows.known.get(ADA.key) == frozenset({Label.PRIVATE, Label.UNTRUSTED})
    listener.running.cancel()
    await asyncio.wait({listener.running})
