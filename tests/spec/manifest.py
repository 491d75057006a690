"""The promises of MCP that concern a gateway, as data: `requirements/*.toml` on the pages of `pages.toml`.

A requirement's id is the page's code and a number that stays. Its text is in our own words. Tests
are named from here, as pytest names them; a requirement has tests, or says why we differ
(`divergence`, with the conflict; its tests pin what we do) or why it is not the gate's (`not_ours`).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tests.named import Node

FOLDER: Final = Path(__file__).parent

Strength = Literal["MUST", "MUST NOT", "SHOULD", "SHOULD NOT", "OURS"]
"""OURS: the specification is silent, and the gate promises it."""

Status = Literal["tested", "diverges", "not ours", "open"]
Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2,3}-[0-9]{2}$")]


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One promise; `side` is the gate's: as server to clients, as client to servers, or both."""

    id: Id
    strength: Strength
    side: Literal["server", "client", "both"]
    text: Annotated[str, msgspec.Meta(min_length=10, max_length=300)]
    tests: tuple[Node, ...] = ()
    divergence: str = ""
    not_ours: str = ""

    @property
    def page(self) -> str:
        """The code of the page it stands on."""
        return self.id.partition("-")[0]

    @property
    def status(self) -> Status:
        """How the promise is kept."""
        if self.divergence:
            return "diverges"
        if self.not_ours:
            return "not ours"
        return "tested" if self.tests else "open"


class Group(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file of requirements."""

    requirement: tuple[Requirement, ...]


class Pages(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The pages by code, and those that are left out with the reason."""

    pages: Mapping[str, str]
    left_out: Mapping[str, str]


def pages(path: Path = FOLDER / "pages.toml") -> Pages:
    """The known pages, in the order in which they are told."""
    return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Pages)


def requirements(folder: Path = FOLDER / "requirements") -> tuple[Requirement, ...]:
    """Every requirement, file by file.

    Raises:
        msgspec.ValidationError: a file holds something of another shape.
    """
    files = sorted(folder.glob("*.toml"))
    groups = (msgspec.convert(tomllib.loads(file.read_text("utf-8")), Group) for file in files)
    return tuple(each for group in groups for each in group.requirement)
