"""Reads JSON as clients write it: with comments, trailing commas and a byte order mark, every value
with its span.

RFC 8259 for the values; comments and trailing commas as Visual Studio Code's own files have them.
Clients differ in what they tolerate; reading the widest form finds what any of them would start.
"""

from __future__ import annotations

import json
import re
from typing import NamedTuple

from bawn.discovery.documents.spans import (
    MAX_DEPTH,
    MAX_VALUES,
    Array,
    Lines,
    Member,
    Object,
    Scalar,
    Unreadable,
    Value,
)

_BLANK = re.compile(r"[ \t\r\n]*")
# Each class excludes the next one's first character, so matching never goes back: linear.
_STRING = re.compile(r'"[^"\\\x00-\x1f]*(?:\\.[^"\\\x00-\x1f]*)*"')
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_WORDS = {"true": True, "false": False, "null": None}


class Parsed(NamedTuple):
    """A document: its root, the spans of its comments, and the offsets of keys that stand there again."""

    root: Value
    comments: tuple[tuple[int, int], ...]
    repeated: tuple[int, ...]


def parse(text: str) -> Parsed:
    """Read a whole document.

    Raises:
        Unreadable: with line and column; nothing else is ever raised.
    """
    reader = _Reader(text)
    root = reader.document()
    return Parsed(root, tuple(reader.comments), tuple(reader.repeated))


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 1 if text.startswith("\ufeff") else 0
        self.values = 0
        self.comments: list[tuple[int, int]] = []
        self.repeated: list[int] = []

    def document(self) -> Value:
        self.skip()
        if self.at == len(self.text):
            raise self.wrong("the file is empty, a JSON object was expected")
        root = self.value(0)
        self.skip()
        if self.at < len(self.text):
            raise self.wrong("more text after the end of the document")
        return root

    def wrong(self, what: str, at: int | None = None) -> Unreadable:
        return Unreadable(what, *Lines(self.text).at(self.at if at is None else at))

    def skip(self) -> None:
        """Pass over blanks and comments."""
        while True:
            self.at = _BLANK.match(self.text, self.at).end()  # type: ignore[union-attr]  # matches always, if only nothing
            if self.text[self.at : self.at + 1] != "/":
                return
            self.comment()

    def comment(self) -> None:
        start = self.at
        if self.text.startswith("//", start):
            end = self.text.find("\n", start)
            self.at = len(self.text) if end < 0 else end
        elif self.text.startswith("/*", start):
            end = self.text.find("*/", start + 2)
            if end < 0:
                raise self.wrong("this comment does not end")
            self.at = end + 2
        else:
            raise self.wrong("expected a value, found `/`")
        self.comments.append((start, self.at))

    def value(self, depth: int) -> Value:
        if depth > MAX_DEPTH:
            raise self.wrong(f"nested deeper than {MAX_DEPTH} levels")
        self.values += 1
        if self.values > MAX_VALUES:
            raise self.wrong(f"more than {MAX_VALUES} values")
        first = self.text[self.at : self.at + 1]
        if first == "{":
            return self.object(depth)
        if first == "[":
            return self.array(depth)
        if first == '"':
            return self.string()
        return self.word()

    def string(self) -> Scalar:
        start, text = self.at, self.text
        match = _STRING.match(text, start)
        if match is None:
            raise self.wrong("this string does not end, or holds a control character")
        self.at = match.end()
        if text.find("\\", start, self.at) < 0:
            return Scalar(start, self.at, text[start + 1 : self.at - 1])
        try:
            decoded = json.loads(match.group())
        except json.JSONDecodeError as error:
            raise self.wrong("this escape sequence is not valid", start + error.pos) from None
        return Scalar(start, self.at, decoded)

    def word(self) -> Scalar:
        start = self.at
        match = _NUMBER.match(self.text, start)
        if match is not None:
            self.at = match.end()
            token = match.group()
            # int() refuses thousands of digits; nothing here depends on such a number's exact value
            whole = match.group(1) is None and match.group(2) is None and len(token) < 300
            return Scalar(start, self.at, int(token) if whole else float(token))
        for word, meaning in _WORDS.items():
            if self.text.startswith(word, start):
                self.at = start + len(word)
                return Scalar(start, self.at, meaning)
        found = f"found {self.text[start]!a}" if start < len(self.text) else "the file ends"
        raise self.wrong(f"expected a value, {found}")

    def array(self, depth: int) -> Array:
        start = self.at
        items: list[Value] = []
        self.at += 1
        self.skip()
        while not self.text.startswith("]", self.at):
            items.append(self.value(depth + 1))
            self.skip()
            self.comma("]")
        self.at += 1
        return Array(start, self.at, tuple(items))

    def object(self, depth: int) -> Object:
        start = self.at
        members: list[Member] = []
        seen: set[str] = set()
        self.at += 1
        self.skip()
        while not self.text.startswith("}", self.at):
            member = self.member(depth)
            if member.key in seen:
                self.repeated.append(member.start)
            seen.add(member.key)
            members.append(member)
        self.at += 1
        return Object(start, self.at, tuple(members))

    def member(self, depth: int) -> Member:
        if not self.text.startswith('"', self.at):
            raise self.wrong('expected a key in double quotes, or "}"')
        key = self.string()
        self.skip()
        if not self.text.startswith(":", self.at):
            raise self.wrong("expected `:` after the key")
        self.at += 1
        self.skip()
        value = self.value(depth + 1)
        self.skip()
        return Member(str(key.value), key.start, value, self.comma("}"))

    def comma(self, closing: str) -> int:
        """Pass over the comma, if there is one; returns its offset or -1."""
        if self.text.startswith(",", self.at):
            comma = self.at
            self.at += 1
            self.skip()
            return comma
        if self.text.startswith(closing, self.at):
            return -1
        raise self.wrong(f"expected `,` or `{closing}`")
