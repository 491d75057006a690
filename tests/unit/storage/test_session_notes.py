from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bawn.errors import STORE_UNAVAILABLE, Refused
from bawn.ports import SessionNotes
from bawn.storage.database import Database
from bawn.storage.session_notes import SWEEP, StoredNotes


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


def test_what_was_kept_last_is_found(database: Database) -> None:
    notes: SessionNotes = StoredNotes(database)
    assert notes.find("a") is None
    notes.keep("a", 9e9, "one")
    notes.keep("b", 9e9, "other")
    notes.keep("a", 9e9, "two")
    assert [notes.find(session) for session in ("a", "b", "c", "")] == ["two", "other", None, None]


def test_another_worker_finds_it_at_once_and_a_restart_too(tmp_path: Path) -> None:
    one, other = (Database(tmp_path / "state.db") for _ in range(2))
    StoredNotes(one).keep("a", 9e9, "note")
    assert StoredNotes(other).find("a") == "note"
    one.close()
    other.close()
    again = Database(tmp_path / "state.db")
    assert StoredNotes(again).find("a") == "note"
    again.close()


def test_a_note_outlives_no_session_by_much(database: Database) -> None:
    clock = Clock()
    notes = StoredNotes(database, clock)
    notes.keep("old", clock.now + 100, "note")
    notes.keep("renewed", clock.now + 100, "note")
    notes.keep("renewed", clock.now + 9 * SWEEP, "note")
    clock.now += SWEEP + 101
    notes.keep("new", clock.now + 100, "note")
    assert [notes.find(session) for session in ("old", "renewed", "new")] == [None, "note", "note"]


def test_a_store_that_cannot_be_asked_refuses(database: Database, tmp_path: Path) -> None:
    notes = StoredNotes(database)
    database.close()
    (tmp_path / "state.db").unlink()
    (tmp_path / "state.db").mkdir()
    with pytest.raises(Refused) as caught:
        notes.find("a")
    assert caught.value.reason is STORE_UNAVAILABLE
    with pytest.raises(Refused) as caught:
        notes.keep("a", 9e9, "note")
    assert caught.value.reason is STORE_UNAVAILABLE


def test_a_database_that_is_lost_has_no_notes(database: Database, tmp_path: Path) -> None:
    notes = StoredNotes(database)
    notes.keep("a", 9e9, "note")
    (tmp_path / "state.db").write_bytes(b"noise" * 1000)
    database.close()
    assert notes.find("a") is None
    notes.keep("a", 9e9, "new")
    assert notes.find("a") == "new"
