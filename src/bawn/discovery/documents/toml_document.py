"""TOML files of clients: finding server entries, and editing one of them in the form it has.

An entry may be tables (`[mcp_servers.NAME]` and below), one inline table, or dotted keys. Whatever
the form, an entry that can be edited is one span of the file.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bawn.discovery.documents.document import (
    MAX_SERVERS,
    Edit,
    KeyPath,
    Slot,
    indent_at,
    newline_of,
    value_masks,
)
from bawn.discovery.documents.spans import Lines, Object, Unreadable
from bawn.discovery.documents.toml_spans import Statement, scan
from bawn.discovery.secrets import mask_comment

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ERROR = re.compile(r" \(at line ([0-9]+), column ([0-9]+)\)$")


class _Place(NamedTuple):
    """The span of an entry, and what its new lines begin with."""

    start: int
    end: int
    form: str  # table, dotted or inline
    lead: str = (
        ""  # table form: the header line; dotted form: what stands before each key's own name
    )
    indent: str = ""  # of its keys' lines


class TomlDocument:
    """A TOML file.

    Raises:
        Unreadable: it does not parse, with line and column.
    """

    text: str
    data: Any

    def __init__(self, text: str) -> None:
        self.text = text
        body = f" {text[1:]}" if text.startswith("\ufeff") else text
        self._scanned = scan(body)
        self.data = _load(body)
        self._lines = Lines(text)
        self._index: dict[int, dict[KeyPath, list[tuple[int, Statement]]]] = {}

    def slots(self, keys: KeyPath) -> tuple[Slot, ...]:
        """The servers at a key path, in the file's order; `*` is not used by any TOML client."""
        holder = self.data
        for key in keys:
            holder = holder.get(key, {}) if isinstance(holder, dict) else {}
        if not isinstance(holder, dict):
            raise Unreadable(f"expected a table at `{'.'.join(keys)}`")
        if len(holder) > MAX_SERVERS:
            raise Unreadable(f"more than {MAX_SERVERS} servers")
        found = [self._slot(keys, name, value) for name, value in holder.items()]
        return tuple(sorted(found, key=lambda slot: slot.start))

    def replacement(self, slot: Slot, entry: Mapping[str, Any]) -> Edit:
        """The edit that gives a server another value."""
        place = self._place((*slot.keys, slot.name))
        if isinstance(place, str):
            raise Unreadable(place, slot.line, 1)
        if place.form == "inline":
            return Edit(place.start, place.end, _toml(entry))
        prefix = place.lead if place.form == "dotted" else ""
        lines = [f"{prefix}{_key(key)} = {_toml(value)}" for key, value in entry.items()]
        if place.form == "table":
            lines.insert(0, place.lead)
        return Edit(place.start, place.end, (newline_of(self.text) + place.indent).join(lines))

    def insertion(self, keys: KeyPath, name: str, entry: Mapping[str, Any]) -> Edit:
        """The edit that adds a server as a table at the end of the file."""
        line = newline_of(self.text)
        gap = (
            "" if not self.text.strip("\ufeff") else line if self.text.endswith("\n") else line * 2
        )
        lines = [
            f"[{'.'.join(map(_key, (*keys, name)))}]",
            *(f"{_key(key)} = {_toml(value)}" for key, value in entry.items()),
        ]
        at = len(self.text)
        return Edit(at, at, gap + line.join(lines) + line)

    def removal(self, slot: Slot) -> tuple[Edit, ...]:
        """The edit that takes a table out, with its line end and one empty line before it."""
        place = self._place((*slot.keys, slot.name))
        if isinstance(place, str) or place.form != "table":
            raise Unreadable("expected a table to take out", slot.line, 1)
        line = newline_of(self.text)
        end = place.end + len(line) if self.text.startswith(line, place.end) else place.end
        start = place.start
        if self.text.endswith(line * 2, 0, start):
            start -= len(line)
        return (Edit(start, end, ""),)

    def masks(self, start: int, end: int) -> Iterator[Edit]:
        """Edits that hide the secrets between two offsets."""
        for statement in self._scanned.statements:
            if statement.value is not None:
                yield from value_masks(statement.path[-1], statement.value, start, end)
        for first, last in self._scanned.comments:
            comment = self.text[first:last]
            if first < end and last > start and (shown := mask_comment(comment)) != comment:
                yield Edit(first, last, shown)

    def _slot(self, keys: KeyPath, name: str, value: Any) -> Slot:
        place = self._place((*keys, name))
        if isinstance(place, str):
            start = next((statement.start for _, statement in self._of((*keys, name))), 0)
            return Slot(keys, name, value, start, start, self._lines.at(start)[0], place)
        problem = "" if isinstance(value, dict) else "expected a table"
        line = self._lines.at(place.start)[0]
        return Slot(keys, name, value, place.start, place.end, line, problem)

    def _of(self, path: KeyPath) -> list[tuple[int, Statement]]:
        """The statements at and below a path, with their positions among all."""
        index = self._index.get(len(path))
        if index is None:
            index = self._index[len(path)] = {}
            for at, statement in enumerate(self._scanned.statements):
                index.setdefault(statement.path[: len(path)], []).append((at, statement))
        return index.get(path, [])

    def _place(self, path: KeyPath) -> _Place | str:
        """Where an entry stands, or why it cannot be edited."""
        found = self._of(path)
        if not found:
            return self._inside(path)
        own = [statement for _, statement in found]
        first, last = own[0], own[-1]
        if first.path == path and first.value is not None:
            return _Place(first.value.start, first.value.end, "inline")
        if found[-1][0] - found[0][0] != len(found) - 1:
            return "its parts stand apart in the file: put them together first"
        if first.value is None:
            header = self._header(first, path)
            return _Place(first.start, self._line_end(last), "table", header, self._indent(own))
        if any(statement.value is None for statement in own):
            return "it is written partly as keys and partly as tables: use one form first"
        # The key's own parts are the last of the path; those up to the entry's name stay as written.
        kept = len(first.names) - (len(first.path) - len(path))
        lead = self.text[first.start : first.names[kept - 1][1]] + "."
        return _Place(first.start, last.end, "dotted", lead, self._indent(own))

    def _inside(self, path: KeyPath) -> _Place | str:
        """An entry within an inline table that holds several."""
        for at in range(1, len(path)):
            _, statement = next(iter(self._of(path[:at])), (0, None))
            if statement is None or statement.path != path[:at]:
                continue
            value = statement.value
            for key in path[at:]:
                member = value.find(key) if isinstance(value, Object) else None
                value = member.value if member else None
            if value is not None:
                return _Place(value.start, value.end, "inline")
        return "its place in the file was not found"

    def _header(self, first: Statement, path: KeyPath) -> str:
        if first.path == path:
            return self.text[first.start : self._line_end(first)]
        return f"[{'.'.join(map(_key, path))}]"

    def _indent(self, own: list[Statement]) -> str:
        first = next((s.start for s in own if s.value is not None), own[0].start)
        return indent_at(self.text, first) or ""

    def _line_end(self, statement: Statement) -> int:
        """The end of a statement's last line, a comment on it included."""
        end = self.text.find("\n", statement.end)
        end = len(self.text) if end < 0 else end
        return end - 1 if self.text.endswith("\r", 0, end) else end


def _load(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        found = _ERROR.search(str(error))
        what = str(error)[: found.start()] if found else "it cannot be read"
        line, column = (int(found[1]), int(found[2])) if found else Lines(text).at(len(text))
        raise Unreadable(what, line, column) from None


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _toml(name)


def _toml(value: Any) -> str:
    """A value on one line."""
    if isinstance(value, Mapping):
        return (
            "{ " + ", ".join(f"{_key(key)} = {_toml(item)}" for key, item in value.items()) + " }"
        )
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str):
        # JSON's escapes are also TOML's; DEL alone must be escaped here and is not there.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return json.dumps(value) if isinstance(value, bool | int | float) else str(value)
