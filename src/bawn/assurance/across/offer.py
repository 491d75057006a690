"""What a server offers, as far as it matters to others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from bawn.findings.finding import Finding, Level
from bawn.model import Item, Json, Kind, View
from bawn.pins.record import Aspect, Record

NAMED: Final[tuple[Aspect, ...]] = ("tool", "prompt")
"""What has a name that is prefixed, and that others can speak of."""

_KINDS: Final[Mapping[Aspect, Kind]] = {
    "tool": Kind.TOOL,
    "prompt": Kind.PROMPT,
    "template": Kind.TEMPLATE,
}
_SHOWN: Final = 80  # characters of a name in a message


@dataclass(frozen=True)
class Offer:
    """The definitions of one server by aspect and name, and how they come to stand on the aggregate."""

    server: str
    definitions: Mapping[Aspect, Mapping[str, Json]]
    prefix: str = ""
    tenant: str = ""

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of its tools and prompts."""
        return frozenset(name for each in NAMED for name in self.definitions.get(each, ()))

    @cached_property
    def tools(self) -> tuple[Item, ...]:
        """Its tools, as policy sees them."""
        found = self.definitions.get("tool", {})
        return tuple(
            Item(Kind.TOOL, self.server, name, self.prefix + name, definition)
            for name, definition in found.items()
        )

    def texts(self) -> Iterator[tuple[Aspect, str, Json]]:
        """Everything in which it says something: aspect, name and definition."""
        for aspect, several in self.definitions.items():
            for name, definition in several.items():
                yield aspect, name, definition


def of_record(record: Record, prefix: str, tenant: str = "") -> Offer:
    """What is approved of a server, and what waits: the approved definition of a name counts."""
    found: dict[Aspect, dict[str, Json]] = {}
    for change in record.waiting:
        found.setdefault(change.aspect, {})[change.name] = change.definition
    for pin in record.pins:
        found.setdefault(pin.aspect, {})[pin.name] = pin.definition
    found.pop("launch", None)
    return Offer(record.server, found, prefix, tenant)


def of_list(
    server: str, definitions: Mapping[Aspect, Iterable[Json]], prefix: str = "", tenant: str = ""
) -> Offer:
    """What a server lists; of two with one name the first counts."""
    key: Mapping[Aspect, str] = {"template": "uriTemplate", "instructions": "", "launch": ""}
    found: dict[Aspect, dict[str, Json]] = {}
    for aspect, several in definitions.items():
        for definition in several:
            name = definition.get(key.get(aspect, "name"), "")
            if isinstance(name, str):
                found.setdefault(aspect, {}).setdefault(name, definition)
    return Offer(server, found, prefix, tenant)


def of_view(view: View, prefixes: Mapping[str, str], tenants: Mapping[str, str]) -> list[Offer]:
    """What the servers of a View offer, what is withheld of them as well."""
    found = []
    for server, endpoint in view.endpoints.items():
        if server is None or server not in prefixes:
            continue
        definitions: dict[Aspect, dict[str, Json]] = {}
        for aspect, kind in _KINDS.items():
            items = {**endpoint.withheld.get(kind, {}), **endpoint.items.get(kind, {})}
            definitions[aspect] = {item.name: item.definition for item in items.values()}
        if text := endpoint.instructions.get(server):
            definitions["instructions"] = {"": {"text": text}}
        found.append(Offer(server, definitions, prefixes[server], tenants.get(server, "")))
    return found


def shown(name: str) -> str:
    """A name for a message: short, and every character of it to be seen."""
    told = repr(name)[1:-1]
    return told if len(told) <= _SHOWN else f"{told[: _SHOWN - 1]}…"


def finding(level: Level, kind: str, subject: str, message: str, fix: str) -> Finding:
    """A finding of this room; it is of no file."""
    return Finding(level, kind, "", "", 0, message, fix, subject)
