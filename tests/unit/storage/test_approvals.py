"""What is particular to approvals in SQLite; what every store keeps to is in tests/contracts."""

from __future__ import annotations

from pathlib import Path

from bawn.storage.approvals import Stored, StoredApprovals, Vote
from bawn.storage.database import Database


def test_looking_for_whom_to_tell_reads_the_index_of_those_alone(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    plan = database.rows(
        "EXPLAIN QUERY PLAN SELECT id FROM approvals "
        "WHERE told = 0 AND until > ? AND state = 'pending' ORDER BY until LIMIT 256",
        1.0,
    )
    assert "approvals_untold" in str(plan)
    database.close()


def test_looking_for_one_that_stands_reads_its_index(tmp_path: Path) -> None:
    database = Database(tmp_path / "state.db")
    plan = database.rows(
        "EXPLAIN QUERY PLAN SELECT id FROM approvals WHERE digest = ? "
        "AND state IN ('pending', 'granted', 'denied') AND until > ?",
        "d", 1.0,
    )  # fmt: skip
    assert "approvals_standing" in str(plan)
    database.close()


def test_a_database_begun_afresh_grants_nothing_of_before(tmp_path: Path) -> None:
    path = tmp_path / "state.db"
    store = StoredApprovals(Database(path), lambda: 1.0)
    store.add(Stored("a", "", "o", "d", "p", "pending", (1,), 9.0, 1.0, 9.0, "s"), 9)
    store.vote("a", "p", Vote("x", "grant", (0,), 1.0, "s"))
    path.write_bytes(b"noise" * 1000)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    again = StoredApprovals(Database(path), lambda: 1.0)
    assert again.find("a") is None
    assert not again.use("a", "p")
