"""What is learned from: the units of definitions as the gate sees them, with what they are."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Final
from zlib import crc32

from bawn.detectors.definitions.units import Unit, Vocabulary, units
from bawn.detectors.definitions.walk import walk
from bawn.detectors.linear import features
from training.corpus import Json, rows
from training.definitions.graft import SURFACES, graft
from training.definitions.honest import Plain
from training.definitions.own import Own
from training.definitions.poison import Passage, Writer

BITS: Final = 17
_NAMES: Final = frozenset(("param_name",))
_HONEST: Final = tuple(
    surface
    for surface, often in {
        "description": 34, "param_description": 16, "param_name": 16, "default": 5, "examples": 5,
        "enum": 5, "title": 8, "output_schema": 2, "annotations": 2, "tool": 4, "instructions": 3,
    }.items()
    for _ in range(often)
)  # fmt: skip
"""Where honest texts of our own stand. Instructions have many orders: too many would make them look honest."""

_VALUES: Final = {
    "default": "defaults", "examples": "examples", "enum": "choices", "annotations": "annotations",
    "output_schema": "outputs",
}  # fmt: skip
_INSTRUCTED: Final = 0.7  # of poison in instructions that stands among honest ones
_WHOLE: Final = frozenset(("tool", "instructions"))
_MOSTLY: Final = 0.6  # of a unit's characters that are poison


@dataclass(frozen=True, slots=True)
class Sample:
    """One definition: the places of the features of its units, and by what it is left out in measuring."""

    places: tuple[array[int], ...]
    groups: tuple[str, ...]  # of thresholds
    poison: bool
    group: str
    surface: str
    style: str
    texts: tuple[str, ...]


def benign(corpus: Path) -> Iterator[Sample]:
    """The real tools that are not held back."""
    for row in rows(corpus, "benign_tools/benign_tools"):
        if not row.held:
            yield sampled(row.value["tool"], False, str(row.value["server"]))


def grafted(corpus: Path) -> Iterator[Sample]:
    """Poisoned tools by another author, that are not held back: all units, poison or not."""
    for row in rows(corpus, "poisoned_tools/grafted"):
        if not row.held:
            surface, _, style = str(row.value["technique"]).partition("/")
            yield sampled(row.value["tool"], True, "grafted", surface, style)


def written(tools: Sequence[Json], seed: int, count: int) -> Iterator[Sample]:
    """Poison of our own in real tools; units of the poison alone."""
    chance = Random(seed)  # noqa: S311 - for variety, and no secret
    writer, own = Writer(seed), Own(seed)
    prose, names = writer.passages(count), writer.names(count)
    for _ in range(count):
        surface = chance.choice(SURFACES)
        passage = next(names) if surface in _NAMES else next(prose)
        among = tools
        if surface == "instructions" and chance.random() < _INSTRUCTED:
            among = ({"description": own.instructions()[0]},)
        yield _placed(among, surface, passage, chance)


def honest(tools: Sequence[Json], seed: int, count: int) -> Iterator[Sample]:
    """Honest texts of our own that look like poison, in real tools."""
    chance = Random(seed)  # noqa: S311 - for variety, and no secret
    plain, own = Plain(seed), Own(seed)
    names = plain.names()
    for turn in range(count):
        surface = _HONEST[turn % len(_HONEST)]
        if surface in _WHOLE:
            yield _whole(surface, own)
            continue
        tool = chance.choice(tools)
        if surface in _NAMES:
            text, group = next(names)
        elif surface in _VALUES:
            text, group = plain.value(_VALUES[surface], tool)
        else:
            text, group = own.title(tool) if surface == "title" else plain.sentence(tool)
        placed = _placed([tool], surface, Passage(text, group, "honest", ""), chance)
        yield replace(placed, poison=False, group=group)


def _whole(surface: str, own: Own) -> Sample:
    """A definition of our own, with all its units."""
    if surface == "tool":
        tool, group = own.tool()
        return _sample(_units(tool, "tool"), False, group, surface, "honest")
    text, group = own.instructions()
    return _sample(_units({"text": text}, surface), False, group, surface, "honest")


def _placed(tools: Sequence[Json], surface: str, passage: Passage, chance: Random) -> Sample:
    tool, whole = graft(chance.choice(tools), surface, passage.text, chance)
    aspect = surface if surface in {"instructions", "prompt"} else "tool"
    body = (passage.core or passage.text).rstrip(".")[1:]
    first = whole.find(body)
    last = first + len(body)
    found = [
        each
        for each in _units(tool, aspect)
        if each.text.text == whole and _within(each, first, last)
    ]
    return _sample(found, True, passage.family, surface, passage.style)


def _within(unit: Unit, first: int, last: int) -> bool:
    common = min(unit.end, last) - max(unit.start, first)
    return common > _MOSTLY * (unit.end - unit.start)


def sampled(tool: Json, poison: bool, group: str, surface: str = "", style: str = "") -> Sample:
    """A definition with all its units."""
    return _sample(_units(tool, "tool"), poison, group, surface, style)


def _units(tool: Json, aspect: str) -> list[Unit]:
    texts = list(walk(tool, aspect))
    return list(units(texts, Vocabulary(texts)))


def _sample(found: Sequence[Unit], poison: bool, group: str, surface: str, style: str) -> Sample:
    mask = (1 << BITS) - 1
    places = tuple(
        array("i", {crc32(each.encode()) & mask for each in features(unit.folded, unit.context)})
        for unit in found
    )
    groups = tuple(unit.group for unit in found)
    return Sample(
        places, groups, poison, group, surface, style, tuple(unit.folded for unit in found)
    )
