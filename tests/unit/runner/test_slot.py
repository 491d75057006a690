"""The place of one child."""

from __future__ import annotations

import asyncio

import pytest

from bawn.errors import Refused
from bawn.runner.pending import Deadlines
from bawn.runner.slot import Backoff, Slot
from tests.unit.runner.fakes import Clock, Launcher

DEADLINES = Deadlines(60, 300)


class Place:
    """A slot over fakes."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.launcher = Launcher()
        self.slot = Slot("files", self.launcher.start, self.clock)

    async def call(self) -> int:
        """The number of the child that answered."""
        answer = await self.slot.call("tools/call", {}, DEADLINES, None)
        assert answer.result is not None
        number: int = answer.result["child"]
        return number

    async def refused(self) -> str:
        with pytest.raises(Refused) as refused:
            await self.call()
        assert refused.value.reason.id == "upstream.not_started"
        return refused.value.detail


@pytest.fixture
async def place() -> Place:
    return Place()


def test_the_wait_doubles_up_to_half_a_minute() -> None:
    backoff, now, waits = Backoff(), 0.0, []
    for _ in range(9):
        backoff.ended(now, lived=1.0)
        waits.append(backoff.left(now))
        now += waits[-1]
        assert backoff.left(now) == 0.0
    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_minute_of_health_begins_anew() -> None:
    backoff = Backoff()
    for lived in (1.0, 1.0, 60.0):
        backoff.ended(0.0, lived)
    assert backoff.left(0.0) == 0.5


async def test_concurrent_first_calls_share_one_start(place: Place) -> None:
    assert await asyncio.gather(*(place.call() for _ in range(10))) == [0] * 10
    assert place.slot.calls == 10


async def test_the_first_caller_may_leave_and_the_others_are_served(place: Place) -> None:
    place.launcher.gate.clear()
    first, second = asyncio.create_task(place.call()), asyncio.create_task(place.call())
    await place.launcher.asked.wait()
    first.cancel()
    await asyncio.wait({first})
    place.launcher.gate.set()
    assert await second == 0
    assert place.slot.in_flight == 0


async def test_a_failed_start_fails_all_who_waited_and_is_not_repeated_at_once(
    place: Place,
) -> None:
    place.launcher.failing = True
    calls = [asyncio.create_task(place.refused()) for _ in range(3)]
    assert [await call for call in calls] == ["exit code 7"] * 3
    assert place.slot.starts == 1
    place.launcher.failing = False
    assert await place.refused() == "exit code 7; the next start is allowed in 0.5 s"
    place.clock.now += 0.5
    assert await place.call() == 0


async def test_a_child_that_died_is_started_again_by_the_next_call_after_the_wait(
    place: Place,
) -> None:
    await place.call()
    place.launcher.children[0].die("exit code 1")
    assert len(place.launcher.children) == 1
    assert "exit code 1" in await place.refused()
    place.clock.now += 0.5
    assert await place.call() == 1
    assert place.slot.facts["restarts"] == 1
    assert place.slot.facts["last_error"] == "exit code 1"


async def test_a_child_that_is_dying_gets_no_call_and_its_end_counts_once(place: Place) -> None:
    await place.call()
    dying = place.launcher.children[0]
    dying.alive = False
    assert "closed" in await place.refused()
    place.clock.now += 0.5
    assert await place.call() == 1
    dying.on_end("late news")
    assert await place.call() == 1


async def test_a_stopped_child_is_no_failure_and_the_next_waits_for_its_end(place: Place) -> None:
    await place.call()
    place.launcher.children[0].may_stop.clear()
    place.slot.stop(1.0)
    await place.launcher.children[0].stopped.wait()
    again = asyncio.create_task(place.call())
    done, _ = await asyncio.wait({again}, timeout=0.01)
    assert not done
    assert len(place.launcher.children) == 1
    place.launcher.children[0].may_stop.set()
    assert await again == 1
    assert place.slot.last_error == ""


async def test_closing_ends_a_start_under_way_and_refuses_its_callers(place: Place) -> None:
    place.launcher.gate.clear()
    call = asyncio.create_task(place.refused())
    await place.launcher.asked.wait()
    await place.slot.close(1.0)
    assert "stopped" in await call
    assert not place.slot.occupied
    assert "stopped" in await place.refused()


async def test_a_defect_of_ours_is_a_refusal_and_not_a_hang() -> None:
    async def broken(_: object) -> None:
        raise ValueError("secret")

    slot = Slot("files", broken, Clock())  # type: ignore[arg-type]  # broken on purpose
    with pytest.raises(Refused) as refused:
        await slot.call("tools/call", {}, DEADLINES, None)
    assert refused.value.reason.id == "internal.error"
    assert "secret" not in str(refused.value)
