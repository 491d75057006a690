"""JSON read a second time, slowly and plainly, to hold the fast reading against (RFC 8259)."""

from __future__ import annotations

import re
import struct
from typing import Any, Final

_NUMBER: Final = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_ESCAPES: Final = {
    '"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t",
}  # fmt: skip
_LITERALS: Final = {"true": True, "false": False, "null": None}
_DIGITS: Final = 4300  # what CPython converts


class Unreadable(ValueError):
    """Not JSON, or JSON with two readings, or too much of it."""


class Reading:
    """One text; `value` reads it whole. It counts values and levels as `strict.JsonLimits` does."""

    def __init__(self, body: bytes, depth: int, nodes: int) -> None:
        try:
            self._text = body.decode("utf-8", "strict")
        except UnicodeDecodeError as error:
            raise Unreadable("encoding") from error
        self._at = 0
        self._depth = depth
        self._nodes = nodes
        self._counted = 0

    def value(self) -> Any:
        """The tree."""
        tree = self._value(0)
        self._space()
        if self._at != len(self._text):
            raise Unreadable("more than one value")
        if self._counted >= self._nodes:
            raise Unreadable("too many values")
        return tree

    def _value(self, depth: int) -> Any:
        self._space()
        head = self._text[self._at : self._at + 1]
        if head == "{":
            return self._object(self._deeper(depth))
        if head == "[":
            return self._array(self._deeper(depth))
        if head == '"':
            return self._string()
        for word, value in _LITERALS.items():
            if self._text.startswith(word, self._at):
                self._at += len(word)
                return value
        return self._number()

    def _deeper(self, depth: int) -> int:
        self._at += 1
        self._counted += 1
        if depth + 1 > self._depth:
            raise Unreadable("too deep")
        return depth + 1

    def _object(self, depth: int) -> Any:
        made: dict[str, Any] = {}
        if self._take("}"):
            return made
        while True:
            self._space()
            if self._text[self._at : self._at + 1] != '"':
                raise Unreadable("a key is no string")
            key = self._string()
            if key in made:
                raise Unreadable("a key twice")
            if not self._take(":"):
                raise Unreadable("no colon")
            made[key] = self._value(depth)
            if self._take("}"):
                return made
            self._comma()

    def _array(self, depth: int) -> Any:
        made: list[Any] = []
        if self._take("]"):
            return made
        while True:
            made.append(self._value(depth))
            if self._take("]"):
                return made
            self._comma()

    def _comma(self) -> None:
        if not self._take(","):
            raise Unreadable("no comma")
        self._counted += 1

    def _string(self) -> str:
        self._at += 1
        units: list[str] = []
        while True:
            c = self._text[self._at : self._at + 1]
            self._at += 1
            if c == '"':
                break
            if not c or c < " ":
                raise Unreadable("a string does not end, or has a control character")
            units.append(self._escape() if c == "\\" else c)
        # pairs of escaped surrogates are one character; what is left stands alone
        try:
            return "".join(units).encode("utf-16-le", "surrogatepass").decode("utf-16-le")
        except UnicodeDecodeError as error:
            raise Unreadable("a lone surrogate") from error

    def _escape(self) -> str:
        kind = self._text[self._at : self._at + 1]
        self._at += 1
        if kind in _ESCAPES:
            return _ESCAPES[kind]
        digits = self._text[self._at : self._at + 4]
        if kind != "u" or not re.fullmatch("[0-9a-fA-F]{4}", digits):
            raise Unreadable("an escape")
        self._at += 4
        return chr(int(digits, 16))

    def _number(self) -> int | float:
        found = _NUMBER.match(self._text, self._at)
        if found is None:
            raise Unreadable("no value")
        self._at = found.end()
        if found[2] is None and found[3] is None:
            if len(found[1]) > _DIGITS:
                raise Unreadable("too many digits")
            return int(found[0])
        number = float(found[0])
        if number in (float("inf"), float("-inf")):
            raise Unreadable("out of range")
        return number

    def _space(self) -> None:
        while self._text[self._at : self._at + 1] in {" ", "\t", "\n", "\r"}:
            self._at += 1

    def _take(self, character: str) -> bool:
        self._space()
        found = self._text[self._at : self._at + 1] == character
        self._at += found
        return found


def same(one: Any, other: Any) -> bool:
    """Equal in value: same tree, exact integers, same doubles, same code points."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, float):
        return struct.pack("<d", one) == struct.pack("<d", other)
    return bool(one == other)
