"""`completion/complete`: whose argument is to be completed, and how much a server may suggest.

Source: server/utilities/completion (2026-07-28).
"""

from __future__ import annotations

from typing import Any, Final

from bawn.errors import MESSAGE_PARAMS, UPSTREAM_INVALID, Refused
from bawn.model import Json, Kind

MOST: Final = 100
"""Values of one answer, by the specification."""

_REFERENCES: Final = {
    "ref/prompt": (Kind.PROMPT, "name"),
    "ref/resource": (Kind.TEMPLATE, "uri"),
}


def target(params: Json) -> tuple[Kind, str]:
    """What the argument belongs to: a prompt's name, or a URI template (or the URI of a resource).

    Raises:
        Refused: message.params, naming the parameter.
    """
    ref, argument = params.get("ref"), params.get("argument")
    if not isinstance(ref, dict):
        raise Refused(MESSAGE_PARAMS, "`ref` must be an object")
    known = _REFERENCES.get(ref["type"]) if isinstance(ref.get("type"), str) else None
    if known is None:
        raise Refused(MESSAGE_PARAMS, "`ref.type` must be ref/prompt or ref/resource")
    kind, member = known
    name = ref.get(member)
    if not isinstance(name, str):
        raise Refused(MESSAGE_PARAMS, f"`ref.{member}` must be a string")
    if not isinstance(argument, dict) or not _texts(argument.get("name"), argument.get("value")):
        raise Refused(MESSAGE_PARAMS, "`argument` must have a `name` and a `value`, both strings")
    _check_context(params.get("context"))
    return kind, name


def renamed(params: Json, name: str) -> Json:
    """The same params, after `target` has accepted them, for what has this name."""
    ref = params["ref"]
    _, member = _REFERENCES[ref["type"]]
    return {**params, "ref": {**ref, member: name}}


def bounded(result: Json) -> Json:
    """The result with no more values than the protocol allows; `hasMore` says that some were cut.

    Raises:
        Refused: upstream.invalid when it holds no values.
    """
    completion = result.get("completion")
    values = completion.get("values") if isinstance(completion, dict) else None
    if not isinstance(completion, dict) or not isinstance(values, list) or not _texts(*values):
        raise Refused(UPSTREAM_INVALID, detail="`completion.values` is not a list of strings")
    if len(values) <= MOST:
        return result
    return {**result, "completion": {**completion, "values": values[:MOST], "hasMore": True}}


def _check_context(context: Any) -> None:
    if context is None:
        return
    arguments = context.get("arguments") if isinstance(context, dict) else context
    if arguments is None:
        return
    if not isinstance(arguments, dict) or not _texts(*arguments.values()):
        raise Refused(MESSAGE_PARAMS, "`context.arguments` must map names to strings")


def _texts(*values: Any) -> bool:
    return all(isinstance(value, str) for value in values)
