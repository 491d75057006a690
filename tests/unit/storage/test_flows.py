from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.storage import flows
from bawn.storage.database import Database
from bawn.storage.flows import GRACE, SWEEP, StoredFlows, Touched


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
    return int(database.rows("SELECT count(*) FROM flows")[0][0])


def test_what_was_touched_is_found_and_nothing_else(database: Database) -> None:
    stored = StoredFlows(database)
    assert stored.find("c") is None
    stored.touch("c", Touched(untrusted=2e9))
    assert stored.find("c") == Touched(2e9, 0.0, 0.0, 0.0)
    assert stored.find("d") is None


def test_times_only_grow(database: Database) -> None:
    stored = StoredFlows(database)
    stored.touch("c", Touched(untrusted=2e9, sends=5.0))
    stored.touch("c", Touched(untrusted=1e9, private=3e9))
    assert stored.find("c") == Touched(2e9, 3e9, 5.0, 0.0)
    assert database.rows("SELECT until FROM flows") == [(3e9,)]


def test_another_worker_finds_it_at_once_and_a_restart_too(tmp_path: Path) -> None:
    one, other = (Database(tmp_path / "state.db") for _ in range(2))
    for number in range(50):
        StoredFlows(one).touch(f"{number}", Touched(private=2e9))
        assert StoredFlows(other).find(f"{number}") == Touched(private=2e9)
    one.close()
    other.close()
    again = Database(tmp_path / "state.db")
    assert StoredFlows(again).find("7") == Touched(private=2e9)
    again.close()


def test_what_has_long_expired_is_swept(database: Database) -> None:
    clock = Clock()
    stored = StoredFlows(database, clock)
    for number in range(10):
        stored.touch(f"{number}", Touched(sends=clock.now + 100))
    clock.now += 100 + GRACE - 1
    stored.touch("young", Touched(sends=clock.now + 100))
    assert count(database) == 11
    clock.now += SWEEP + 2
    stored.touch("new", Touched(sends=clock.now + 100))
    assert count(database) == 2


def test_a_long_sweep_goes_on_with_the_next_touch(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flows, "SLICE", 3)
    clock = Clock()
    stored = StoredFlows(database, clock)
    for number in range(7):
        stored.touch(f"{number}", Touched(sends=clock.now))
    clock.now += 2 * GRACE
    for _ in range(3):
        stored.touch("new", Touched(sends=clock.now))
    assert count(database) == 1


def test_a_clock_that_was_ahead_does_not_stop_the_sweeping(database: Database) -> None:
    clock = Clock()
    stored = StoredFlows(database, clock)
    clock.now += 1e6
    stored.touch("ahead", Touched(sends=0.0))
    clock.now -= 1e6
    stored.touch("now", Touched(sends=clock.now))
    assert count(database) == 1


def test_a_store_that_cannot_be_asked_refuses(database: Database, tmp_path: Path) -> None:
    stored = StoredFlows(database)
    database.close()
    (tmp_path / "state.db").unlink()
    (tmp_path / "state.db").mkdir()
    uses: list[Callable[[], object]] = [
        lambda: stored.find("c"),
        lambda: stored.touch("c", Touched()),
    ]
    for use in uses:
        with pytest.raises(Refused) as caught:
            use()
        assert caught.value.reason is STORE_UNAVAILABLE
