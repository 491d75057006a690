"""The detector of secrets: one scan for all rules, then each place read on by what found it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Final, TypeAlias

import msgspec

from bawn.detectors.engine import Patterns
from bawn.detectors.rule import Rule, load
from bawn.detectors.secrets import assignments, notation
from bawn.detectors.secrets.checks import SURE, published, too_long
from bawn.detectors.secrets.structures import READERS, Read
from bawn.detectors.secrets.values import disorder, entropy, kinds, placeholder
from bawn.model import Detection, Surface
from bawn.ports.inspecting import Wanted

ASSIGNED: Final = "secret/assigned"
"""What only its name tells of."""

_LEAST_ENTROPY: Final = 2.2  # bits for each character; digits drawn at random have 3
_READ_ON: Final = 4096
_STRETCH: Final = 96  # characters of Base64 before a value from which on it is part of them
_ALL_KINDS: Final = 4
_BASE64: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+/")
_TOKEN: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

_TELLING: Final = "[a-z0-9_+/=.:%!-]{12}"
_GIVEN: Final = r"[^\s\"'\\,;<>()\[\]{}]{6}"
_DRAWN: Final = r"[^\s\"'\\,;<>()\[\]{}]{10}"

_Reader: TypeAlias = Callable[[str, int, int], Iterator[Read]]


class _Door(msgspec.Struct, frozen=True):
    """A pattern of the scan, its rule, and who reads on where it matches. Lower ranks go first."""

    pattern: str
    rule: Rule
    read: _Reader
    rank: int


_Scan: TypeAlias = tuple[Sequence[_Door], Patterns]


class Secrets:
    """Finds secrets in raw and decoded texts; a span is the secret alone, and no evidence shows it."""

    id = "secret"
    surfaces = frozenset(Surface)
    forms: Wanted = "raw"

    def __init__(self) -> None:
        self._scans, self.triggers = _made()

    def detect(self, text: str, surface: Surface) -> Sequence[Detection]:
        """What is found in one form of a text, in the order of `start`; no two spans overlap."""
        found: list[tuple[int, Read, Rule]] = []
        seen: set[tuple[int, int]] = set()
        for start, end, door in self._places(text):
            if (start, id(door)) in seen:
                continue
            seen.add((start, id(door)))
            found += (
                (door.rank, read, door.rule)
                for read in door.read(text, start, end)
                if not published(text[read[0] : read[1]])
            )
        return [_told(text, read, rule) for read, rule in _apart(found)]

    def named(self, name: str, value: str) -> Detection | None:
        """What a text is that stands under a name, as in `{"password": "…"}`; None for no secret."""
        if len(value) < assignments.SHORTEST or not _holds_name(name):
            return None
        sure = assignments.judged(name.rpartition("/")[2], value)
        if not sure:
            return None
        return _told(value, (0, len(value), sure), self._scans[-1][0][-1].rule)

    def _places(self, text: str) -> Iterator[tuple[int, int, _Door]]:
        """Where patterns match: of formats and structures, then of names, which can be many."""
        data = text.encode("utf-8", "surrogatepass")
        for doors, patterns in self._scans:
            offset = at = 0
            for match in patterns.find(data):
                # no match begins or ends within a character: patterns are of ASCII
                at += len(data[offset : match.start].decode("utf-8", "surrogatepass"))
                offset = match.start
                length = len(data[match.start : match.end].decode("utf-8", "surrogatepass"))
                yield at, at + length, doors[match.pattern]


@cache
def _made() -> tuple[Sequence[_Scan], Sequence[str]]:
    """What all detectors of a process share: it takes half a second to make.

    Names are a scan of their own, so that a flood of them hides nothing that is known by its format.
    """
    rules = load("secrets")
    doors = sorted((door for rule in rules for door in _doors(rule)), key=lambda door: door.rank)
    parts = [door for door in doors if door.rank < 2], [door for door in doors if door.rank >= 2]
    scans = [(part, Patterns([door.pattern for door in part])) for part in parts]
    return scans, tuple(_triggers(rules))


def _doors(rule: Rule) -> Iterator[_Door]:
    if rule.id == ASSIGNED:
        for name in assignments.NAMES:
            yield _Door(name, rule, _given, 3)
        return
    for pattern in rule.patterns:
        if rule.id in READERS:
            yield _Door(pattern, rule, READERS[rule.id], 1)
        elif notation.has_arrow(pattern):
            named = notation.named(rule, pattern)
            yield _Door(named.names, rule, _under(named), 2)
        else:
            yield _Door(pattern, rule, _format(rule), 0)


def _triggers(rules: Sequence[Rule]) -> Iterator[str]:
    names: list[str] = []
    for rule in rules:
        yield from rule.triggers
        for pattern in () if rule.triggers else rule.patterns:
            if notation.has_arrow(pattern):
                names.append(pattern.partition(" => ")[0])
            else:
                yield notation.telling(pattern)
    # a pattern for each name: one of all of them is too large
    yield from (notation.trigger(name, _TELLING) for name in sorted(set(names)))
    for name in assignments.NAMES:
        chosen = name in assignments.CHOSEN  # by people, and short
        yield notation.trigger(name, _GIVEN if chosen else _DRAWN)
    yield from (notation.said(name) for name in assignments.NAMES)


def _format(rule: Rule) -> _Reader:
    """Reads on to the end of a secret of a known format."""

    def read(text: str, start: int, end: int) -> Iterator[Read]:
        limit = min(len(text), end + _READ_ON)
        while end < limit and text[end] in _TOKEN:
            end += 1
        value = text[start:end]
        if text[start - 1 : start] == "." and text[end : end + 1] == ".":
            return  # the name of a file
        if _is_within(text, start):
            return  # chance: Base64 of a picture has every short beginning somewhere
        if too_long(rule.id, value):
            return
        if _drawn(value) and entropy(value) >= _LEAST_ENTROPY and not placeholder(value):
            yield start, end, rule.confidence

    return read


def _is_within(text: str, start: int) -> bool:
    """Whether this is amid a long stretch of Base64, parted from it by no more than `+` or `/`."""
    if text[start - 1 : start] not in ("+", "/") or start < _STRETCH:
        return False
    before = text[start - _STRETCH : start]
    return _BASE64.issuperset(before) and kinds(before) == _ALL_KINDS


def _drawn(value: str) -> bool:
    """Whether something in it, or its last part, was drawn and is no word."""
    return disorder(value) > 0 or kinds(value.rpartition("/")[2]) > 1 < value.count("/")


def _under(named: notation.Named) -> _Reader:
    """Reads the value that is given to a vendor's name."""

    def read(text: str, start: int, end: int) -> Iterator[Read]:
        given = named.value.match(text, end)
        if given is None:
            return
        value = given[1]
        drawn = disorder(value) or value.isdigit()
        if drawn and entropy(value) >= _LEAST_ENTROPY and not placeholder(value):
            yield (*given.span(1), named.rule.confidence)

    return read


def _given(text: str, start: int, end: int) -> Iterator[Read]:
    read = assignments.read(text, start, end)
    if read is not None:
        yield read


@lru_cache(maxsize=1024)
def _holds_name(name: str) -> bool:
    """Whether a field has the name of a credential; the same few name the fields of a thousand rows."""
    return bool(_NAMED.find(name.encode("utf-8", "replace")))


def _apart(found: list[tuple[int, Read, Rule]]) -> list[tuple[Read, Rule]]:
    """Of what overlaps the surest kind of rule, and the longer; in the order of the text."""
    found.sort(key=lambda each: (each[1][0], each[0], -each[1][1]))
    kept: list[tuple[int, Read, Rule]] = []
    for each in found:
        rank, (start, end, _), _ = each
        if not kept or start >= kept[-1][1][1]:
            kept.append(each)
            continue
        other, (first, last, _), _ = kept[-1]
        if (rank, start - end) < (other, first - last):
            kept[-1] = each
    return [(read, rule) for _, read, rule in kept]


def _told(text: str, read: Read, rule: Rule) -> Detection:
    start, end, sure = read
    check = SURE.get(rule.id)
    if check is not None:
        sure = 1.0 if check(text[start:end]) else 0.7
    return Detection(rule.id, rule.grave, start, end, f"{rule.id}, {end - start} characters", sure)


_NAMED: Final = Patterns(assignments.NAMES)
