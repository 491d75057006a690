from __future__ import annotations

import sqlite3

from bawn.storage.schema import MIGRATIONS, TABLES


def test_the_steps_lead_to_the_tables() -> None:
    connection = sqlite3.connect(":memory:")
    for step in MIGRATIONS:
        connection.executescript(step)
    found = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema")}
    assert found >= TABLES
    connection.close()
