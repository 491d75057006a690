from __future__ import annotations

import sqlite3
from hashlib import sha256

from bawn.storage.schema import MIGRATIONS, TABLES


def test_the_steps_lead_to_the_tables() -> None:
    connection = sqlite3.connect(":memory:")
    for step in MIGRATIONS:
        connection.executescript(step)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert found >= TABLES
    connection.close()


def test_a_step_that_was_released_stays_as_it_was() -> None:
    released = ["3c78b036f26da429"]
    assert [sha256(step.encode()).hexdigest()[:16] for step in MIGRATIONS[:1]] == released
