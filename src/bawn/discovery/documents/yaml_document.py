"""YAML files of clients (Goose, Continue): read, never written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NoReturn

from bawn.config import document
from bawn.discovery.documents.document import MAX_SERVERS, Edit, KeyPath, Slot
from bawn.discovery.documents.spans import Unreadable
from bawn.errors import Misconfigured

YAML_SUFFIXES: Final = (".yaml", ".yml")


class YamlDocument:
    """A YAML 1.2 file without aliases and tags. Spans are whole lines.

    Raises:
        Unreadable: it does not parse, with its line.
    """

    text: str
    data: Any

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._read = document.read(text.encode("utf-8", "surrogatepass"), "line")
        except Misconfigured as error:
            raise Unreadable(error.problems[0]) from None
        self.data = self._read.tree
        self._starts = [0]
        for line in text.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))

    def slots(self, keys: KeyPath) -> tuple[Slot, ...]:
        """The servers at a key path: of a mapping by their keys, of a list by their `name`."""
        holder: Any = self.data
        for key in keys:
            holder = holder.get(key) if isinstance(holder, dict) else None
        if holder is None:
            return ()
        if not isinstance(holder, (dict, list)):
            raise Unreadable(f"expected a mapping or a list at `{'.'.join(keys)}`")
        if len(holder) > MAX_SERVERS:
            raise Unreadable(f"more than {MAX_SERVERS} servers")
        if isinstance(holder, dict):
            return tuple(self._slot(keys, str(key), key, value) for key, value in holder.items())
        return tuple(
            self._slot(keys, _name(value, at), at, value) for at, value in enumerate(holder)
        )

    def replacement(self, slot: Slot, entry: Mapping[str, Any]) -> Edit:
        """Refused: editing would lose comments and style."""
        self._refuse()

    def insertion(self, keys: KeyPath, name: str, entry: Mapping[str, Any]) -> Edit:
        """Refused, as `replacement`."""
        self._refuse()

    def removal(self, slot: Slot) -> tuple[Edit, ...]:
        """Refused, as `replacement`."""
        self._refuse()

    def masks(self, start: int, end: int) -> Iterator[Edit]:
        """None: what is never edited is never shown as a difference."""
        return iter(())

    def _slot(self, keys: KeyPath, name: str, key: str | int, value: Any) -> Slot:
        span = self._read.spans.get((*keys, key))
        if span is None:
            line = self._read.line((*keys, key)) or 1
            first = last = line - 1
        else:
            line, first, last = span.first + 1, span.first, span.last
        ends = len(self._starts) - 1
        start, end = self._starts[min(first, ends)], self._starts[min(last + 1, ends)]
        problem = "" if isinstance(value, dict) else "expected a mapping"
        return Slot(keys, name, value, start, end, line, problem)

    def _refuse(self) -> NoReturn:
        raise Unreadable("YAML files are only read: make the change by hand")


def _name(value: Any, at: int) -> str:
    name = value.get("name") if isinstance(value, dict) else None
    return name if isinstance(name, str) and name else f"server {at + 1}"
