"""`subscriptions/listen`: what a caller wants to be told, and the notifications that tell it.

Sources: basic/patterns/subscriptions (2026-07-28); for `taskIds` the tasks extension.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import msgspec

from bawn.errors import MESSAGE_PARAMS, Refused
from bawn.model import Json
from bawn.protocol.versions import META_SUBSCRIPTION

ACKNOWLEDGED: Final = "notifications/subscriptions/acknowledged"

_TOOLS: Final = "toolsListChanged"
_PROMPTS: Final = "promptsListChanged"
_RESOURCES: Final = "resourcesListChanged"
_URIS: Final = "resourceSubscriptions"
_TASKS: Final = "taskIds"


class Filter(msgspec.Struct, frozen=True, gc=False):
    """The kinds of notification that a stream carries, and no others.

    The flags are for the changes of a list; `uris` are resources, each named once; so are `tasks`.
    """

    tools: bool = False
    prompts: bool = False
    resources: bool = False
    uris: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()


def read(params: Json, most: int) -> Filter:
    """What a caller asks for; kinds that are not known here are left out.

    Raises:
        Refused: message.params, naming the parameter, or when it asks for more than `most` resources
            and tasks.
    """
    asked = params.get("notifications")
    if not isinstance(asked, dict):
        raise Refused(MESSAGE_PARAMS, "`notifications` must be an object")
    uris, tasks = _names(asked, _URIS, most), _names(asked, _TASKS, most)
    if len(uris) + len(tasks) > most:
        raise Refused(MESSAGE_PARAMS, f"one stream tells of {most} resources and tasks at most")
    return Filter(
        tools=_flag(asked, _TOOLS),
        prompts=_flag(asked, _PROMPTS),
        resources=_flag(asked, _RESOURCES),
        uris=uris,
        tasks=tasks,
    )


def written(filter_: Filter) -> Json:
    """A filter as `notifications` holds it: only what is asked for, or honoured."""
    made: Json = {
        name: True
        for name, wanted in (
            (_TOOLS, filter_.tools),
            (_PROMPTS, filter_.prompts),
            (_RESOURCES, filter_.resources),
        )
        if wanted
    }
    if filter_.uris:
        made[_URIS] = list(filter_.uris)
    if filter_.tasks:
        made[_TASKS] = list(filter_.tasks)
    return made


def acknowledged(filter_: Filter, id_: str | int) -> Json:
    """The first message of the stream that the request with this id opened: what is honoured."""
    return notification(ACKNOWLEDGED, {"notifications": written(filter_)}, id_)


def notification(method: str, params: Json | None, id_: str | int) -> Json:
    """A notification on the stream that the request with this id opened, whoever told it us."""
    params = params or {}
    meta = params.get("_meta")
    stamped = {**(meta if isinstance(meta, dict) else {}), META_SUBSCRIPTION: id_}
    return {"jsonrpc": "2.0", "method": method, "params": {**params, "_meta": stamped}}


def ended(id_: str | int) -> Json:
    """The result of the request that opened the stream, when the stream ends in good order."""
    return {"resultType": "complete", "_meta": {META_SUBSCRIPTION: id_}}


def whole(subscribed: Iterable[str], uri: str) -> str | None:
    """Which of these the resource is, or else the nearest of which it is a part.

    Servers may tell of either (basic/patterns/subscriptions; server/resources of 2025-11-25).
    """
    covering = [
        each for each in subscribed if each == uri or uri.startswith(each.rstrip("/") + "/")
    ]
    return max(covering, key=len, default=None)


def _flag(asked: Json, name: str) -> bool:
    value = asked.get(name)
    if value is not None and not isinstance(value, bool):
        raise Refused(MESSAGE_PARAMS, f"`notifications.{name}` must be a boolean")
    return bool(value)


def _names(asked: Json, name: str, most: int) -> tuple[str, ...]:
    value: Any = asked.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Refused(MESSAGE_PARAMS, f"`notifications.{name}` must be a list of strings")
    if len(value) > most:
        raise Refused(MESSAGE_PARAMS, f"`notifications.{name}` may have {most} entries at most")
    return tuple(dict.fromkeys(value))
