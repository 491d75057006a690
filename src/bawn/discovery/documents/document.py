"""A client's file as a document: where its servers stand, and the edits that change one of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from bawn.discovery.documents.spans import Array, Object, Scalar, Value
from bawn.discovery.secrets import in_arguments, in_pair, mask

KeyPath: TypeAlias = tuple[str, ...]
"""Keys from the root to the object that holds the servers; `*` stands for every key of an object."""

MAX_SERVERS = 1000
"""Most servers read from one place of a file."""


class Edit(NamedTuple):
    """Put `text` in place of the characters from `start` to `end`."""

    start: int
    end: int
    text: str


class Slot(NamedTuple):
    """One server's entry: its key path and name, its value, and the span that an edit replaces.

    `problem` says why it can be read but not edited; it is empty when it can.
    """

    keys: KeyPath
    name: str
    value: Any
    start: int
    end: int
    line: int
    problem: str = ""


class Document(Protocol):
    """A parsed file. Offsets count characters of `text`, which encodes to the file's exact bytes."""

    text: str
    data: Any

    def slots(self, keys: KeyPath) -> tuple[Slot, ...]:
        """The servers at a key path, in the file's order.

        Raises:
            Unreadable: something other than an object stands there.
        """

    def replacement(self, slot: Slot, entry: Mapping[str, Any]) -> Edit:
        """The edit that gives a server another value, in the file's own style."""

    def insertion(self, keys: KeyPath, name: str, entry: Mapping[str, Any]) -> Edit:
        """The edit that adds a server.

        Raises:
            Unreadable: the file has no place for it.
        """

    def removal(self, slot: Slot) -> tuple[Edit, ...]:
        """The edits that take a server out."""

    def masks(self, start: int, end: int) -> Iterator[Edit]:
        """Edits that hide the secrets between two offsets, for showing the text."""


def splice(text: str, edits: Iterable[Edit]) -> str:
    """Apply edits that do not overlap; everything outside their spans stays as it is."""
    parts: list[str] = []
    at = 0
    for edit in sorted(edits):
        if edit.start < at:
            raise ValueError("edits overlap")
        parts += (text[at : edit.start], edit.text)
        at = edit.end
    parts.append(text[at:])
    return "".join(parts)


def newline_of(text: str) -> str:
    """The line end that the file uses, by its first line."""
    first = text.find("\n")
    return "\r\n" if first > 0 and text[first - 1] == "\r" else "\n"


def indent_at(text: str, offset: int) -> str | None:
    """The blanks before an offset, if nothing else stands before it on its line."""
    before = text[text.rfind("\n", 0, offset) + 1 : offset]
    return before if not before.strip(" \t") else None


def value_masks(name: str, value: Value, start: int, end: int) -> Iterator[Edit]:
    """Hide the secrets in a named value, as far as it stands between two offsets."""
    if value.end <= start or value.start >= end:
        return
    if isinstance(value, Object):
        for member in value.members:
            yield from value_masks(member.key, member.value, start, end)
    elif isinstance(value, Scalar):
        if isinstance(value.value, str):
            yield from _scalar_mask(value, mask(value.value, in_pair(name, value.value)))
    else:
        yield from _array_masks(value, start, end)


def _array_masks(array: Array, start: int, end: int) -> Iterator[Edit]:
    words = [
        item.value if isinstance(item, Scalar) and isinstance(item.value, str) else ""
        for item in array.items
    ]
    for item, word, hits in zip(array.items, words, in_arguments(words), strict=True):
        if isinstance(item, Scalar) and word:
            yield from _scalar_mask(item, mask(word, hits))
        else:
            yield from value_masks("", item, start, end)


def _scalar_mask(scalar: Scalar, masked: str) -> Iterator[Edit]:
    if masked != scalar.value:
        yield Edit(scalar.start, scalar.end, f'"{masked}"')
