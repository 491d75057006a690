from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.ports import Graves
from bawn.storage.database import Database
from bawn.storage.tombstones import GRACE, SWEEP, Tombstones


class Clock:
    def __init__(self) -> None:
        self.now = 1e9

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(tmp_path / "state.db")
    yield database
    database.close()


def count(database: Database) -> int:
    return int(database.rows("SELECT count(*) FROM graves")[0][0])


def test_the_buried_are_dead_and_others_are_not(database: Database) -> None:
    graves: Graves = Tombstones(database)
    graves.bury("a", 2e9)
    graves.bury("a", 1.0)
    assert [graves.buried(name) for name in ("a", "b", "")] == [True, False, False]
    assert database.rows("SELECT until FROM graves") == [(2e9,)]


def test_another_worker_sees_it_at_once_and_a_restart_too(tmp_path: Path) -> None:
    one, other = (Database(tmp_path / "state.db") for _ in range(2))
    for number in range(100):
        Tombstones(one).bury(f"{number}", 2e9)
        assert Tombstones(other).buried(f"{number}")
    one.close()
    other.close()
    again = Database(tmp_path / "state.db")
    assert Tombstones(again).buried("7")
    again.close()


def test_the_long_dead_are_swept_now_and_then(database: Database) -> None:
    clock = Clock()
    graves = Tombstones(database, clock)
    for number in range(10):
        graves.bury(f"{number}", clock.now + 100)
    clock.now += 100 + GRACE + SWEEP
    graves.bury("new", clock.now + 100)
    assert count(database) == 1


def test_a_clock_that_steps_by_a_day_wakes_nobody(database: Database) -> None:
    clock = Clock()
    graves = Tombstones(database, clock)
    graves.bury("a", clock.now + 3600)
    clock.now += 86_400
    graves.bury("b", clock.now)
    clock.now -= 86_400
    graves.bury("c", clock.now)
    assert all(graves.buried(name) for name in "abc")


def test_what_serves_once_serves_once_whoever_asks(tmp_path: Path) -> None:
    one, other = (Database(tmp_path / "state.db") for _ in range(2))
    graves: Graves = Tombstones(one)
    assert graves.once("a", 2e9)
    assert [graves.once("a", 3e9), Tombstones(other).once("a", 2e9)] == [False, False]
    assert Tombstones(other).once("b", 2e9)
    one.close()
    other.close()
    again = Database(tmp_path / "state.db")
    assert not Tombstones(again).once("a", 2e9)
    again.close()


def test_what_was_used_is_kept_until_no_clock_can_revive_it(database: Database) -> None:
    clock = Clock()
    graves = Tombstones(database, clock)
    until = clock.now + 100
    assert graves.once("a", until)
    clock.now = until + GRACE - 1
    assert graves.once("b", clock.now)
    assert not graves.once("a", until)
    clock.now += SWEEP + 2
    graves.once("c", clock.now)
    assert [name for (name,) in database.rows("SELECT handle FROM graves")] == ["b", "c"]


def test_of_many_at_once_one_is_first(database: Database, tmp_path: Path) -> None:
    def use() -> bool:
        mine = Database(tmp_path / "state.db")
        try:
            return Tombstones(mine).once("a", 2e9)
        finally:
            mine.close()

    with ThreadPoolExecutor(4) as pool:
        won = [each.result() for each in [pool.submit(use) for _ in range(12)]]
    assert won.count(True) == 1


def test_a_store_that_cannot_be_asked_refuses(database: Database, tmp_path: Path) -> None:
    graves = Tombstones(database)
    database.close()
    (tmp_path / "state.db").unlink()
    (tmp_path / "state.db").mkdir()
    for use in (
        lambda: graves.buried("a"),
        lambda: graves.bury("a", 2e9),
        lambda: graves.once("a", 2e9),
    ):
        with pytest.raises(Refused) as caught:
            use()
        assert caught.value.reason is STORE_UNAVAILABLE


def test_when_the_dead_are_lost_with_their_database_the_one_asked_about_is_dead(
    database: Database, tmp_path: Path
) -> None:
    graves = Tombstones(database)
    graves.bury("a", 2e9)
    (tmp_path / "state.db").write_bytes(b"noise" * 1000)
    database.close()
    assert graves.buried("anything")
    assert not graves.buried("anything")  # sealed since, under the new lineage
