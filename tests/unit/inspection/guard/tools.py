"""A guard, and tools to call."""

from __future__ import annotations

from typing import Any, Final

from bawn.inspection.guard.guard import Guard
from bawn.model import Item, Kind

GUARD: Final = Guard("/home/u", ("/home/u/proj",), ("/srv/gate/state",))


def tool(name: str, **definition: Any) -> Item:
    """A tool of this name, of which nothing else is known."""
    return Item(Kind.TOOL, "s", name, name, definition)


def rules(name: str, arguments: dict[str, Any], **definition: Any) -> list[str]:
    """The rules under which a call is held."""
    return [found.rule for _, found in GUARD.check(tool(name, **definition), arguments)]
