"""Calls that have to meet their server in one worker come to the caller's."""

from __future__ import annotations

import pytest

from bawn.gateway.homes import Homes
from bawn.ports import Elsewhere
from tests.gate import ADA, VIC, House, legacy, modern, session_of

READ = {"name": "files__read"}
HOME = Homes(0, 2).home(ADA)


def test_all_workers_agree_where_a_caller_is_at_home() -> None:
    for principal in (ADA, VIC):
        homes = [Homes(slot, 3).away(principal) for slot in range(3)]
        assert homes.count(None) == 1
        assert set(homes) - {None} == {homes.index(None)}


def test_one_worker_is_everybodys() -> None:
    assert not Homes(0, 1).many
    assert Homes(0, 1).away(ADA) is None


def _house(slot: int, *, stays: bool = True) -> House:
    house = House(slot=slot, workers=2)
    house.upstreams["files"].at_home = stays
    return house


async def test_a_call_to_such_a_server_comes_to_its_callers_worker() -> None:
    away = _house(1 - HOME)
    with pytest.raises(Elsewhere) as elsewhere:
        await away.answer(modern("tools/call", READ))
    assert elsewhere.value.slot == HOME
    assert away.journal == []
    home = _house(HOME)
    await home.answer(modern("tools/call", READ))
    assert [sent.server for sent in home.sent] == ["files"]


async def test_other_servers_are_called_from_any_worker() -> None:
    away = _house(1 - HOME, stays=False)
    await away.answer(modern("tools/call", READ))
    assert len(away.sent) == 1


async def test_where_that_worker_is_gone_another_one_steps_in() -> None:
    away = _house(1 - HOME)
    arrival = modern("tools/call", READ)
    settled = arrival.__class__(
        arrival.principal, arrival.endpoint, arrival.headers, arrival.body, arrival.peer, None, True
    )
    await away.answer(settled)
    assert len(away.sent) == 1


async def test_a_listen_comes_to_its_callers_worker() -> None:
    away = _house(1 - HOME, stays=False)
    with pytest.raises(Elsewhere):
        await away.answer(modern("subscriptions/listen", {"notifications": {}}))


@pytest.mark.parametrize("slot", [0, 1])
async def test_a_session_begins_with_the_worker_that_its_servers_need(slot: int) -> None:
    house = _house(slot)
    session = await session_of(house)
    arrival = legacy("tools/list", session=session)
    if slot == HOME:
        assert (await house.answer(arrival)).status == 200
    else:
        with pytest.raises(Elsewhere):
            await house.answer(arrival)


async def test_the_cancellation_of_a_call_follows_it_to_where_it_went() -> None:
    house = _house(1 - HOME, stays=False)
    session = await session_of(house)
    house.upstreams["files"].at_home = True
    with pytest.raises(Elsewhere):
        await house.answer(legacy("tools/call", READ, session=session, id_=7))
    cancel = legacy("notifications/cancelled", {"requestId": 7}, session=session, id_=None)
    with pytest.raises(Elsewhere) as elsewhere:
        await house.answer(cancel)
    assert elsewhere.value.slot == HOME
    assert (await house.answer(cancel)).status == 202  # told once
