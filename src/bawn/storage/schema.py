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
    """
    CREATE TABLE approvals (
        id TEXT PRIMARY KEY, tenant TEXT NOT NULL, owner TEXT NOT NULL, digest TEXT NOT NULL,
        policy TEXT NOT NULL, state TEXT NOT NULL, needed TEXT NOT NULL, within REAL NOT NULL,
        created REAL NOT NULL, until REAL NOT NULL, told INTEGER NOT NULL, sealed TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE UNIQUE INDEX approvals_standing ON approvals (digest)
        WHERE state IN ('pending', 'granted', 'denied');
    CREATE INDEX approvals_owner ON approvals (owner) WHERE state = 'pending';
    CREATE INDEX approvals_untold ON approvals (until) WHERE told = 0;
    CREATE INDEX approvals_kept ON approvals (owner, created);
    CREATE INDEX approvals_tenant ON approvals (tenant, created);
    CREATE INDEX approvals_state ON approvals (tenant, state, created);
    CREATE INDEX approvals_until ON approvals (until);
    CREATE TABLE votes (
        approval TEXT NOT NULL, approver TEXT NOT NULL, verdict TEXT NOT NULL, serves TEXT NOT NULL,
        at REAL NOT NULL, sealed TEXT NOT NULL, PRIMARY KEY (approval, approver)
    ) WITHOUT ROWID;
    CREATE TABLE notices (
        approval TEXT NOT NULL, recipient TEXT NOT NULL, PRIMARY KEY (approval, recipient)
    ) WITHOUT ROWID;
    CREATE TRIGGER votes_count AFTER INSERT ON votes BEGIN
        UPDATE approvals SET until = new.at + within,
            state = CASE new.verdict WHEN 'deny' THEN 'denied' ELSE 'granted' END
        WHERE id = new.approval AND (new.verdict = 'deny' OR NOT EXISTS (
            SELECT 1 FROM json_each(approvals.needed) AS ask WHERE ask.value > (
                SELECT count(*) FROM votes, json_each(votes.serves) AS served
                WHERE votes.approval = new.approval AND votes.verdict = 'grant'
                    AND served.value = ask.key
            )
        ));
    END;
    CREATE TRIGGER approvals_gone AFTER DELETE ON approvals BEGIN
        DELETE FROM votes WHERE approval = old.id;
        DELETE FROM notices WHERE approval = old.id;
    END;
    """,
    """
    CREATE TABLE flows (
        conversation TEXT PRIMARY KEY, untrusted REAL NOT NULL, private REAL NOT NULL,
        sends REAL NOT NULL, changes REAL NOT NULL, until REAL NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX flows_until ON flows (until);
    CREATE TABLE counters (
        key TEXT NOT NULL, slot INTEGER NOT NULL, used INTEGER NOT NULL, until REAL NOT NULL,
        PRIMARY KEY (key, slot)
    ) WITHOUT ROWID;
    CREATE INDEX counters_until ON counters (until);
    """,
)
"""Step n leads from `user_version` n to n + 1."""

TABLES: Final = frozenset(
    {
        "meta", "graves", "upstream_sessions", "session_notes", "approvals", "votes", "notices",
        "flows", "counters",
    }
)  # fmt: skip
"""What must be there after the last step."""
