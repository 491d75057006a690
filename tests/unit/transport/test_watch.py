from __future__ import annotations

import asyncio

import pytest

from bawn.transport import watch
from bawn.transport.watch import Watch


class Call:
    """Something that may last."""

    def __init__(self) -> None:
        self.looked_after = asyncio.Event()
        self.times = 0

    def look_after(self) -> None:
        """Fills `watch.Lasting`."""
        self.times += 1
        self.looked_after.set()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "AFTER", 0.005)


async def test_what_lasts_is_looked_after_once() -> None:
    watching, one, other = Watch(), Call(), Call()
    watching.enter(one)
    await asyncio.wait_for(one.looked_after.wait(), 5)
    watching.enter(other)
    await asyncio.wait_for(other.looked_after.wait(), 5)
    assert (one.times, other.times) == (1, 1)


async def test_what_ends_in_time_is_never_looked_after() -> None:
    watching, short, between, lasting = Watch(), Call(), Call(), Call()
    watching.enter(short)
    watching.leave(short)
    watching.enter(lasting)
    watching.enter(between)
    watching._tick()
    watching.leave(between)
    await asyncio.wait_for(lasting.looked_after.wait(), 5)
    assert (short.times, between.times) == (0, 0)
    watching.leave(lasting)


async def test_without_calls_there_is_no_timer() -> None:
    watching, call = Watch(), Call()
    watching.enter(call)
    assert watching._timer is not None
    watching.leave(call)
    watching._tick()
    assert Watch()._timer is watching._timer is None
