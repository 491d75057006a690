"""Reads TOML into statements with spans: which table, which key, where its value stands.

TOML 1.0. It finds places; `tomllib` decides beside it whether the document is valid and what it means.
"""

from __future__ import annotations

import re
import tomllib
from typing import NamedTuple

from bawn.discovery.documents.spans import (
    MAX_DEPTH,
    Array,
    Lines,
    Member,
    Object,
    Scalar,
    Unreadable,
    Value,
)

KeyPath = tuple[str, ...]

_BLANK = re.compile(r"[ \t]*")
_GAP = re.compile(r"[ \t\r\n]*")
_COMMENT = re.compile(r"#[^\n]*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_BASIC = re.compile(r'"[^"\\\n]*(?:\\.[^"\\\n]*)*"')
_LITERAL = re.compile(r"'[^'\n]*'")
_OTHER = re.compile(r"[^,\]}#\r\n]+")


class Statement(NamedTuple):
    """A table header (`value` is None) or a key with its value; `path` is whole, from the root.

    `names` are the spans of the key's own parts, as written.
    """

    path: KeyPath
    start: int
    end: int
    value: Value | None
    names: tuple[tuple[int, int], ...]


class Scanned(NamedTuple):
    """A document: its statements in order, and the spans of its comments."""

    statements: tuple[Statement, ...]
    comments: tuple[tuple[int, int], ...]


def scan(text: str) -> Scanned:
    """Find the statements of a document that starts without a byte order mark.

    Raises:
        Unreadable: with line and column.
    """
    scanner = _Scanner(text)
    statements = scanner.document()
    return Scanned(tuple(statements), tuple(scanner.comments))


class _Scanner:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.comments: list[tuple[int, int]] = []

    def document(self) -> list[Statement]:
        statements: list[Statement] = []
        table: KeyPath = ()
        while True:
            self.skip()
            if self.at == len(self.text):
                return statements
            statement = self.header() if self.next_is("[") else self.pair(table, 0)
            if statement.value is None:
                table = statement.path
            statements.append(statement)
            self.line_ends()

    def wrong(self, what: str) -> Unreadable:
        return Unreadable(what, *Lines(self.text).at(self.at))

    def next_is(self, mark: str) -> bool:
        return self.text.startswith(mark, self.at)

    def take(self, mark: str) -> None:
        if not self.next_is(mark):
            raise self.wrong(f"expected `{mark}`")
        self.at += len(mark)

    def blank(self) -> None:
        self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches always, if only nothing

    def skip(self) -> None:
        """Pass over blanks, line ends and comments."""
        while True:
            self.at = _GAP.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches always, if only nothing
            if not self.comment():
                return

    def comment(self) -> bool:
        match = _COMMENT.match(self.text, self.at)
        if match is None:
            return False
        self.comments.append((self.at, self.at + len(match.group().rstrip("\r"))))
        self.at = match.end()
        return True

    def line_ends(self) -> None:
        self.blank()
        self.comment()
        if self.at < len(self.text) and not (self.next_is("\n") or self.next_is("\r\n")):
            raise self.wrong("expected the end of the line")

    def header(self) -> Statement:
        start = self.at
        double = self.next_is("[[")
        self.take("[[" if double else "[")
        path, names = self.key()
        self.take("]]" if double else "]")
        return Statement(path, start, self.at, None, names)

    def pair(self, table: KeyPath, depth: int) -> Statement:
        start = self.at
        path, names = self.key()
        self.take("=")
        self.blank()
        value = self.value(depth)
        return Statement(table + path, start, self.at, value, names)

    def key(self) -> tuple[KeyPath, tuple[tuple[int, int], ...]]:
        parts: list[str] = []
        spans: list[tuple[int, int]] = []
        while True:
            self.blank()
            start = self.at
            parts.append(self.key_part())
            spans.append((start, self.at))
            self.blank()
            if not self.next_is("."):
                return tuple(parts), tuple(spans)
            if len(parts) > MAX_DEPTH:
                raise self.wrong(f"a key of more than {MAX_DEPTH} parts")
            self.at += 1

    def key_part(self) -> str:
        bare = _BARE.match(self.text, self.at)
        if bare is not None:
            self.at = bare.end()
            return bare.group()
        if not (self.next_is('"') or self.next_is("'")):
            raise self.wrong("expected a key")
        return str(self.string().value)

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise self.wrong(f"nested deeper than {MAX_DEPTH} levels")
        if self.next_is("["):
            return self.array(depth)
        if self.next_is("{"):
            return self.table(depth)
        if self.next_is('"') or self.next_is("'"):
            return self.string()
        match = _OTHER.match(self.text, self.at)
        if match is None or not match.group().strip():
            raise self.wrong("expected a value")
        start, token = self.at, match.group().rstrip()
        self.at = start + len(token)
        return Scalar(start, self.at, token)

    def array(self, depth: int) -> Array:
        start = self.at
        items: list[Value] = []
        self.take("[")
        self.skip()
        while not self.next_is("]"):
            items.append(self.value(depth + 1))
            self.skip()
            if not self.next_is("]"):
                self.take(",")
                self.skip()
        self.take("]")
        return Array(start, self.at, tuple(items))

    def table(self, depth: int) -> Object:
        start = self.at
        members: list[Member] = []
        self.take("{")
        self.blank()
        while not self.next_is("}"):
            pair = self.pair((), depth + 1)
            assert pair.value is not None  # noqa: S101  # a pair has a value; the type serves headers too
            comma = -1
            self.blank()
            if not self.next_is("}"):
                comma = self.at
                self.take(",")
                self.blank()
            members.append(_nested(pair.path, pair.start, pair.value, comma))
        self.take("}")
        return Object(start, self.at, tuple(members))

    def string(self) -> Scalar:
        start = self.at
        quote = self.text[start]
        if self.next_is(quote * 3):
            self.long_string(quote)
        else:
            match = (_BASIC if quote == '"' else _LITERAL).match(self.text, start)
            if match is None:
                raise self.wrong("this string does not end")
            self.at = match.end()
        try:
            decoded = tomllib.loads(f"v={self.text[start : self.at]}")["v"]
        except tomllib.TOMLDecodeError:
            self.at = start
            raise self.wrong("this string is not valid") from None
        return Scalar(start, self.at, decoded)

    def long_string(self, quote: str) -> None:
        at = self.at + 3
        while True:
            close = self.text.find(quote * 3, at)
            escape = self.text.find("\\", at, close) if quote == '"' and close >= 0 else -1
            if close < 0:
                raise self.wrong("this string does not end")
            if escape < 0:
                break
            at = escape + 2
        self.at = close + 3
        while self.at < close + 5 and self.next_is(quote):  # one or two quotes may end the text
            self.at += 1


def _nested(path: KeyPath, start: int, value: Value, comma: int) -> Member:
    """A dotted key in an inline table, as the nested tables it stands for."""
    for part in reversed(path[1:]):
        value = Object(value.start, value.end, (Member(part, start, value, -1),))
    return Member(path[0], start, value, comma)
