from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
from collections.abc import Callable
from multiprocessing.queues import Queue
from pathlib import Path

import pytest

from bawn.storage import opening
from bawn.storage.opening import Opened, open_sound
from bawn.storage.schema import MIGRATIONS


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


def lineage(path: Path) -> str:
    opened = open_sound(path)
    opened.connection.close()
    return opened.lineage


def broken(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.glob("state.db.broken-*"))


def filled(path: Path) -> Opened:
    """A database of some pages, all of them in its file, and its log empty."""
    opened = open_sound(path)
    rows = [(f"{number:032x}", 2e9) for number in range(2000)]
    opened.connection.executemany("INSERT INTO graves VALUES (?, ?)", rows)
    opened.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return opened


def test_a_fresh_one_is_private_with_all_that_belongs_to_it(path: Path) -> None:
    old = os.umask(0)
    try:
        opened = open_sound(path)
    finally:
        os.umask(old)
    opened.connection.execute("INSERT INTO graves VALUES ('a', 1)")
    files = sorted(path.parent.iterdir())
    assert {one.name for one in files} == {
        "state.db", "state.db-wal", "state.db-shm", ".state.db.lock",
    }  # fmt: skip
    assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}
    opened.connection.close()


def test_it_keeps_its_lineage_over_restarts_and_another_one_has_another(
    path: Path, tmp_path: Path
) -> None:
    assert len(lineage(path)) == 32
    assert lineage(path) == lineage(path) != lineage(tmp_path / "other.db")
    assert broken(path) == []


def test_it_does_not_lose_a_commit_to_a_killed_process_and_waits_for_no_disk(path: Path) -> None:
    opened = open_sound(path)
    (mode,) = opened.connection.execute("PRAGMA journal_mode").fetchone()
    (synchronous,) = opened.connection.execute("PRAGMA synchronous").fetchone()
    (busy,) = opened.connection.execute("PRAGMA busy_timeout").fetchone()
    assert (mode, synchronous, busy) == ("wal", 1, 250)
    opened.connection.close()


def noise(path: Path) -> None:
    path.write_bytes(os.urandom(8192))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def truncated(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def short(path: Path) -> None:
    os.truncate(path, 50)


def scribbled(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(3 * 4096)
        file.write(b"\xff" * 4096)


def sql(script: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        connection = sqlite3.connect(path)
        connection.executescript(script)
        connection.close()

    return change


def of_others(path: Path) -> None:
    path.unlink()
    sql("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")(path)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (noise, "not a database"),
        (empty, "not a database of bawn"),
        (truncated, "malformed|ok|invalid|quick|database"),
        (short, "not a database"),
        (scribbled, "database|page|btree|Tree"),
        (of_others, "not a database of bawn"),
        (sql("PRAGMA user_version = 99"), "schema version 99"),
        (sql("DROP TABLE graves"), "without its tables"),
        (sql("DELETE FROM meta"), "without its tables"),
    ],
)
def test_one_that_is_not_sound_is_set_aside_and_a_fresh_one_begun(
    path: Path, caplog: pytest.LogCaptureFixture, damage: Callable[[Path], None], why: str
) -> None:
    opened = filled(path)
    opened.connection.close()
    damage(path)
    content = path.read_bytes()
    assert lineage(path) != opened.lineage
    (aside,) = broken(path)
    assert (path.parent / aside).read_bytes() == content
    assert "set aside" in caplog.text
    assert lineage(path) == lineage(path)
    import re

    assert re.search(why, caplog.text)


def test_what_belongs_to_a_broken_one_goes_with_it(path: Path) -> None:
    opened = filled(path)
    opened.connection.execute("INSERT INTO graves VALUES ('late', 1)")
    wal = path.with_name("state.db-wal").read_bytes()
    assert wal
    scribbled(path)
    with path.open("r+b") as file:
        file.write(b"noise" * 4)
    fresh = open_sound(path)
    assert fresh.connection.execute("SELECT count(*) FROM graves").fetchone() == (0,)
    aside = broken(path)
    assert [name.rpartition("Z")[2] for name in aside] == ["", "-shm", "-wal"]
    # whoever still has the old one open lets go of it without touching the new one's log
    fresh.connection.execute("INSERT INTO graves VALUES ('new', 1)")
    opened.connection.close()
    assert path.with_name("state.db-wal").stat().st_size > 0
    fresh.connection.close()
    again = open_sound(path)
    assert again.connection.execute("SELECT handle FROM graves").fetchall() == [("new",)]
    again.connection.close()


def test_a_log_without_its_database_is_not_played_into_a_fresh_one(path: Path) -> None:
    opened = filled(path)
    opened.connection.execute("INSERT INTO graves VALUES ('late', 1)")
    path.unlink()
    fresh = open_sound(path)
    assert fresh.lineage != opened.lineage
    assert fresh.connection.execute("SELECT count(*) FROM graves").fetchone() == (0,)
    opened.connection.close()
    fresh.connection.close()


def test_one_begun_by_a_process_that_was_killed_is_begun_again(path: Path) -> None:
    path.with_name(".state.db.new").write_bytes(b"half")
    path.with_name(".state.db.new-wal").write_bytes(b"half")
    assert lineage(path) == lineage(path)
    assert broken(path) == []
    assert not path.with_name(".state.db.new-wal").exists()


def test_an_earlier_schema_is_brought_up_to_date(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = lineage(path)
    later = (*MIGRATIONS, "CREATE TABLE more (x); INSERT INTO more VALUES (7);")
    monkeypatch.setattr(opening, "MIGRATIONS", later)
    opened = open_sound(path)
    assert opened.lineage == before
    assert opened.connection.execute("SELECT x FROM more").fetchall() == [(7,)]
    assert opened.connection.execute("PRAGMA user_version").fetchone() == (len(later),)
    opened.connection.close()


def test_a_busy_one_or_a_bad_disk_says_nothing_of_soundness(path: Path) -> None:
    path.mkdir()
    with pytest.raises(sqlite3.OperationalError):
        open_sound(path)
    path.rmdir()
    with pytest.raises(FileNotFoundError):
        open_sound(path / "no" / "such")
    assert broken(path) == []


def _open(path: Path, ready: Queue[str], go: Queue[str], out: Queue[str]) -> None:
    ready.put("")
    go.get()
    out.put(lineage(path))


@pytest.mark.parametrize("content", [None, b"noise"])
def test_processes_that_race_to_begin_it_have_the_same(path: Path, content: bytes | None) -> None:
    if content:
        path.write_bytes(content)
    spawn = multiprocessing.get_context("spawn")
    ready, go, out = spawn.Queue(), spawn.Queue(), spawn.Queue()
    workers = [spawn.Process(target=_open, args=(path, ready, go, out)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for _ in workers:
        ready.get(timeout=60)
    for _ in workers:
        go.put("")
    lineages = {out.get(timeout=60) for _ in workers}
    for worker in workers:
        worker.join()
    assert len(lineages) == 1
    assert len(broken(path)) == (1 if content else 0)
