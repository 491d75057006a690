"""Which child a call is for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from bawn.model import Json


class Key(NamedTuple):
    """Whose child it is. `project` counts where `isolation: project` makes it the directory:
    then it is part of the key, so that no caller ever runs in the project of another. `offers` names
    what a legacy child was offered; what a child keeps on disk is the same whatever it was.
    """

    server: str
    isolation: str
    project: str | None
    offers: str = ""

    @property
    def bare(self) -> Key:
        """Whose child it is, whatever it was offered."""
        return self._replace(offers="")


@dataclass(slots=True, eq=False)
class Place:
    """Where a slot stands, and what a legacy child in it is offered."""

    key: Key
    offers: Json
