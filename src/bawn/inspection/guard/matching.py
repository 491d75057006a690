"""Finds the guarded place that a path leads to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import msgspec

from bawn.inspection.guard.globs import WILD, could_be, expand, is_short, literal, shortens
from bawn.inspection.guard.places import Place

Path: TypeAlias = tuple[str, ...]
"""The components of a path, folded; an absolute one begins with the empty component or `~`."""

_BELOW: Final = "**"


class _Shape(msgspec.Struct, frozen=True):
    place: Place
    parts: Path
    below: bool  # all that lies below, too


class Matcher:
    """The table, made ready: by the first component of each pattern."""

    def __init__(self, places: Iterable[Place]) -> None:
        self._all = [shape for place in places for shape in _shapes(place)]
        self._by_first: dict[str, list[_Shape]] = defaultdict(list)
        self._loose: list[_Shape] = []
        for shape in self._all:
            wild = WILD & {*shape.parts[0]}
            (self._loose if wild else self._by_first[shape.parts[0]]).append(shape)

    def find(self, path: Path) -> Place | None:
        """The place that this path names, or lies below."""
        for index, component in enumerate(path):
            for shape in self._candidates(component):
                if _leads(path[index:], shape):
                    return shape.place
        return None

    def holds(self, path: Path) -> Place | None:
        """A place below this directory, when the directory is one that is known for it (`.vscode`)."""
        if not path or not path[-1].startswith("."):
            return None
        for shape in self._all:
            if len(shape.parts) > 1 and shape.parts[0] == path[-1]:
                return shape.place
        return None

    def _candidates(self, component: str) -> Sequence[_Shape]:
        if WILD & {*component} or is_short(component):
            return self._all
        return (*self._by_first.get(component, ()), *self._loose)


def _shapes(place: Place) -> list[_Shape]:
    shapes = []
    for pattern in expand(place.pattern.casefold(), 4096):
        parts = tuple(part for part in pattern.split("/") if part)
        below = parts[-1] == _BELOW
        shapes.append(_Shape(place, parts[:-1] if below else parts, below))
    return shapes


def _leads(rest: Path, shape: _Shape) -> bool:
    """Whether the rest of a path is the shape, or lies below it."""
    count = len(shape.parts)
    if len(rest) < count or (len(rest) > count and not shape.below):
        return False
    told = 0
    for given, guarded in zip(rest, shape.parts, strict=False):
        if not _fits(given, guarded):
            return False
        told += literal(given)
    # A name that is all wildcards names everything, and nothing in particular.
    return told > 0


def _fits(given: str, guarded: str) -> bool:
    if is_short(given) and shortens(given, guarded):
        return True
    return could_be(given, guarded)
