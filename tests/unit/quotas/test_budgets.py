from __future__ import annotations

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.quotas import budgets as module
from bawn.quotas.budgets import Budgets, Owed
from tests.unit.quotas.conftest import World

OWED = Owed("k", 60.0)


def fail(*_: object) -> None:
    raise Refused(STORE_UNAVAILABLE)


def test_bytes_are_charged_after_and_looked_at_before(world: World) -> None:
    budgets = Budgets(world.counters)
    assert budgets.look(OWED, 100) is None
    budgets.charge(OWED, 99)
    assert budgets.look(OWED, 100) is None
    budgets.charge(OWED, 5000)  # the one by which it may be overdrawn
    world.now += 20
    assert budgets.look(OWED, 100) == 40.0
    assert budgets.look(Owed("other", 60.0), 100) is None
    world.now += 40
    assert budgets.look(OWED, 100) is None


def test_cost_is_paid_before_and_never_overdrawn(world: World) -> None:
    budgets = Budgets(world.counters)
    assert budgets.pay("k", 6, 60.0, 10) is None
    assert budgets.pay("k", 5, 60.0, 10) == 60.0
    assert budgets.pay("k", 4, 60.0, 10) is None
    assert budgets.pay("k", 0, 60.0, 10) is None
    assert budgets.pay("other", 11, 60.0, 10) == 60.0
    budgets.give_back("k", 4)
    assert budgets.pay("k", 4, 60.0, 10) is None


def test_cost_and_bytes_of_one_key_are_two_budgets(world: World) -> None:
    budgets = Budgets(world.counters)
    budgets.charge(OWED, 1000)
    assert budgets.pay("k", 10, 60.0, 10) is None


def test_an_empty_result_costs_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.databases[0], "_execute", fail)
    Budgets(world.counters).charge(OWED, 0)


def test_a_charge_that_could_not_be_written_is_written_before_the_next_look(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    budgets = Budgets(world.counters)
    monkeypatch.setattr(world.databases[0], "_execute", fail)
    budgets.charge(OWED, 60)
    budgets.charge(OWED, 60)
    with pytest.raises(Refused):
        budgets.look(OWED, 100)
    budgets.give_back("k", 1)
    monkeypatch.undo()
    assert budgets.look(OWED, 100) == 60.0
    assert world.counters.spent("bytes/k", 60.0) == (120, 60.0)


def test_the_charges_that_wait_are_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_UNWRITTEN", 3)
    budgets = Budgets(world.counters)
    monkeypatch.setattr(world.databases[0], "_execute", fail)
    for _ in range(10):
        budgets.charge(OWED, 1)
    monkeypatch.undo()
    budgets.look(OWED, 100)
    assert world.counters.spent("bytes/k", 60.0)[0] == 3
