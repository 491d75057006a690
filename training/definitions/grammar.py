"""Sentences from parts: verbs in their forms, and slots filled by chance from a seed."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from string import Formatter
from typing import Any, Final

_HERE: Final = Path(__file__).parent
_FORMATTER: Final = Formatter()
_PAST: Final = {
    "send": "sent", "read": "read", "put": "put", "make": "made", "set": "set", "leave": "left",
    "tell": "told", "write": "written", "run": "run", "withdraw": "withdrawn", "erase": "erased",
    "give": "given", "keep": "kept", "split": "split", "show": "shown", "fetch": "fetched", "overwrite": "overwritten", "hand": "handed", "back": "backed", "bcc": "bcc'd",
}  # fmt: skip
_DOUBLED: Final = frozenset(("set", "put", "run", "transfer", "skip", "submit", "stop", "commit"))
_ONCE: Final = frozenset(("transfer",))  # doubled, and in the past too


def table(name: str) -> Mapping[str, Any]:
    """One of the TOML files beside this one."""
    return tomllib.loads((_HERE / f"{name}.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Goal:
    """What poison wants: a verb, its object and the rest, with slots filled."""

    verb: str
    thing: str
    rest: str

    def forms(self) -> dict[str, str]:
        """It as an order, as a gerund, in the third person and in the passive."""
        first, _, particle = self.verb.partition(" ")
        after = " ".join(filter(None, (particle, self.thing, self.rest)))
        many = "are" if self.thing.endswith("s") and not self.thing.endswith("ss") else "is"
        passive = f"{self.thing} {many} {past(first)} {particle} {self.rest}"
        order = f"{self.verb} {self.thing} {self.rest}".strip()
        return {
            "do": order,
            "Do": capital(order),
            "doing": f"{gerund(first)} {after}",
            "does": f"{third(first)} {after}",
            "done": " ".join(passive.split()),
        }


def capital(text: str) -> str:
    """With a capital at the start."""
    return text[:1].upper() + text[1:]


def gerund(verb: str) -> str:
    """`sending` of send."""
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ing"
    if verb.endswith("e") and not verb.endswith(("ee", "oe")):
        return f"{verb[:-1]}ing"
    return f"{verb}ing"


def third(verb: str) -> str:
    """`sends` of send."""
    if verb.endswith(("s", "sh", "ch", "x", "o")):
        return f"{verb}es"
    if verb.endswith("y") and verb[-2] not in "aeou":
        return f"{verb[:-1]}ies"
    return f"{verb}s"


def past(verb: str) -> str:
    """The participle: `sent` of send."""
    if verb in _PAST:
        return _PAST[verb]
    if verb in _DOUBLED:
        return f"{verb}{verb[-1]}ed"
    if verb.endswith("e"):
        return f"{verb}d"
    if verb.endswith("y") and verb[-2] not in "aeou":
        return f"{verb[:-1]}ied"
    return f"{verb}ed"


class Slots:
    """Fills `{slots}`, also those that a filling has itself."""

    def __init__(self, chance: Random, slots: Mapping[str, Sequence[str]]) -> None:
        self._chance = chance
        self._slots = slots

    def fill(self, text: str, given: Mapping[str, str] | None = None) -> str:
        """A text with its slots filled; those that are capital get a capital letter."""
        values: dict[str, str] = dict(given or {})
        for _, slot, _, _ in _FORMATTER.parse(text):
            if slot and slot not in values:
                values[slot] = self._value(slot)
        return text.format(**values)

    def _value(self, slot: str) -> str:
        options = self._slots.get(slot)
        if options is None:
            return capital(self._value(slot.lower()))
        return self.fill(self._chance.choice(options))


def goals() -> dict[str, list[tuple[str, str, str]]]:
    """The goals by kind, with their slots open."""
    return {kind: parts(each["goals"]) for kind, each in table("goals").items()}


def parts(lines: str) -> list[tuple[str, str, str]]:
    """Lines of `verb | object | rest`."""
    found: list[tuple[str, str, str]] = []
    for line in filter(str.strip, lines.split("\n")):
        verb, thing, rest = (part.strip() for part in line.split("|"))
        found.append((verb, thing, rest))
    return found
