"""The Cedar schema of what policies may look at, in Cedar's JSON form.

Every tool is an action of its own, for the types of its arguments are. What is not known of arguments
has a type of which nothing can be asked, so that asking is told instead of failing in a call.

Source: docs.cedarpolicy.com, "JSON schema format".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from bawn.model import Json, Label
from bawn.policy import actions

TEXT: Final[Json] = {"type": "String"}
BOOL: Final[Json] = {"type": "Boolean"}
LONG: Final[Json] = {"type": "Long"}
DECIMAL: Final[Json] = {"type": "Extension", "name": "decimal"}
NOTHING: Final[Json] = {"type": "Record", "attributes": {}}

UNTYPED: Final = "UntypedArgument"
"""The type of arguments that have no one type."""

ITEMS: Final = ("Tool", "Prompt", "Resource", "Template", "Method")
CALLERS: Final = ("User", "Agent")
OTHERS: Final = ("Group", "Role", "Tenant", "Server")

ANY_TOOL: Final = "call SERVER/NAME"
"""Stands for the tools that are not known; no server has capitals in its id."""

_APPLIES: Final[Mapping[str, tuple[str, ...]]] = {
    "prompts/get": ("Prompt",),
    "resources/read": ("Resource", "Template"),
    "resources/subscribe": ("Resource", "Template"),
    "completion/complete": ("Prompt", "Resource", "Template"),
    "tasks/get": ("Tool",),
    "tasks/update": ("Tool",),
    "tasks/cancel": ("Tool",),
    actions.EXTENSION: ("Method",),
}
ACTIONS: Final = (actions.USE, actions.CALL, *_APPLIES)
"""The ids of all actions but those of single tools."""


def record(fields: Mapping[str, Json], required: frozenset[str] | None = None) -> Json:
    """A record of these fields; all are required where it is not said which."""
    return {
        "type": "Record",
        "attributes": {
            name: {**type_, "required": required is None or name in required}
            for name, type_ in fields.items()
        },
    }


def set_of(element: Json) -> Json:
    """A set of such elements."""
    return {"type": "Set", "element": element}


def untyped() -> Json:
    """What is not known, or of more than one type."""
    return {"type": "Entity", "name": UNTYPED}


def of(
    calls: Mapping[str, Json],
    prompts: Json = NOTHING,
    items: Collection[str] = ITEMS,
    others: Iterable[str] = (),
) -> Json:
    """The schema, with the type of the arguments of each tool's action, and that of all prompts'.

    `items` are the types that count; `others` are actions of tools that exist and do not count.
    """
    acting: dict[str, Any] = {actions.USE: {}, actions.CALL: _action(actions.USE)}
    acting |= {name: _action(actions.CALL) for name in others}
    for name, types in _APPLIES.items():
        counting = [each for each in types if each in items]
        arguments = prompts if name == "prompts/get" else NOTHING
        acting[name] = _action(actions.USE, counting, arguments)
    for name, arguments in calls.items():
        acting[name] = _action(actions.CALL, ["Tool"], arguments)
    return {"": {"entityTypes": _entities(), "actions": acting}}


def _action(group: str, resources: Sequence[str] = (), arguments: Json = NOTHING) -> Json:
    action: Json = {"memberOf": [{"id": group}]}
    if resources:
        action["appliesTo"] = {
            "principalTypes": list(CALLERS),
            "resourceTypes": list(resources),
            "context": _context(arguments),
        }
    return action


def _context(arguments: Json) -> Json:
    return record(
        {
            "method": TEXT,
            "arguments": arguments,
            "client": record({"name": TEXT, "version": TEXT}),
            "agent": TEXT,
            "endpoint": TEXT,
            "now": {"type": "Extension", "name": "datetime"},
            "hour": LONG,
            "weekday": LONG,
            "flow": record({label.value: BOOL for label in Label}),
            "risk": set_of(TEXT),
        }
    )


def _entities() -> Json:
    caller = record(
        {
            **dict.fromkeys(("subject", "issuer", "agent", "tenant"), TEXT),
            **dict.fromkeys(("roles", "scopes"), set_of(TEXT)),
        }
    )
    item = {"server": TEXT, "name": TEXT, "labels": set_of(TEXT), "allows": set_of(TEXT)}
    hints = ("readOnly", "destructive", "idempotent", "openWorld", "annotated")
    tool = {**item, **dict.fromkeys(hints, BOOL)}
    return {
        **{type_: _entity(("Group", "Role", "Tenant"), caller) for type_ in CALLERS},
        "Group": _entity(("Group", "Role")),
        "Role": _entity(("Group", "Role")),
        "Tenant": _entity(()),
        "Server": _entity(("Tenant",)),
        **{type_: _entity(("Server",), record(item)) for type_ in ITEMS},
        "Tool": _entity(("Server",), record(tool)),
        UNTYPED: _entity(()),
    }


def _entity(parents: tuple[str, ...], shape: Json = NOTHING) -> Json:
    return {"memberOfTypes": list(parents), "shape": shape}
