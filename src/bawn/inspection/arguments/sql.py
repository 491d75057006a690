"""SQL: of which class its statements are, and what only attacks have in them.

The class of a statement is that of the strongest verb in it, so that one in a CTE or behind EXPLAIN counts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from bawn.inspection.arguments.context import Context
from bawn.inspection.arguments.found import found
from bawn.inspection.arguments.lexing import Token, lex
from bawn.model import Detection

LONGEST: Final = 256 << 10

_READ: Final = frozenset(
    [
        "select",
        "with",
        "show",
        "describe",
        "desc",
        "explain",
        "values",
        "table",
        "pragma",
        "use",
        "set",
        "begin",
        "start",
        "commit",
        "rollback",
        "end",
        "savepoint",
        "release",
        "analyze",
        "check",
        "match",
        "return",
        "unwind",
        "optional",
        "call",
        "fetch",
        "declare",
        "close",
        "if",
        "print",
        "help",
        "from",
        "list",
        "summarize",
    ]
)
_WRITE: Final = frozenset({"insert", "update", "delete", "merge", "replace", "upsert"})
_DEFINE: Final = frozenset(
    [
        "create",
        "alter",
        "drop",
        "truncate",
        "rename",
        "vacuum",
        "reindex",
        "cluster",
        "comment",
        "attach",
        "detach",
        "copy",
        "load",
        "import",
        "install",
        "unload",
        "optimize",
        "repair",
        "refresh",
        "lock",
        "kill",
        "shutdown",
        "flush",
        "reset",
    ]
)
_GRANT: Final = frozenset({"grant", "revoke", "deny", "reassign"})
_EXECUTES: Final = frozenset(
    {"exec", "execute", "do", "prepare", "handler", "backup", "restore", "dbcc", "bulk"}
)
_CLASSES: Final = {
    **dict.fromkeys(_READ, "read"),
    **dict.fromkeys(_WRITE, "write"),
    **dict.fromkeys(_DEFINE, "define"),
    **dict.fromkeys(_EXECUTES, "define"),
    **dict.fromkeys(_GRANT, "grant"),
}
_FILES: Final = frozenset(
    [
        "load_file",
        "pg_read_file",
        "pg_read_binary_file",
        "pg_ls_dir",
        "pg_stat_file",
        "lo_import",
        "lo_export",
        "xp_cmdshell",
        "xp_dirtree",
        "xp_fileexist",
        "xp_regread",
        "xp_regwrite",
        "sp_oacreate",
        "sp_oamethod",
        "sys_exec",
        "sys_eval",
        "utl_file",
        "utl_http",
        "utl_inaddr",
        "utl_tcp",
        "dbms_scheduler",
        "dbms_java",
        "dbms_xslprocessor",
        "httpuritype",
        "dblink",
        "dblink_connect",
        "openrowset",
        "opendatasource",
        "readfile",
        "writefile",
        "load_extension",
        "edit",
        "fts3_tokenizer",
        "query_to_xml",
        "database_to_xml",
        "sys_get",
        "shell",
        "shellexec",
    ]
)
_DELAYS: Final = frozenset(
    {
        "sleep",
        "pg_sleep",
        "pg_sleep_for",
        "pg_sleep_until",
        "benchmark",
        "randomblob",
        "generate_series_delay",
        "dbms_lock",
        "dbms_pipe",
        "dbms_session",
    }
)
_PROBES: Final = frozenset({"extractvalue", "updatexml", "xmltype", "ctxsys", "exp"})
_COMPARES: Final = frozenset({"=", "<", ">", "<=", ">=", "<>", "!=", "==", "like", "is"})
_ENCODED: Final = re.compile(
    r"%27|%2[23]\s*(?:or|and|union|;|--)|%3b\s*(?:drop|select)", re.IGNORECASE
)


def check(value: str, context: Context) -> Iterator[Detection]:
    """What is wrong with an SQL text: whole statements, or a condition that goes into one."""
    if not value or value.isspace():
        return
    if len(value) > LONGEST:
        yield found("value-length", value)
        return
    lexed = lex(value)
    if lexed.cut:
        yield found("value-length", value)
        return
    code = [token for token in lexed.tokens if token.kind != "comment"]
    statements = list(_statements(code))
    whole = bool(code) and code[0].kind == "word" and code[0].text in _CLASSES
    if not whole or lexed.open:
        yield from _fragment(value, lexed.tokens, lexed.open, len(statements))
        if "'" in value or '"' in value:
            yield from _quoted(value)
    for statement in statements:
        kind = _class(statement, whole or len(statements) > 1)
        if kind not in context.statements:
            yield found(
                "sql-class",
                value,
                statement[0].start,
                statement[-1].start + len(statement[-1].text),
            )
    yield from _shapes(value, code)


def _quoted(value: str) -> Iterator[Detection]:
    """The value as it reads when it stands within quotes, which it then ends."""
    if _ENDING.search(value[:4096]):
        yield found("sql-fragment", value)
    for quote in "'\"":
        if quote in value:
            inside = [token for token in lex(quote + value).tokens if token.kind != "comment"]
            yield from (
                found(each.rule.removeprefix("argument/"), value)
                for each in _shapes(quote + value, inside)
            )


_ENDING: Final = re.compile(
    r"\w['\"]\s*(?:\)|;|--|#|/\*|\|\||\b(?:and|or|union|having|order|group|like|limit)\b)",
    re.IGNORECASE,
)


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    current: list[Token] = []
    for token in tokens:
        if token.kind == "sign" and token.text == ";":
            if current:
                yield current
            current = []
        else:
            current.append(token)
    if current:
        yield current


def _class(statement: Sequence[Token], leads: bool) -> str:
    """read, write, define or grant. A verb counts where a statement can begin, not as a name or function."""
    first = statement[0].text if statement[0].kind == "word" else ""
    kind = _CLASSES.get(first, "read") if leads else "read"
    if first in ("with", "explain", "describe", "desc", "analyze", "begin", "if", "declare"):
        for before, token, after in zip(
            statement, statement[1:], [*statement[2:], None], strict=False
        ):
            opens = before.text in (
                "(",
                ")",
                "explain",
                "analyze",
                "begin",
                "then",
                "else",
                "verbose",
                "extended",
                "do",
            )
            if (
                token.kind == "word"
                and opens
                and not (after is not None and after.text in ("(", ",", "=", "as"))
            ):
                kind = max(kind, _CLASSES.get(token.text, "read"), key=_ORDER.index)
    elif first in ("select", "table", "values") and any(
        token.text == "into" for token in statement if token.kind == "word"
    ):
        kind = "write"
    elif first == "pragma" and any(token.text == "=" for token in statement):
        kind = "define"
    elif first in ("match", "unwind", "optional", "call", "merge"):
        words = {token.text for token in statement if token.kind == "word"}
        kind = "write" if words & {"create", "delete", "detach", "remove", "merge", "set"} else kind
    return kind


_ORDER: Final = ("read", "write", "define", "grant")


def _fragment(
    value: str, tokens: Sequence[Token], is_open: bool, statements: int
) -> Iterator[Detection]:
    """What ends somebody else's quote, bracket or statement."""
    depth = 0
    for token in tokens:
        if token.kind == "sign" and token.text in "()":
            depth += 1 if token.text == "(" else -1
            if depth < 0:
                yield found("sql-fragment", value, token.start, token.start + 1)
                return
    commented = (
        bool(tokens) and tokens[-1].kind == "comment" and tokens[-1].text[:2] in ("--", "#", "/*")
    )
    if is_open or commented or statements > 1 or _ENCODED.search(value[:4096]):
        yield found("sql-fragment", value)


def _shapes(value: str, code: Sequence[Token]) -> Iterator[Detection]:
    size = len(code)
    for at, token in enumerate(code):
        if token.kind != "word" and token.text != "||":
            continue
        after = code[at + 1].text.lower() if at + 1 < size else ""
        rule = _named(token.text, after, code, at)
        if rule:
            yield found(rule, value, token.start, token.start + len(token.text))
        elif token.text in ("or", "||", "xor") and _always(code, at + 1):
            yield found("sql-tautology", value, token.start, code[min(at + 3, size - 1)].start + 1)
        elif token.text == "union" and _made_up(code, at + 1):
            yield found("sql-probe", value, token.start, token.start + 5)


def _named(word: str, after: str, code: Sequence[Token], at: int) -> str | None:
    called = after in ("(", ".")
    before = code[at - 1].text if at else ""
    if word in _FILES and (
        called or before in ("exec", "execute", ".") or word.startswith(("xp_", "sp_oa"))
    ):
        return "sql-file"
    if word == "into" and after in ("outfile", "dumpfile"):
        return "sql-file"
    if word in ("program", "infile") and before in ("from", "to", "data", "local"):
        return "sql-file"
    if (word in _DELAYS and called) or (word == "waitfor" and after in ("delay", "time")):
        return "sql-delay"
    if (
        word in _PROBES
        and called
        and any(token.text.startswith(("0x7", "concat")) for token in code[at : at + 8])
    ):
        return "sql-probe"
    return None


def _always(code: Sequence[Token], at: int) -> bool:
    """Whether a comparison of two constants, or one constant alone, stands there."""
    while at < len(code) and code[at].text in ("(", "not", "+", "-", "!"):
        at += 1
    rest = code[at : at + 3]
    if not rest or not _constant(rest[0]):
        return False
    if len(rest) == 1:
        return True
    if rest[1].text in _COMPARES:
        return len(rest) == 2 or _constant(rest[2])
    return rest[1].text in (")", "#", "--", "limit") and rest[0].kind != "string"


def _constant(token: Token) -> bool:
    return token.kind in ("number", "string") or token.text in ("true", "false", "null")


def _made_up(code: Sequence[Token], at: int) -> bool:
    """Whether a SELECT of constants alone follows, or one of what names the database's own insides."""
    while at < len(code) and code[at].text in ("all", "distinct", "("):
        at += 1
    if at >= len(code) or code[at].text != "select":
        return False
    count = 0
    for token in code[at + 1 : at + 64]:
        if token.text == ",":
            continue
        if token.text in ("from", ")", ";") or token.kind == "comment":
            break
        if not _constant(token) and not token.text.startswith("@"):
            names = {each.text for each in code[at + 1 : at + 40]}
            return (
                bool(
                    names
                    & {
                        "information_schema",
                        "mysql",
                        "pg_shadow",
                        "sqlite_master",
                        "load_file",
                        "concat_ws",
                    }
                )
                and count > 0
            )
        count += 1
    return count > 1
