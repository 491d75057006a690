"""Measures tracks: each row is shown to the gate, and what it says is counted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from time import perf_counter
from typing import Final, Literal, TypeAlias

import msgspec

from bawn.assurance.measuring.disguised import disguises
from bawn.assurance.measuring.rows import Row, find, read
from bawn.assurance.measuring.subject import Subject, size
from bawn.assurance.measuring.wilson import Share
from bawn.errors import Misconfigured

TRACKS: Final[Mapping[str, tuple[str, ...]]] = {
    "tools": ("tool",),
    "outputs": ("text",),
    "arguments": ("schema", "arguments"),
    "launch": ("config",),
    "secrets": ("text",),
    "drift": ("before", "after"),
}
"""The members in which rows of each track have what is measured."""

Group: TypeAlias = Literal["kind", "surface", "style"]
Progress: TypeAlias = Callable[[str, int, int], None]
"""Is told of a track, how many rows are done, and of how many."""

_GROUPS: Final[tuple[Group, ...]] = ("kind", "surface", "style")
_EVERY: Final = 25  # rows between two words of progress
_KB: Final = 1024


class Miss(msgspec.Struct, frozen=True):
    """A row about which the gate was wrong: an attack that was not flagged, or something benign that was."""

    row: Row
    rules: tuple[str, ...]


class Counts(msgspec.Struct, frozen=True):
    """Of some rows: how many attacks were caught, and how much that is benign was flagged."""

    caught: Share
    flagged: Share


class Figures(msgspec.Struct, frozen=True):
    """What one track comes to. `latency` is in microseconds per KB: the median and the 99th percentile."""

    track: str
    digest: str
    all: Counts
    by: Mapping[Group, Mapping[str, Counts]]
    transforms: Mapping[str, Share]
    latency: tuple[float, float]
    misses: tuple[Miss, ...]


class Dataset(msgspec.Struct, frozen=True):
    """The rows of one track."""

    track: str
    rows: tuple[Row, ...]
    digest: str


def datasets(directory: Path) -> tuple[Dataset, ...]:
    """The tracks whose file is in a directory.

    Raises:
        Misconfigured: there is none, or a line of one is no row of it.
    """
    found: list[Dataset] = []
    problems: list[str] = []
    for track, payload in TRACKS.items():
        path = find(directory, track)
        if path is None:
            continue
        try:
            rows = read(path, payload)
        except Misconfigured as error:
            problems += error.problems
        else:
            found.append(Dataset(track, rows.found, rows.digest))
    if problems:
        raise Misconfigured(*problems)
    if not found:
        names = ", ".join(f"{track}.jsonl" for track in TRACKS)
        raise Misconfigured(f"{directory}: no track is there; expected one or more of {names}")
    return tuple(found)


def measured(subject: Subject, data: Dataset, transforms: bool, progress: Progress) -> Figures:
    """What the gate says of a track, with each attack in every disguise unless not `transforms`."""
    look = subject.looks[data.track]
    verdicts: list[tuple[Row, tuple[str, ...]]] = []
    disguised: dict[str, Share] = {}
    spent: list[float] = []
    for number, row in enumerate(data.rows):
        if number % _EVERY == 0:
            progress(data.track, number, len(data.rows))
        subject.prepare(data.track)
        rules = look(row)
        verdicts.append((row, rules))
        spent.append(_timed(lambda row=row: look(row)) / max(1.0, size(row) / _KB))  # type: ignore[misc]  # bound at once
        if transforms and row.label == "attack":
            for name, other in disguises(data.track, row):
                share = Share(int(bool(look(other))), 1)
                disguised[name] = disguised.get(name, Share(0, 0)) + share
    progress(data.track, len(data.rows), len(data.rows))
    return figures(data, verdicts, disguised, spent)


def figures(
    data: Dataset,
    verdicts: Iterable[tuple[Row, tuple[str, ...]]],
    transforms: Mapping[str, Share],
    spent: Iterable[float],
) -> Figures:
    """Counts verdicts: for each row, the rules by which it was flagged."""
    verdicts = tuple(verdicts)
    by: dict[Group, Mapping[str, Counts]] = {}
    for group in _GROUPS:
        names = sorted({str(getattr(row, group)) for row, _ in verdicts if getattr(row, group)})
        by[group] = {
            name: _counts(each for each in verdicts if getattr(each[0], group) == name)
            for name in names
        }
    misses = (Miss(row, rules) for row, rules in verdicts if (row.label == "attack") != bool(rules))
    slow = sorted(spent)
    latency = (_at(slow, 0.5), _at(slow, 0.99))
    return Figures(
        data.track, data.digest, _counts(verdicts), by, transforms, latency, tuple(misses)
    )


def _counts(verdicts: Iterable[tuple[Row, tuple[str, ...]]]) -> Counts:
    said = [(row.label == "attack", bool(rules)) for row, rules in verdicts]
    attacks = [flagged for attack, flagged in said if attack]
    benign = [flagged for attack, flagged in said if not attack]
    return Counts(Share(sum(attacks), len(attacks)), Share(sum(benign), len(benign)))


def _timed(look: Callable[[], object]) -> float:
    """Microseconds of a second look, when everything that is made once is there."""
    began = perf_counter()
    look()
    return (perf_counter() - began) * 1e6


def _at(ordered: list[float], part: float) -> float:
    return ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0
