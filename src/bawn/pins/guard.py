"""The judge of a listing: what of it was approved serves, with the approved definition, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from bawn.errors import (
    INTEGRITY_DRIFT,
    INTEGRITY_LAUNCH,
    INTEGRITY_QUARANTINED,
    INTEGRITY_UNAPPROVED,
)
from bawn.model import Json, Kind, Listing, Withheld
from bawn.pins.canonical import Uncanonical
from bawn.pins.digest import Digests
from bawn.pins.launch import launch_waits
from bawn.pins.ledger import FIRST_USE, Ledger
from bawn.pins.listed import ASPECTS, INSTRUCTIONS, Listed, name_of
from bawn.pins.record import WHOLE, Aspect, Change, Key, Pin, Record

_PROBLEMS: Final = 20  # told of one listing
_SHOWN: Final = 128  # characters of a name

Judge: TypeAlias = Callable[[Json | None, Json, Aspect], str]
"""The class of a change: the approved definition (None for what is new), the listed one, and of what."""

Alarm: TypeAlias = Callable[[Json, Aspect], bool]
"""Whether something is found in a definition for which nobody should trust it unread."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What is approved without anybody: nothing at first with `review`, and the classes of change in `auto`.

    `first_use` is how long after its first listing what a server adds counts as first seen, in seconds.
    """

    review: bool
    first_use: float
    auto: frozenset[str]


@dataclass(frozen=True, slots=True)
class Admission:
    """A listing as it may be served, and what is on record from now on (the same object: nothing new).

    `found` are changes that wait from now on, `pinned` what was approved without anybody, and `problems`
    what is left out, for the log.
    """

    listing: Listing
    record: Record
    found: tuple[Change, ...]
    pinned: tuple[Pin, ...]
    problems: tuple[str, ...]


def admit(
    listing: Listing,
    record: Record | None,
    rules: Rules,
    now: float,
    judge: Judge,
    digests: Digests,
    alarming: Alarm,
) -> Admission:
    """Hold a listing against the record. A record whose `first` is 0 is of a server never listed before.

    Nothing that a server lists makes it raise: what cannot be judged is left out and told as a problem.
    """
    look = _Look(record or Record(listing.server, 0.0), rules, now, judge, digests, alarming)
    served: dict[Kind, tuple[Json, ...]] = {}
    withheld: dict[Kind, tuple[Withheld, ...]] = {}
    for kind, definitions in listing.definitions.items():
        aspect = ASPECTS.get(kind)
        judged = look.items(aspect, definitions) if aspect else look.unpinned(definitions)
        served[kind], withheld[kind] = judged
    admitted = replace(
        listing,
        definitions=served,
        withheld={kind: several for kind, several in withheld.items() if several},
        instructions=look.instructions(listing.instructions),
    )
    look.forget_gone()
    return Admission(
        admitted,
        look.ledger.close(),
        tuple(look.found),
        tuple(look.pinned),
        tuple(look.problems),
    )


class _Look:
    """One listing while it is judged."""

    def __init__(
        self,
        record: Record,
        rules: Rules,
        now: float,
        judge: Judge,
        digests: Digests,
        alarming: Alarm,
    ) -> None:
        self.ledger = Ledger(record)
        self.found: list[Change] = []
        self.pinned: list[Pin] = []
        self.problems: list[str] = []
        self._now = now
        self._judge = judge
        self._alarming = alarming
        self._digests = digests
        self._whole = self._all_withheld(record)
        new = record.first == 0
        if new:
            self.ledger.begin(now)
        self._early = new or 0 <= now - record.first <= rules.first_use
        self._opening = self._early and not rules.review and not self._whole
        self._auto = frozenset() if self._whole or (new and rules.review) else rules.auto
        self._listed: set[Key] = set()

    def _all_withheld(self, record: Record) -> str:
        if self.ledger.held((WHOLE, "")):
            return INTEGRITY_QUARANTINED.id
        return INTEGRITY_LAUNCH.id if launch_waits(record) else ""

    def unpinned(
        self, definitions: tuple[Json, ...]
    ) -> tuple[tuple[Json, ...], tuple[Withheld, ...]]:
        """What serves, and what does not, of a kind that is not pinned."""
        if not self._whole:
            return definitions, ()
        return (), tuple(Withheld(each, self._whole) for each in definitions)

    def items(
        self, aspect: Aspect, definitions: Iterable[Json]
    ) -> tuple[tuple[Json, ...], tuple[Withheld, ...]]:
        """What serves, and what does not, of a kind; of two with one name neither."""
        served: list[Json] = []
        withheld: list[Withheld] = []
        for key, offers in self._by_key(aspect, definitions).items():
            self._listed.add(key)
            definition, reason = self._settle(key, offers)
            if definition is None:
                continue
            if reason:
                withheld.append(Withheld(definition, reason))
            else:
                served.append(definition)
        return tuple(served), tuple(withheld)

    def instructions(self, text: str) -> str:
        """The instructions that serve: empty when they are not as approved."""
        if not text and not self.ledger.pins(INSTRUCTIONS):
            return ""
        offers = [self._read("instructions", "", {"text": text})]
        definition, reason = self._settle(INSTRUCTIONS, offers)
        return "" if reason or definition is None else str(definition["text"])

    def forget_gone(self) -> None:
        """Forget what waits, was never approved, and is listed no more: nobody has said anything of it.

        Else a server could fill the record with ever new names.
        """
        if self._early:  # what is shown again would be taken for first seen
            return
        for change in self.ledger.changes():
            said = change.votes or change.rejected or self.ledger.pins(change.key)
            if change.aspect in ASPECTS.values() and change.key not in self._listed and not said:
                self.ledger.forget(change.key)

    def _by_key(
        self, aspect: Aspect, definitions: Iterable[Json]
    ) -> Mapping[Key, Sequence[Listed]]:
        """The different definitions of each name, in the order of the list."""
        found: dict[Key, dict[str, Listed]] = {}
        for definition in definitions:
            name = name_of(aspect, definition)
            if name is None:
                self._problem(f"a {aspect} has no name")
                continue
            listed = self._read(aspect, name, definition)
            found.setdefault(listed.key, {}).setdefault(listed.digest, listed)
        return {key: tuple(offers.values()) for key, offers in found.items()}

    def _read(self, aspect: Aspect, name: str, definition: Json) -> Listed:
        try:
            return Listed(aspect, name, self._digests.of(aspect, definition), definition)
        except Uncanonical as error:
            self._problem(f"{_shown(aspect, name)}: {error}")
            return Listed(aspect, name, "", definition)

    def _settle(self, key: Key, offers: Sequence[Listed]) -> tuple[Json | None, str]:
        """The definition that stands for a key, and why it does not serve (empty: it does).

        Without a definition the item is left out.
        """
        first, *others = offers
        approved = self._approved(first)
        if others:
            self._problem(f"{_shown(*key)}: listed more than once, with different definitions")
        if approved is None:
            self._weigh(first, alone=not others)
            approved = self._approved(first)
        elif strange := [each for each in others if self._approved(each) is None]:
            self._weigh(strange[0], alone=False)
        pins, waiting = self.ledger.pins(key), self.ledger.waiting(key)
        told = [approved, *pins[-1:], waiting, *(each for each in offers if each.digest)]
        definition = next((each.definition for each in told if each is not None), None)
        clean = approved is not None and not others and not (waiting and not waiting.rejected)
        return definition, self._reason(key, clean=clean)

    def _reason(self, key: Key, *, clean: bool) -> str:
        if self._whole or self.ledger.held(key):
            return self._whole or INTEGRITY_QUARANTINED.id
        if clean:
            return ""
        return INTEGRITY_DRIFT.id if self.ledger.pins(key) else INTEGRITY_UNAPPROVED.id

    def _approved(self, listed: Listed) -> Pin | None:
        """The pin that this definition has; one that is damaged on record is none."""
        for pin in self.ledger.pins(listed.key):
            if listed.digest and pin.digest == listed.digest and self._is_sound(pin):
                return pin
        return None

    def _is_sound(self, pin: Pin) -> bool:
        with suppress(Uncanonical):
            return self._digests.of(pin.aspect, pin.definition) == pin.digest
        return False

    def _weigh(self, listed: Listed, *, alone: bool) -> None:
        """Approve a definition that is not approved, if that needs nobody, else let it wait."""
        aspect, name, digest, definition = listed
        if not digest:
            return
        pins, waiting = self.ledger.pins(listed.key), self.ledger.waiting(listed.key)
        if not pins and waiting is None and self.ledger.full:
            self._problem(f"{_shown(aspect, name)}: there is no room on record for more")
            return
        by = self._unasked(listed, pins, waiting) if alone else ""
        if by:
            pin = Pin(aspect, name, digest, definition, self._now, (by,))
            self.ledger.pin(pin)
            self.pinned.append(pin)
            return
        change = Change(aspect, name, digest, definition, self._now)
        if self.ledger.wait(change):
            self.found.append(change)

    def _unasked(self, listed: Listed, pins: Sequence[Pin], waiting: Change | None) -> str:
        """By what a definition is approved without anybody; empty when somebody has to be asked."""
        if self.ledger.held(listed.key):
            return ""
        if waiting is not None and (
            not pins or not waiting.rejected or waiting.digest == listed.digest
        ):
            return ""
        if self._opening and not pins:
            return "" if self._alarms(listed) else FIRST_USE
        if not self._auto:
            return ""
        befores: list[Json | None] = [pin.definition for pin in pins]
        classes = {self._class(before, listed) for before in befores or [None]}
        known = all(classes) and classes <= self._auto
        return f"automatic: {', '.join(sorted(classes))}" if known else ""

    def _alarms(self, listed: Listed) -> bool:
        """Whether nobody should trust it unread; what cannot be judged alarms."""
        try:
            return self._alarming(listed.definition, listed.aspect)
        except Exception:  # noqa: BLE001  # fail closed, whatever breaks
            self._problem(f"{_shown(listed.aspect, listed.name)}: its words could not be judged")
            return True

    def _class(self, before: Json | None, listed: Listed) -> str:
        """The class of a change; what cannot be judged has none, and waits for people."""
        with suppress(Exception):
            return self._judge(before, listed.definition, listed.aspect)
        return ""

    def _problem(self, problem: str) -> None:
        if len(self.problems) < _PROBLEMS:
            self.problems.append(problem)


def _shown(aspect: str, name: str) -> str:
    return f"{aspect} {name[:_SHOWN]!r}"
