"""Powers that add up: what reads private data, what brings in what anybody wrote, what sends outside.

Within one caller's reach the three let whoever wrote the content have the data sent to them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations as pairs
from itertools import islice, product
from math import prod
from typing import Final, Protocol

from bawn.assurance.across.offer import Offer, finding, shown
from bawn.findings.finding import Finding
from bawn.model import Item, Label

MOST: Final = 20
"""Combinations that are told of one reach."""

_TOLD: Final = 3  # tools of a server that are named for one power
_POWERS: Final[Mapping[Label, str]] = {
    Label.PRIVATE: "reads private data",
    Label.UNTRUSTED: "brings in what others wrote",
    Label.SENDS: "sends outside",
}


class Labels(Protocol):
    """What is known of items; `policy.labelling.labels.Labelled` is one."""

    def labels(self, item: Item) -> frozenset[Label]:
        """What using an item does."""


class Reaches(Protocol):
    """Whether a caller may use an item."""

    def __call__(self, item: Item) -> bool: ...


@dataclass(frozen=True, slots=True)
class Reach:
    """What one kind of caller can use together. `title` says whose it is: `role developer`."""

    title: str
    tenant: str
    allows: Reaches = field(default=lambda item: True)


@dataclass(slots=True)
class _Powers:
    """The tools of a server by what they do."""

    server: str
    tools: dict[Label, list[str]]

    @property
    def labels(self) -> frozenset[Label]:
        return frozenset(self.tools)


def combinations(
    offers: Sequence[Offer], labels: Labels, reach: Reach, *, guarded: bool
) -> Iterator[Finding]:
    """The smallest sets of servers that have all three, each once, those of fewest servers first.

    `guarded` says that rules in force ask or refuse when they come together: then it is worth knowing, no
    more.
    """
    found = [_powers(offer, labels, reach) for offer in offers if offer.tenant == reach.tenant]
    groups = list(_minimal([each for each in found if each.tools]))
    every = (those for group in groups for those in product(*group))
    for those in islice(every, MOST):
        yield _told(those, reach, guarded=guarded)
    count = sum(prod(map(len, group)) for group in groups)
    if count > MOST:
        yield finding(
            "note", "across/toxic-more", reach.title,
            f"within the reach of {reach.title} there are {count - MOST} more such combinations",
            "Forbid or ask for what sends outside after reading: `bawn policy show --builtin`.",
        )  # fmt: skip


def _powers(offer: Offer, labels: Labels, reach: Reach) -> _Powers:
    tools: dict[Label, list[str]] = {}
    for item in offer.tools:
        if reach.allows(item):
            for label in labels.labels(item):
                if label in _POWERS:
                    tools.setdefault(label, []).append(item.name)
    return _Powers(offer.server, tools)


def _minimal(servers: Sequence[_Powers]) -> Iterator[Sequence[Sequence[_Powers]]]:
    """Groups of servers: one of each together have all the powers, and no part of them has.

    By class of powers, of which there are seven, however many servers there are.
    """
    every = frozenset(_POWERS)
    by: dict[frozenset[Label], list[_Powers]] = {}
    for each in servers:
        by.setdefault(each.labels, []).append(each)
    if whole := by.pop(every, []):
        yield [whole]
    for one, other in pairs(sorted(by, key=sorted), 2):
        if one | other == every:
            yield [by[one], by[other]]
    yield [by.get(frozenset((each,)), []) for each in _POWERS]


def _told(those: Sequence[_Powers], reach: Reach, *, guarded: bool) -> Finding:
    parts = [
        f"{says} by {', '.join(_named(each, label) for each in those if label in each.tools)}"
        for label, says in _POWERS.items()
    ]
    subject = "+".join(each.server for each in those)
    message = f"{reach.title}: together this {'; '.join(parts)}"
    if guarded:
        fix = "Rules in force look at what a conversation has read before something is sent."
        return finding("note", "across/toxic", subject, message, fix)
    return finding(
        "warning", "across/toxic", subject, message,
        "Have policy ask before something is sent after both were read (`flow-asks` of the safe set),"
        " or take one of the three out of reach.",
    )  # fmt: skip


def _named(powers: _Powers, label: Label) -> str:
    tools = powers.tools[label]
    named = ", ".join(f"`{powers.server}/{shown(each)}`" for each in tools[:_TOLD])
    return named if len(tools) <= _TOLD else f"{named} and {len(tools) - _TOLD} more"
