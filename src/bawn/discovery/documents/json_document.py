"""JSON files of clients: finding server entries, and editing one of them in the file's own style."""

from __future__ import annotations

import json
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from typing import Any

from bawn.discovery.documents.document import (
    MAX_SERVERS,
    Edit,
    KeyPath,
    Slot,
    indent_at,
    newline_of,
    value_masks,
)
from bawn.discovery.documents.jsonc import parse
from bawn.discovery.documents.spans import Lines, Member, Object, Unreadable, Value, plain
from bawn.discovery.secrets import mask_comment


class JsonDocument:
    """A JSON or JSONC file.

    Raises:
        Unreadable: it does not parse, with line and column.
    """

    text: str
    data: Any

    def __init__(self, text: str) -> None:
        self.text = text
        self._parsed = parse(text)
        self._lines = Lines(text)
        self.data = plain(self._parsed.root)
        self._comment_ends = {end for _, end in self._parsed.comments}
        self._repeated = sorted(self._parsed.repeated)

    def slots(self, keys: KeyPath) -> tuple[Slot, ...]:
        """The servers at a key path, in the file's order."""
        return tuple(
            self._slot(path, holder, member, ambiguous)
            for path, holder, ambiguous in self._holders(keys)
            for member in holder.members
        )

    def replacement(self, slot: Slot, entry: Mapping[str, Any]) -> Edit:
        """The edit that gives a server another value."""
        _, member = self._member(slot)
        return Edit(slot.start, slot.end, self._render(entry, self._indent(member)))

    def insertion(self, keys: KeyPath, name: str, entry: Mapping[str, Any]) -> Edit:
        """The edit that adds a server, and the object that holds it when there is none."""
        holder: Value = self._parsed.root
        missing = [*keys, name]
        while isinstance(holder, Object) and (member := holder.find(missing[0])) is not None:
            holder = member.value
            missing.pop(0)
        if not isinstance(holder, Object):
            raise Unreadable("expected an object to add to", *self._lines.at(holder.start))
        return self._append(holder, missing, entry)

    def removal(self, slot: Slot) -> tuple[Edit, ...]:
        """The edits that take a server and one comma out."""
        holder, member = self._member(slot)
        start = self._line_before(member.start)
        if member.comma >= 0:
            return (Edit(start, member.comma + 1, ""),)
        before = holder.members[: holder.members.index(member)]
        comma = (Edit(before[-1].comma, before[-1].comma + 1, ""),) if before else ()
        return (*comma, Edit(start, member.value.end, ""))

    def masks(self, start: int, end: int) -> Iterator[Edit]:
        """Edits that hide the secrets between two offsets."""
        yield from value_masks("", self._parsed.root, start, end)
        for first, last in self._parsed.comments:
            comment = self.text[first:last]
            if first < end and last > start and (shown := mask_comment(comment)) != comment:
                yield Edit(first, last, shown)

    def _holders(self, keys: KeyPath) -> list[tuple[KeyPath, Object, bool]]:
        """Every object at a key path, with its path and whether a key on the way stands twice."""
        found: list[tuple[KeyPath, Value, bool]] = [((), self._parsed.root, False)]
        for key in keys:
            found = [
                ((*path, member.key), member.value, ambiguous or holder.repeats(member.key))
                for path, holder, ambiguous in found
                if isinstance(holder, Object)
                for member in holder.members
                if key in ("*", member.key)
            ]
        for _, holder, _ in found:
            if not isinstance(holder, Object) and plain(holder) is not None:
                where = self._lines.at(holder.start)
                raise Unreadable(f"expected an object at `{'.'.join(keys)}`", *where)
            if isinstance(holder, Object) and len(holder.members) > MAX_SERVERS:
                raise Unreadable(f"more than {MAX_SERVERS} servers", *self._lines.at(holder.start))
        return [(p, holder, twice) for p, holder, twice in found if isinstance(holder, Object)]

    def _slot(self, path: KeyPath, holder: Object, member: Member, ambiguous: bool) -> Slot:
        line, _ = self._lines.at(member.start)
        value = member.value
        inside = bisect_left(self._repeated, value.start)
        problem = ""
        if ambiguous or holder.repeats(member.key):
            problem = "its key stands twice, and clients differ in which one counts"
        elif not isinstance(value, Object):
            problem = "expected an object"
        elif inside < len(self._repeated) and self._repeated[inside] < value.end:
            again, _ = self._lines.at(self._repeated[inside])
            problem = (
                f"a key of it stands twice (line {again}), and clients differ in which one counts"
            )
        return Slot(path, member.key, plain(value), value.start, value.end, line, problem)

    def _member(self, slot: Slot) -> tuple[Object, Member]:
        for _, holder, _ in self._holders(slot.keys):
            for member in holder.members:
                if member.value.start == slot.start:
                    return holder, member
        raise ValueError("the slot is not of this document")

    def _indent(self, member: Member) -> str | None:
        return indent_at(self.text, member.start) if "\n" in self.text else None

    def _unit(self) -> str:
        """One level of indentation, as the first indented key of the file shows it."""
        root = self._parsed.root
        first = root.members[0] if isinstance(root, Object) and root.members else None
        return (self._indent(first) if first else None) or "  "

    def _render(self, entry: Mapping[str, Any], indent: str | None) -> str:
        if indent is None:
            return _json(entry)
        line = newline_of(self.text) + indent
        body = f",{line}{self._unit()}".join(f"{_json(key)}: {_json(entry[key])}" for key in entry)
        return f"{{{line}{self._unit()}{body}{line}}}"

    def _append(self, holder: Object, missing: list[str], entry: Mapping[str, Any]) -> Edit:
        """Put nested new members after the last one, or right behind the opening brace."""
        last = holder.members[-1] if holder.members else None
        indent = self._indent(last) if last else self._brace_indent(holder)
        text = self._nested(missing, entry, indent)
        line = " " if indent is None else newline_of(self.text) + indent
        if last is not None:
            return Edit(last.value.end, last.value.end, f",{line}{text}")
        if indent is None:
            return Edit(holder.start + 1, holder.start + 1, text)
        closes = indent_at(self.text, holder.end - 1) is not None
        tail = "" if closes else newline_of(self.text) + indent.removesuffix(self._unit())
        return Edit(holder.start + 1, holder.start + 1, line + text + tail)

    def _brace_indent(self, holder: Object) -> str | None:
        """How far a first member of an empty object is to be indented; None where all is one line."""
        start = self.text.rfind("\n", 0, holder.start) + 1
        line = self.text[start : holder.start]
        if "\n" not in self.text:
            return None
        return line[: len(line) - len(line.lstrip(" \t"))] + self._unit()

    def _nested(self, names: list[str], entry: Mapping[str, Any], indent: str | None) -> str:
        if len(names) == 1:
            return f"{_json(names[0])}: {self._render(entry, indent)}"
        inner = None if indent is None else indent + self._unit()
        text = self._nested(names[1:], entry, inner)
        if inner is None or indent is None:
            return f"{_json(names[0])}: {{{text}}}"
        line = newline_of(self.text)
        return f"{_json(names[0])}: {{{line}{inner}{text}{line}{indent}}}"

    def _line_before(self, start: int) -> int:
        """The start of the white space that leads from the line before to a key."""
        indent = indent_at(self.text, start)
        if indent is None:
            return start
        before = start - len(indent)
        if before == 0 or before - 1 in self._comment_ends:  # a line comment needs its line end
            return before
        return before - (2 if self.text.startswith("\r\n", before - 2) else 1)


def _json(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # lone surrogates can only stand as escapes
        return json.dumps(value)
    return text
