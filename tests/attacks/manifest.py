"""What may go wrong with a gateway, what bawn does about it, and the tests that show it: `coverage/*.toml`.

A file is one list of threats, somebody else's or our own. A threat that something is done about names its
tests; one of which something is left open says what (`lacks`). docs/threat-model.md is made of it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tests.named import Node

FOLDER: Final = Path(__file__).parent / "coverage"
ORDER: Final = ("attacks", "controls", "owasp", "cosai", "practices", "mission")
"""The files, in the order in which they are told."""

Does = Literal["prevents", "detects", "contains"]
"""Prevents: it does not happen. Detects: at a rate that is measured. Contains: it may happen, and what
it can do is bounded by policy."""

Id = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{1,31}$")]
Sentence = Annotated[str, msgspec.Meta(min_length=10, max_length=400)]


class Threat(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One threat; `text` says what bawn does, and `lacks` what it does not or not yet."""

    id: Id
    title: Annotated[str, msgspec.Meta(min_length=4, max_length=120)]
    does: tuple[Does, ...] = ()
    text: Sentence | Literal[""] = ""
    lacks: Sentence | Literal[""] = ""
    tests: tuple[Node, ...] = ()

    @property
    def status(self) -> str:
        """What is done about it, in a few words."""
        if not self.does:
            return "not covered"
        return ", ".join(self.does) + (" (in part)" if self.lacks else "")


class Threats(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One file. Where it is `running`, each threat has a test against gates that really run."""

    title: Annotated[str, msgspec.Meta(min_length=4)]
    about: Annotated[str, msgspec.Meta(min_length=10)]
    threat: tuple[Threat, ...]
    running: bool = False


def coverage(folder: Path = FOLDER) -> tuple[Threats, ...]:
    """All lists of threats, in their order.

    Raises:
        msgspec.ValidationError: a file holds something of another shape.
    """
    files = (folder / f"{name}.toml" for name in ORDER)
    return tuple(msgspec.convert(tomllib.loads(file.read_text("utf-8")), Threats) for file in files)
