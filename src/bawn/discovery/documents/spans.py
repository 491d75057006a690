"""Values that know where they stand in their file; JSON and TOML are both read into these."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any, NamedTuple, TypeAlias

from bawn.errors import BawnError

MAX_DEPTH = 128
"""Deepest nesting read; real client files stay below 12."""

MAX_VALUES = 500_000
"""Most values read from one file: two seconds' work, and more than a file of ten megabytes holds."""


class Unreadable(BawnError):
    """A client's file cannot be used: what is wrong, and where (line and column from 1, 0 unknown)."""

    def __init__(self, what: str, line: int = 0, column: int = 0) -> None:
        super().__init__(f"line {line}, column {column}: {what}" if line else what)
        self.line = line
        self.column = column


class Scalar(NamedTuple):
    """A string, number, boolean, null or (TOML) date."""

    start: int
    end: int
    value: Any


class Array(NamedTuple):
    """A list of values."""

    start: int
    end: int
    items: tuple[Value, ...]


class Member(NamedTuple):
    """A key with its value; `comma` is the offset of the comma after it, -1 without one."""

    key: str
    start: int
    value: Value
    comma: int


class Object(NamedTuple):
    """A mapping; keys may repeat, and then the last one counts, as in every JSON reader."""

    start: int
    end: int
    members: tuple[Member, ...]

    def find(self, key: str) -> Member | None:
        """The member that counts for this key."""
        return next((member for member in reversed(self.members) if member.key == key), None)

    def repeats(self, key: str) -> bool:
        """Whether this key stands here more than once."""
        return sum(member.key == key for member in self.members) > 1


Value: TypeAlias = Scalar | Array | Object


def plain(value: Value) -> Any:
    """The value without its spans, as `json.loads` would give it."""
    if isinstance(value, Object):
        return {member.key: plain(member.value) for member in value.members}
    if isinstance(value, Array):
        return [plain(item) for item in value.items]
    return value.value


class Lines:
    """Turns offsets into line and column, both from 1."""

    def __init__(self, text: str) -> None:
        self._starts = [0]
        at = text.find("\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = text.find("\n", at + 1)

    def at(self, offset: int) -> tuple[int, int]:
        """Line and column of an offset."""
        line = bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1
