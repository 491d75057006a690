"""The actions of Cedar policies, from the methods of the protocol.

Every tool is an action of its own, so that its arguments have types in policies: `call SERVER/NAME`,
within `tools/call`. Other kinds have one action each. What only accompanies a use (completing an
argument, subscribing, following a task) is an action as well, and needs the use to be allowed, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from bawn.model import Item, Kind

USE: Final = "use"
"""The group of all actions."""

CALL: Final = "tools/call"
"""The group of the actions that call one tool each."""

EXTENSION: Final = "extension"
"""Any method that an extension brings."""

MAIN: Final[Mapping[Kind, str]] = {
    Kind.TOOL: CALL,
    Kind.PROMPT: "prompts/get",
    Kind.RESOURCE: "resources/read",
    Kind.TEMPLATE: "resources/read",
    Kind.METHOD: EXTENSION,
}
"""What using an item of each kind is; for tools the group of it."""

ACCOMPANYING: Final = frozenset(
    {"completion/complete", "resources/subscribe", "tasks/get", "tasks/update", "tasks/cancel"}
)
"""Actions that need the item's main action to be allowed as well."""


def main(item: Item) -> str:
    """The id of the action that using this item is."""
    return f"call {item.server}/{item.name}" if item.kind is Kind.TOOL else MAIN[item.kind]


def groups(action: str) -> tuple[str, ...]:
    """The groups that an action is directly in."""
    return (CALL,) if action.startswith("call ") else (USE,)


@lru_cache(64)
def accompanying(method: str) -> str | None:
    """The action of a method that only accompanies a use; None when the method is the use itself.

    A stream that is opened to hear of resources subscribes to them.
    """
    if method in {"subscriptions/listen", "resources/unsubscribe"}:
        return "resources/subscribe"
    return method if method in ACCOMPANYING else None
