from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.storage import counters
from bawn.storage.counters import GRACE, SWEEP, StoredCounters
from bawn.storage.database import Database


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


def count(database: Database) -> int:
    return int(database.rows("SELECT count(*) FROM counters")[0][0])


def test_a_window_takes_so_many(database: Database, clock: Clock) -> None:
    stored = StoredCounters(database, clock)
    taken = [stored.take("k", 7, 1, 3, 0.5, 2e9) for _ in range(5)]
    assert taken == [True, True, True, False, False]
    assert stored.windows("k", 7) == (0, 3)
    assert stored.windows("other", 7) == (0, 0)


def test_the_window_before_counts_by_its_share(database: Database, clock: Clock) -> None:
    stored = StoredCounters(database, clock)
    assert stored.take("k", 7, 4, 4, 1.0, 2e9)
    assert not stored.take("k", 8, 1, 4, 0.76, 2e9)
    assert stored.take("k", 8, 1, 4, 0.75, 2e9)
    assert not stored.take("k", 8, 1, 4, 0.75, 2e9)
    assert stored.windows("k", 8) == (4, 1)
    assert stored.take("k", 9, 3, 4, 1.0, 2e9)


def test_what_is_given_back_may_be_taken_again(database: Database, clock: Clock) -> None:
    stored = StoredCounters(database, clock)
    stored.take("k", 7, 1, 1, 1.0, 2e9)
    stored.give_back("k", 1, 7)
    stored.give_back("k", 1, 7)
    stored.give_back("none", 1, 7)
    assert stored.windows("k", 7) == (0, 0)
    assert stored.take("k", 7, 1, 1, 1.0, 2e9)
    stored.clear("k")
    assert stored.windows("k", 7) == (0, 0)


def test_a_budget_is_spent_and_is_whole_again_after_its_period(
    database: Database, clock: Clock
) -> None:
    stored = StoredCounters(database, clock)
    assert stored.spent("k", 60) == (0, 0.0)
    assert stored.spend("k", 6, 60, 10)
    clock.now += 20
    assert not stored.spend("k", 5, 60, 10)
    assert stored.spend("k", 4, 60, 10)
    assert stored.spent("k", 60) == (10, 40.0)
    assert stored.spend("k", 5, 60)
    assert stored.spent("k", 60) == (15, 40.0)
    clock.now += 40
    assert stored.spent("k", 60) == (0, 0.0)
    assert not stored.spend("k", 11, 60, 10)
    assert stored.spend("k", 10, 60, 10)
    assert stored.spent("k", 60) == (10, 60.0)


def test_a_budget_does_not_outlast_its_period_when_the_clock_is_set_back(
    database: Database, clock: Clock
) -> None:
    stored = StoredCounters(database, clock)
    stored.spend("k", 10, 60, 10)
    clock.now -= 86_400
    assert stored.spent("k", 60) == (10, 60.0)
    clock.now += 59
    assert stored.spent("k", 60) == (10, 1.0)
    clock.now += 1
    assert stored.spent("k", 60) == (0, 0.0)


def test_workers_and_restarts_share_the_counts(tmp_path: Path, clock: Clock) -> None:
    one, other = (Database(tmp_path / "state.db") for _ in range(2))
    a, b = StoredCounters(one, clock), StoredCounters(other, clock)
    taken = [each.take("k", 7, 1, 5, 1.0, 2e9) for _ in range(5) for each in (a, b)]
    assert taken.count(True) == 5
    a.spend("k", 7, 60)
    assert b.spent("k", 60) == (7, 60.0)
    one.close()
    other.close()
    again = Database(tmp_path / "state.db")
    assert StoredCounters(again, clock).windows("k", 7) == (0, 5)
    assert StoredCounters(again, clock).spent("k", 60) == (7, 60.0)
    again.close()


def test_of_many_at_once_no_more_than_the_limit_come_in(database: Database, tmp_path: Path) -> None:
    def use(number: int) -> int:
        mine = Database(tmp_path / "state.db")
        try:
            stored = StoredCounters(mine)
            taken = sum(stored.take("k", 7, 1, 10, 1.0, 2e9) for _ in range(5))
            return taken + sum(stored.spend("b", 1, 3600, 10) for _ in range(5))
        finally:
            mine.close()

    with ThreadPoolExecutor(4) as pool:
        assert sum(pool.map(use, range(8))) == 20


def test_what_has_long_passed_is_swept(database: Database, clock: Clock) -> None:
    stored = StoredCounters(database, clock)
    for number in range(5):
        stored.take(f"{number}", 7, 1, 1, 1.0, clock.now + 10)
        stored.spend(f"{number}", 1, 10)
    clock.now += 10 + GRACE - 1
    stored.spend("young", 1, 10)
    assert count(database) == 11
    clock.now += SWEEP + 2
    stored.take("new", 7, 1, 1, 1.0, clock.now + 10)
    assert count(database) == 2


def test_a_long_sweep_goes_on(
    database: Database, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(counters, "SLICE", 2)
    stored = StoredCounters(database, clock)
    for number in range(5):
        stored.spend(f"{number}", 1, 10)
    clock.now += 2 * GRACE
    for _ in range(3):
        stored.spend("new", 1, 10)
    assert count(database) == 1


def test_a_store_that_cannot_be_asked_refuses(database: Database, tmp_path: Path) -> None:
    stored = StoredCounters(database)
    database.close()
    (tmp_path / "state.db").unlink()
    (tmp_path / "state.db").mkdir()
    for use in (
        lambda: stored.take("k", 7, 1, 1, 1.0, 2e9),
        lambda: stored.windows("k", 7),
        lambda: stored.give_back("k", 1),
        lambda: stored.spend("k", 1, 60),
        lambda: stored.spent("k", 60),
        lambda: stored.clear("k"),
    ):
        with pytest.raises(Refused) as caught:
            use()
        assert caught.value.reason is STORE_UNAVAILABLE
