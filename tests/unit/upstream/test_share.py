from __future__ import annotations

import asyncio
import random

from hypothesis import given
from hypothesis import strategies as st

from bawn.budget import Budget
from bawn.upstream.share import Lease, Share
from tests.unit.upstream.wires import turn


def nothing() -> None:
    """Nobody goes on."""


async def test_a_server_has_half_and_no_more() -> None:
    budget = Budget(100)
    one, other = Share(budget), Share(budget)
    assert one.take(30) == 30
    assert one.take(30) == 0
    assert other.take(30) == 30
    assert one.take(20) == 20
    for share, size in ((one, 30), (one, 20), (other, 30)):
        share.give(size)
    assert one.take(1000) == 50
    one.give(50)
    assert budget.held == 0


async def test_whoever_waits_for_its_own_server_holds_up_no_other() -> None:
    budget = Budget(100)
    one, other = Share(budget), Share(budget)
    assert one.take(50)
    waiting = asyncio.create_task(one.wait(50))
    await turn()
    assert other.take(50) == 50
    one.give(50)
    assert await waiting == 50


async def test_a_lease_goes_on_when_it_has_what_it_needs() -> None:
    share = Share(Budget(100))
    first, second = Lease(share), Lease(share)
    went: list[int] = []
    assert first.covers(40, nothing)
    assert first.covers(40, nothing)
    assert not second.covers(40, lambda: went.append(second.size))
    assert not second.covers(40, nothing)
    await turn()
    assert went == []
    first.release()
    first.release()
    await turn()
    assert went == [40]
    second.release()
    assert share.take(50) == 50


@given(st.integers(0, 2**32), st.integers(1, 200))
async def test_whatever_becomes_of_leases_nothing_is_left(seed: int, most: int) -> None:
    dice, budget = random.Random(seed), Budget(most)
    shares = [Share(budget) for _ in range(3)]
    leases: list[Lease] = []
    for _ in range(60):
        match dice.randrange(5):
            case 0 | 1:
                leases.append(Lease(dice.choice(shares)))
                leases[-1].covers(dice.randrange(1, 90), nothing)
            case 2 if leases:
                leases.pop(dice.randrange(len(leases))).release()
            case 3 if leases:
                dice.choice(leases).leave_line()
            case _:
                await asyncio.sleep(0)
        assert budget.held <= most
        assert all(share._own.held <= max(1, most // 2) for share in shares)
    for lease in leases:
        lease.release()
    await turn()
    assert budget.held == 0
    assert not any(share._own.held for share in shares)
