"""The tables of `state.db`, as the steps that lead to them; a step once released is never changed."""

from __future__ import annotations

from typing import Final

APPLICATION_ID: Final = 0x6261776E
"""Tells our databases from others: "bawn" in ASCII (SQLite, `PRAGMA application_id`)."""

MIGRATIONS: Final = (
    """
    CREATE TABLE meta (lineage TEXT NOT NULL);
    CREATE TABLE graves (handle TEXT PRIMARY KEY, until REAL NOT NULL) WITHOUT ROWID;
    CREATE INDEX graves_until ON graves (until);
    CREATE TABLE upstream_sessions (
        server TEXT NOT NULL, isolation TEXT NOT NULL, sealed BLOB NOT NULL, at REAL NOT NULL,
        PRIMARY KEY (server, isolation)
    ) WITHOUT ROWID;
    """,
    """
    CREATE TABLE session_notes (
        session TEXT PRIMARY KEY, until REAL NOT NULL, note TEXT NOT NULL
    ) WITHOUT ROWID;
    """,
)
"""Step n leads from `user_version` n to n + 1."""

TABLES: Final = frozenset({"meta", "graves", "upstream_sessions", "session_notes"})
"""What must be there after the last step."""
