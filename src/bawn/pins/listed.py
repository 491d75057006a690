"""What a server lists, as far as it is pinned: which item a definition is of, and its digest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from bawn.model import Json, Kind
from bawn.pins.record import Aspect, Key

ASPECTS: Final[Mapping[Kind, Aspect]] = {
    Kind.TOOL: "tool",
    Kind.PROMPT: "prompt",
    Kind.TEMPLATE: "template",
}
"""The kinds that are pinned, each item by itself."""

INSTRUCTIONS: Final[Key] = ("instructions", "")
LAUNCH: Final[Key] = ("launch", "")

_NAMED: Final[Mapping[Aspect, str]] = {"tool": "name", "prompt": "name", "template": "uriTemplate"}


class Listed(NamedTuple):
    """A definition as it is listed. `digest` is empty for one that has none: it can never be approved."""

    aspect: Aspect
    name: str
    digest: str
    definition: Json

    @property
    def key(self) -> Key:
        """What it is a definition of."""
        return self.aspect, self.name


def name_of(aspect: Aspect, definition: Json) -> str | None:
    """The name under which a definition is pinned; None for one that has no usable name."""
    member = _NAMED.get(aspect)
    if member is None:
        return ""
    name = definition.get(member)
    return name if isinstance(name, str) and name else None
