"""Calls under way that a notification may cancel: those of legacy clients.

Modern clients cancel by going away, which the transport sees.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from typing import Any, Final, TypeAlias

from bawn.model import Call
from bawn.policy.isolation import account

_REMEMBERED: Final = 4096

_Named: TypeAlias = tuple[str, str | None, str | None, str | int]
"""Whose call, at which endpoint, in which session, under which id."""


class Flight:
    """Knows the task of each legacy call."""

    def __init__(self) -> None:
        self._running: dict[_Named, asyncio.Task[Any]] = {}
        self._passed: OrderedDict[_Named, int] = OrderedDict()
        self._cancelled: set[asyncio.Task[Any]] = set()

    def begin(self, call: Call) -> asyncio.Task[Any] | None:
        """Remember the task that runs now: a notification that names all of this may cancel it."""
        task = asyncio.current_task()
        if task is not None:
            self._running[_named(call)] = task
        return task

    def over(self, call: Call, task: asyncio.Task[Any] | None) -> None:
        """Forget it."""
        named = _named(call)
        # a second call of the same id may have taken the place
        if task is not None and self._running.get(named) is task:
            del self._running[named]

    def passed(self, call: Call, slot: int) -> None:
        """Remember that the worker in this slot answers a call."""
        self._passed[_named(call)] = slot
        if len(self._passed) > _REMEMBERED:
            self._passed.popitem(last=False)

    def cancel(
        self, whose: str, endpoint: str | None, session: str | None, id_: str | int
    ) -> int | None:
        """Cancel the call of this id, if it is under way here; else the slot where it may be."""
        named = (whose, endpoint, session, id_)
        task = self._running.pop(named, None)
        if task is None:
            return self._passed.pop(named, None)
        self._cancelled.add(task)
        task.cancel()
        return None

    def end(self, whose: str, endpoint: str | None, session: str) -> None:
        """Cancel all calls of a session: nobody can be asked or told there any more."""
        for named in [named for named in self._running if named[:3] == (whose, endpoint, session)]:
            self.cancel(*named)

    def was_cancelled(self) -> bool:
        """Whether `cancel` cancelled this task; else the transport did, since the caller is gone."""
        task = asyncio.current_task()
        if task is None or task not in self._cancelled:
            return False
        self._cancelled.discard(task)
        task.uncancel()
        return True


def _named(call: Call) -> _Named:
    return account(call.principal), call.endpoint, call.session, call.id
