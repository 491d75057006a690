"""SQL: classes of statements, and shapes of attacks; ordinary statements pass."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bawn.inspection.arguments import sql
from bawn.inspection.arguments.context import Context

ORDINARY = ["SELECT COUNT(*) FROM t -- comment", "WITH x AS (SELECT 1) INSERT INTO y SELECT * FROM x", "UPDATE t SET a = 'x;y' WHERE id = 1;", "EXPLAIN SELECT * FROM t", "SELECT replace(a,'x','y') FROM t",
            "PRAGMA table_info(t)", "SHOW TABLES", "SELECT $$x'y$$", "SELECT \"create\" FROM \"drop\"", "SELECT 1; SELECT 2;", "SELECT * FROM t WHERE a LIKE '%or 1=1%'", "INSERT INTO t (a) VALUES ('it''s')",
            "/* note */ SELECT 1", "SELECT truncate(1.5, 1)", "SELECT * FROM t FOR UPDATE", "BEGIN; UPDATE t SET a=1; COMMIT;", "SELECT t.delete FROM t", "VALUES (1),(2)", ""]  # fmt: skip


def rules(text: str, *classes: str) -> set[str]:
    return {
        each.rule
        for each in sql.check(text, Context(statements=frozenset(classes or ("read", "write"))))
    }


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_statements_pass(text: str) -> None:
    assert rules(text) == set()


@pytest.mark.parametrize(
    ("text", "class_"),
    [("INSERT INTO t VALUES (1)", "write"), ("WITH a AS (DELETE FROM t RETURNING 1) SELECT * FROM a", "write"), ("EXPLAIN ANALYZE DELETE FROM t", "write"), ("SELECT * INTO new FROM t", "write"),
     ("CREATE TABLE a (b int)", "define"), ("/*!50000DROP*/ TABLE a", "define"), ("select 1; alter table a add b int", "define"), ("GRANT ALL ON a TO b", "grant"), ("VACUUM", "define"), ("PRAGMA writable_schema = 1", "define")],
)  # fmt: skip
def test_a_class_passes_only_where_it_is_allowed(text: str, class_: str) -> None:
    assert "argument/sql-class" in rules(text, "read")
    assert "argument/sql-class" not in rules(text, "read", class_)


@given(
    st.sampled_from(["'", '"', "')", "'))", ""]),
    st.sampled_from([" or ", " OR ", "/**/or/**/", " || "]),
    st.sampled_from(["1=1", "'a'='a", "2>1", "true"]),
    st.sampled_from(["", "--", "#", "/*"]),
)
def test_tautologies_are_found_in_values(
    quote: str, joined: str, always: str, comment: str
) -> None:
    assert rules(f"x{quote}{joined}{always}{comment}")


@given(st.text(max_size=300))
def test_any_text_is_judged(text: str) -> None:
    for each in sql.check(text, Context()):
        assert each.start >= 0


def test_statements_behind_more_than_is_read_are_not_let_pass() -> None:
    padded = "select 1" + "+1" * 30_000 + "; drop table users"
    assert [each.rule for each in sql.check(padded, Context())] == ["argument/value-length"]
