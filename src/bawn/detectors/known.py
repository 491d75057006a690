"""Which detectors there are: each is a plugin, the built-in ones too.

A plugin is an entry point of the group `bawn.detectors`: its name is the detector's id, and what it names
is called without arguments and returns the `Detector`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from bawn.ports.inspecting import Detector

GROUP: Final = "bawn.detectors"
"""The group of entry points."""

OWN: Final = "bawn"
"""The distribution whose detectors are loaded without being named."""


class Origin(msgspec.Struct, frozen=True):
    """An entry point: the distribution that has it, in which version, and its name."""

    package: str
    version: str
    name: str

    def __str__(self) -> str:
        return f"{self.name} of {self.package}=={self.version}"


def wanted(
    origins: Iterable[Origin], plugins: Mapping[str, str], installed: Mapping[str, str]
) -> tuple[list[Origin], list[str]]:
    """The entry points to be loaded, and what is wrong.

    `plugins` and `installed` are versions by the name of a package, as the configuration has the name.
    """
    origins = tuple(origins)
    chosen = [each for each in origins if _same(each.package, OWN)]
    problems: list[str] = []
    for package, version in plugins.items():
        named = f"plugins: {package}=={version}"
        there = [each for each in origins if _same(each.package, package)]
        if package not in installed:
            problems.append(f"{named} is not installed; expected the package in this version")
        elif installed[package] != version:
            problems.append(
                f"{named} was expected, and {installed[package]} is installed; install that version, or name this one after looking at it"
            )
        elif not there:
            problems.append(f"{named} has no detectors; expected entry points of `{GROUP}`")
        else:
            chosen += (each for each in there if each not in chosen)
    return chosen, problems + _twice(chosen)


def unsound(origin: Origin, detector: object) -> list[str]:
    """What is wrong with a detector that was loaded; nothing of one that is as it should be."""
    missing = [
        name
        for name in ("id", "surfaces", "forms", "triggers", "detect")
        if not hasattr(detector, name)
    ]
    if missing:
        return [f"detector {origin} has no {', '.join(missing)}; expected a Detector"]
    id_ = str(getattr(detector, "id", ""))
    return (
        []
        if id_ == origin.name
        else [f"detector {origin} says that its id is {id_!r}; expected {origin.name!r}"]
    )


def ordered(detectors: Iterable[Detector]) -> tuple[Detector, ...]:
    """Detectors in the order of their ids, which is the same everywhere."""
    return tuple(sorted(detectors, key=lambda each: each.id))


def _twice(chosen: Iterable[Origin]) -> list[str]:
    first: dict[str, Origin] = {}
    return [
        f"detector {each} has the id of {first[each.name]}; expected one detector of each id"
        for each in chosen
        if first.setdefault(each.name, each) is not each
    ]


def _same(one: str, other: str) -> bool:
    """Whether two names are those of one distribution (PEP 503)."""
    return _plain(one) == _plain(other)


def _plain(name: str) -> str:
    return "-".join(
        part for part in name.lower().replace("_", "-").replace(".", "-").split("-") if part
    )
