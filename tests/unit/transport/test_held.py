from __future__ import annotations

import asyncio

from bawn.transport.held import Held


async def waits(held: Held, who: str, size: int) -> asyncio.Task[None]:
    """A wish that has been made."""
    task = asyncio.create_task(held.take(who, size))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return task


async def test_a_principal_waits_for_itself_alone() -> None:
    held = Held(400)
    await held.take("a", 100)
    again = await waits(held, "a", 1)
    await held.take("b", 100)
    assert not again.done()
    held.give("a", 100)
    await again
    held.give("a", 1)
    held.give("b", 100)
    assert held.all.held == 0
    assert held._own == {}


async def test_all_wait_for_all() -> None:
    held = Held(400)
    for who in "abcd":
        await held.take(who, 100)
    fifth = await waits(held, "e", 100)
    assert not fifth.done()
    held.give("c", 100)
    await fifth
    assert held.all.held == 400


async def test_who_gives_up_waiting_holds_nothing() -> None:
    held = Held(400)
    await held.take("a", 100)
    own = await waits(held, "a", 50)
    held.count(300)
    other = await waits(held, "b", 50)
    for task in (own, other):
        task.cancel()
    await asyncio.gather(own, other, return_exceptions=True)
    held.give("a", 100)
    held.discount(300)
    assert held.all.held == 0
    assert held._own == {}


async def test_what_is_there_already_is_counted_whether_there_is_room_or_not() -> None:
    held = Held(400)
    await held.take("a", 100)
    held.count(400)
    assert held.all.held == 500
    waiting = await waits(held, "b", 1)
    held.give("a", 100)
    assert not waiting.done()
    held.discount(400)
    await waiting


async def test_more_than_the_share_counts_as_the_share_and_is_given_back_as_that() -> None:
    held = Held(400)
    await held.take("a", 1000)
    assert held.all.held == 400
    held.give("a", 1000)
    assert held.all.held == 0
