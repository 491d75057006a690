"""The names of Cedar entities."""

from __future__ import annotations

from typing import NamedTuple

from bawn.model import Json


class Uid(NamedTuple):
    """The name of an entity."""

    type: str
    id: str


def uid(written: Json) -> Uid:
    """The name that Cedar's JSON form writes, with `__entity` around it or without."""
    named = written.get("__entity", written)
    return Uid(named["type"], named["id"])
