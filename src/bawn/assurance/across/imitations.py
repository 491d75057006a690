"""Names of one server that pass for those of another: other alphabets, and slips of the hand.

Candidates come from an index of what a name is without one of its letters; only those are compared.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, product
from typing import Final, TypeAlias

from bawn.assurance.across.offer import NAMED, Offer, finding, shown
from bawn.findings.finding import Finding
from bawn.launching.lookalike import distance, skeleton

SHORTEST: Final = 8
"""Characters of a name from which on one letter may be a slip; shorter ones differ by one for reasons."""

_PART: Final = 5  # characters of a word of a name, likewise
_LONGEST: Final = 128
_BUCKET: Final = 4  # names of one server with one letter less in common that are compared
_COMPARED: Final = 20_000
_WORDS: Final = re.compile(r"[-_./\s]+|(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS: Final = re.compile(r"[-_.\s]+")
_DIGITS: Final = re.compile(r"\d+")

_Named: TypeAlias = tuple[str, str]  # server and name


def imitations(offers: Sequence[Offer]) -> Iterator[Finding]:
    """Of servers that one caller can reach."""
    for aspect in NAMED:
        named = [
            (each.server, name) for each in offers for name in each.definitions.get(aspect, ())
        ]
        yield from _other_alphabets(named)
        yield from _slips(named)


def _other_alphabets(named: Sequence[_Named]) -> Iterator[Finding]:
    by: dict[str, list[_Named]] = defaultdict(list)
    for server, name in named:
        by[_SEPARATORS.sub("", skeleton(name[:_LONGEST]))].append((server, name))
    for those in by.values():
        odd = next((each for each in those if not each[1].isascii()), None)
        plain = next((each for each in those if odd is not None and each[0] != odd[0]), None)
        if odd is not None and plain is not None and _plain(odd[1]) != _plain(plain[1]):
            yield finding(
                "error", "across/confusable", f"{odd[0]}/{odd[1]}",
                f"`{shown(odd[1])}` of `{odd[0]}` ({ascii(odd[1])[:80]}) looks like"
                f" `{shown(plain[1])}` of `{plain[0]}`",
                "Reject it: no tool needs letters that look like others.",
            )  # fmt: skip


def _slips(named: Sequence[_Named]) -> Iterator[Finding]:
    servers: dict[str, set[str]] = defaultdict(set)
    for server, name in named:
        if SHORTEST <= len(name) <= _LONGEST:
            servers[name].add(server)
    for one, other in _near(servers):
        apart = [(a, b) for a in sorted(servers[one]) for b in sorted(servers[other]) if a != b]
        if apart and not servers[one] & servers[other]:
            a, b = apart[0]
            yield finding(
                "warning", "across/look-alike", f"{b}/{other}",
                f"`{shown(one)}` of `{a}` and `{shown(other)}` of `{b}` are one letter apart",
                "See that neither passes for the other before you approve it.",
            )  # fmt: skip


def _near(names: dict[str, set[str]]) -> Iterator[tuple[str, str]]:
    """Pairs that are one slip apart, each once."""
    index: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for name, servers in names.items():
        folded = _folded(name)
        for key in {folded, *(folded[:at] + folded[at + 1 :] for at in range(len(folded)))}:
            own = index[key].setdefault(min(servers), [])
            if len(own) < _BUCKET:  # of each server so many: none can crowd out another's
                own.append(name)
    seen: set[tuple[str, str]] = set()
    for bucket in index.values():
        for one, other in _between(bucket):
            pair = min(one, other), max(one, other)
            if pair not in seen and len(seen) < _COMPARED:
                seen.add(pair)
                if _is_slip(*pair):
                    yield pair


def _between(bucket: dict[str, list[str]]) -> Iterator[tuple[str, str]]:
    """Pairs of names of different servers."""
    for first, second in combinations(bucket.values(), 2):
        yield from product(first, second)


def _is_slip(one: str, other: str) -> bool:
    """Whether one letter of one long word differs: no number, no plural, no word of its own."""
    first, second = ([part.lower() for part in _WORDS.split(each)] for each in (one, other))
    if len(first) != len(second):
        return False
    apart = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    if len(apart) != 1:
        return False
    a, b = apart[0]
    if min(len(a), len(b)) < _PART or a.rstrip("s") == b.rstrip("s"):
        return False
    return _DIGITS.sub("", a) != _DIGITS.sub("", b) and distance(a, b, 1) == 1


def _folded(name: str) -> str:
    return _DIGITS.sub("", _SEPARATORS.sub("", name)).lower()


def _plain(name: str) -> str:
    return _SEPARATORS.sub("", name).casefold()
