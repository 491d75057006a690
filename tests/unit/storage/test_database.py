from __future__ import annotations

import resource
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.storage import database as database_module
from bawn.storage.database import Database
from bawn.storage.opening import Opened, open_sound


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def renewed() -> list[str]:
    return []


@pytest.fixture
def database(path: Path, renewed: list[str]) -> Iterator[Database]:
    opened = Database(path, lambda: renewed.append(opened.lineage))
    yield opened
    opened.close()


def bury(database: Database, name: str) -> int:
    return database.change("INSERT OR IGNORE INTO graves VALUES (?, 2e9)", name)


def health(database: Database) -> bool:
    return database.healthy


def names(database: Database) -> list[str]:
    return [name for (name,) in database.rows("SELECT handle FROM graves ORDER BY handle")]


def test_changes_are_counted_and_found(database: Database) -> None:
    assert [bury(database, name) for name in ("a", "b", "a")] == [1, 1, 0]
    assert names(database) == ["a", "b"]


def test_what_one_process_writes_another_finds_at_once(database: Database, path: Path) -> None:
    other = Database(path)
    for number in range(50):
        bury(database, f"{number:02}")
        assert len(names(other)) == number + 1
    assert other.lineage == database.lineage
    other.close()


def test_one_that_is_removed_is_begun_afresh_and_that_is_told(
    database: Database, path: Path, renewed: list[str]
) -> None:
    before = database.lineage
    bury(database, "a")
    path.unlink()
    assert names(database) == []
    assert database.lineage != before
    assert renewed == [database.lineage]
    bury(database, "b")
    assert names(database) == ["b"]


def test_one_that_breaks_while_it_is_used_is_set_aside(
    database: Database, path: Path, renewed: list[str]
) -> None:
    for number in range(2000):
        bury(database, f"{number:032}")
    database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * 4096 * 20)
    other = Database(path)  # it looks at the file as it is
    assert names(database) == names(other) == []
    assert database.lineage == other.lineage
    assert renewed == [database.lineage]
    assert len(list(path.parent.glob("state.db.broken-*Z"))) == 1
    other.close()


def test_a_damage_that_shows_in_a_statement_is_mended_within_it(
    database: Database, path: Path, renewed: list[str]
) -> None:
    foreign = sqlite3.connect(path)
    foreign.execute("DROP TABLE graves")
    foreign.close()
    assert bury(database, "a") == 1
    assert renewed == [database.lineage]


def test_all_who_have_it_open_move_to_the_fresh_one(
    database: Database, path: Path, renewed: list[str]
) -> None:
    others = [Database(path) for _ in range(3)]
    path.write_bytes(b"noise" * 5000)
    Database(path).close()  # it looks at the file as it is
    for number, one in enumerate([*others, database]):
        bury(one, f"{number}")
    assert {one.lineage for one in others} == {database.lineage} == set(renewed)
    for one in [*others, database]:
        assert names(one) == ["0", "1", "2", "3"]
    for one in others:
        one.close()
    assert names(database) == ["0", "1", "2", "3"]


def test_a_mistaken_statement_is_no_damage(database: Database, renewed: list[str]) -> None:
    bury(database, "a")
    with pytest.raises(Refused):
        database.rows("SELEKT 1")
    assert names(database) == ["a"]
    assert renewed == []


def test_one_that_others_hold_is_refused_soon_and_usable_afterwards(
    database: Database, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    began = time.monotonic()
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            bury(database, "a")
        assert caught.value.reason is STORE_UNAVAILABLE
    assert time.monotonic() - began < 8  # ten, if each waited as long as SQLite does by itself
    assert health(database) is False
    assert names(database) == []
    holder.execute("ROLLBACK")
    holder.close()
    assert bury(database, "a") == 1
    assert health(database) is True
    assert caplog.text.count("cannot be used") <= 2


def test_one_that_cannot_be_opened_is_tried_again_but_not_at_every_call(
    database: Database, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    bury(database, "a")
    database.close()
    path.rename(path.with_name("away"))
    path.mkdir()
    opened: list[Path] = []

    def counted(path: Path) -> Opened:
        opened.append(path)
        return open_sound(path)

    monkeypatch.setattr(database_module, "open_sound", counted)
    for _ in range(5):
        with pytest.raises(Refused):
            names(database)
    assert len(opened) == 1
    path.rmdir()
    path.with_name("away").rename(path)
    now[0] += 1
    assert names(database) == ["a"]


def test_no_descriptor_left_is_refused_and_recovered_from(database: Database, path: Path) -> None:
    bury(database, "a")
    database.close()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(
        resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) - 1, hard)
    )
    try:
        with pytest.raises(Refused) as caught:
            names(database)
        assert caught.value.reason is STORE_UNAVAILABLE
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    time.sleep(database_module.RETRY)
    assert names(database) == ["a"]
    assert list(path.parent.glob("*broken*")) == []
