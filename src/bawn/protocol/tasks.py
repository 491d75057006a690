"""Task ids of the tasks extension: sealed handles, so that the gate remembers no task.

A handle says whose task it is, where it runs and what started it; holding one proves nothing. The
id that a caller was given stays the task's name towards that caller: sealing anew gives another.

Source: the extension io.modelcontextprotocol/tasks, specification/2026-07-28/tasks (SEP-2663).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import msgspec

from bawn.errors import TASK_UNKNOWN, Refused
from bawn.model import Json
from bawn.protocol import versions
from bawn.protocol.sealing import Sealer, Unsealed

REQUIRED: Final[Json] = {"extensions": {versions.TASKS: {}}}
"""What a caller has to declare, as `requiredCapabilities` of an error names it."""

_RELATED: Final = versions.META + "related-task"
_PURPOSE: Final = "task"


class TaskHandle(msgspec.Struct, frozen=True, gc=False):
    """A task of one caller at one server.

    `principal` is the caller's key; `kind` and `name` are the item that started it, by the server's
    own name; `task` is the server's own id; `expires` is in seconds since the epoch.
    """

    principal: str
    endpoint: str | None
    server: str
    isolation: str
    kind: str
    name: str
    task: str
    expires: float

    def serves(self, principal: str, endpoint: str | None, now: float) -> bool:
        """Whether this caller may use it here and now; policy is asked besides."""
        return self.principal == principal and self.endpoint == endpoint and now < self.expires


def seal(sealer: Sealer, task: TaskHandle) -> str:
    """The id that the caller gets for a task."""
    return sealer.seal(_PURPOSE, msgspec.to_builtins(task))


def open(sealer: Sealer, text: Any) -> TaskHandle:  # noqa: A001 - what one does with a handle
    """The task that an id names; whether it `serves` the caller is for the caller of this to ask.

    Raises:
        Refused: task.unknown, whatever the cause.
    """
    if not isinstance(text, str):
        raise Refused(TASK_UNKNOWN)
    try:
        return msgspec.convert(sealer.open(_PURPOSE, text), TaskHandle)
    except (Unsealed, msgspec.ValidationError) as error:
        raise Refused(TASK_UNKNOWN) from error


def rewritten(result: Json, ids: Callable[[str], str]) -> Json:
    """A result with its task's id replaced, and nothing else.

    The places are those of the extension: `taskId`, and that of the related task in `_meta`. What a
    finished task holds in `result` has none. What `ids` raises goes through.
    """
    made = dict(result)
    if isinstance(result.get("taskId"), str):
        made["taskId"] = ids(result["taskId"])
    meta = result.get("_meta")
    related = meta.get(_RELATED) if isinstance(meta, dict) else None
    if (
        isinstance(meta, dict)
        and isinstance(related, dict)
        and isinstance(related.get("taskId"), str)
    ):
        made["_meta"] = {**meta, _RELATED: {**related, "taskId": ids(related["taskId"])}}
    return made
