"""The subscriptions at one process."""

from __future__ import annotations

import asyncio

import pytest

from bawn.errors import UPSTREAM_DIED, UPSTREAM_FIRST_BYTE, Reason, Refused
from bawn.model import Answer, Json
from bawn.runner.caller import Caller
from bawn.runner.listens import Listen
from bawn.runner.subscriptions import Subscriptions


class Process:
    """Agrees to everything but what it is told to refuse."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.fails: dict[str, Reason] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.held = Subscriptions(self._ask)

    async def _ask(self, method: str, params: Json) -> Answer:
        uri = params["uri"]
        self.asked.append((method.removeprefix("resources/"), uri))
        await self.gate.wait()
        if uri in self.fails:
            raise Refused(self.fails[uri])
        return Answer(error={"code": 1}) if uri == "no" else Answer(result={})

    async def settled(self) -> list[tuple[str, str]]:
        """What was asked, once nothing is under way."""
        for _ in range(10):
            await asyncio.sleep(0)
        return self.asked


async def test_each_resource_is_asked_for_once_and_left_by_the_last() -> None:
    process = Process()
    both = await asyncio.gather(process.held.hold(["a"]), process.held.hold(["a", "b"]))
    assert list(both) == [["a"], ["a", "b"]]
    process.held.release(["a"])
    assert await process.settled() == [("subscribe", "a"), ("subscribe", "b")]
    process.held.release(["a", "b"])
    assert (await process.settled())[2:] == [("unsubscribe", "a"), ("unsubscribe", "b")]


async def test_what_is_refused_or_not_answered_is_left_out() -> None:
    process = Process()
    process.fails["slow"] = UPSTREAM_FIRST_BYTE
    assert await process.held.hold(["a", "no", "slow"]) == ["a"]
    assert len(await process.settled()) == 3  # nothing to leave


async def test_the_end_of_the_process_is_told_and_nothing_is_held() -> None:
    process = Process()
    process.fails["b"] = UPSTREAM_DIED
    with pytest.raises(Refused):
        await process.held.hold(["a", "b"])
    assert ("unsubscribe", "a") in await process.settled()
    assert await process.held.hold(["a"]) == ["a"]


async def test_a_listener_who_leaves_at_once_leaves_nothing_behind() -> None:
    process = Process()
    process.gate.clear()
    holding = asyncio.create_task(process.held.hold(["a"]))
    await process.settled()
    holding.cancel()
    await asyncio.wait({holding})
    process.gate.set()
    assert await process.settled() == [("subscribe", "a"), ("unsubscribe", "a")]


async def test_who_comes_back_before_it_was_left_stays_subscribed() -> None:
    process = Process()
    await process.held.hold(["a"])
    process.held.release(["a"])
    await process.held.hold(["a"])
    assert [asked for asked, _ in await process.settled()][-1] == "subscribe"


async def test_a_part_of_a_resource_is_told_of_too_and_a_neighbour_is_not() -> None:
    process, told = Process(), []

    def tell(message: Json) -> bool:
        told.append(message)
        return True

    listen = Listen({"notifications": {"resourceSubscriptions": ["file:///a"]}}, Caller(tell), 9)
    listen.acknowledge({})
    process.held.listeners.add(listen)
    for uri in ("file:///a", "file:///a/b", "file:///ab", 7, None):
        process.held.updated({"method": "m", "params": {"uri": uri}})
    assert [message["params"]["uri"] for message in told[1:]] == ["file:///a", "file:///a/b"]
