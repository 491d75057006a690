"""A call in flight: its answer to be, and the clock that runs while its server works on it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from bawn.errors import UPSTREAM_FIRST_BYTE, UPSTREAM_TOTAL, Reason, Refused
from bawn.model import Answer, Json
from bawn.runner.caller import Caller

LISTEN: Final = "subscriptions/listen"


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds a call may take until the server first answers anything, and in all."""

    first_byte: float
    total: float


class Pending:
    """One request that was sent. While its caller is asked something, its time does not pass."""

    __slots__ = (
        "_began",
        "_deadlines",
        "_late",
        "_loop",
        "_stood",
        "_timer",
        "answered",
        "asks",
        "caller",
        "cancellable",
        "heard",
        "id",
        "listens",
        "method",
        "token",
    )

    def __init__(self, id_: int, method: str, caller: Caller | None, *, cancellable: bool) -> None:
        self._loop = asyncio.get_running_loop()
        self.id = id_
        self.method = method
        self.caller = caller
        self.cancellable = cancellable
        self.listens = method == LISTEN
        self.answered: asyncio.Future[Answer] = self._loop.create_future()
        self.token: Any = None
        self.heard = False
        self.asks = 0  # what its caller is being asked
        self._stood = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def watch(self, deadlines: Deadlines, late: TooLate) -> None:
        """Call `late` when a deadline passes before the answer is here."""
        self._deadlines, self._late = deadlines, late
        self._began = self._loop.time()
        wait = min(deadlines.first_byte, deadlines.total)
        self._timer = self._loop.call_later(wait, self._look)

    def unwatch(self) -> None:
        """No deadline counts any more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def ask(self) -> None:
        """Its caller is asked something: until that is settled, the clock stands."""
        self.asks += 1
        self.heard = True
        if self.asks == 1:
            self._stood = self._loop.time()
            self.unwatch()

    def settle(self) -> None:
        """Something that its caller was asked is answered, or void."""
        self.asks -= 1
        if not self.asks:
            self._began += self._loop.time() - self._stood
            self._timer = self._loop.call_later(max(0.0, self._left()), self._look)

    def fail(self, reason: Reason, detail: str) -> None:
        """End it with a refusal, unless it has its answer."""
        if not self.answered.done():
            self.answered.set_exception(Refused(reason, detail=detail))

    def with_token(self, params: Json) -> Json:
        """The params with a progress token of ours in place of the caller's, if there is one."""
        meta = params.get("_meta")
        if not isinstance(meta, dict) or "progressToken" not in meta:
            return params
        self.token = meta["progressToken"]
        return {**params, "_meta": {**meta, "progressToken": self.id}}

    def _left(self) -> float:
        return self._began + self._deadlines.total - self._loop.time()

    def _look(self) -> None:
        if self.answered.done():
            return
        left = self._left()
        if self.heard and left > 0:
            self._timer = self._loop.call_later(left, self._look)
            return
        reason = UPSTREAM_TOTAL if left <= 0 else UPSTREAM_FIRST_BYTE
        spent = self._loop.time() - self._began
        self._late(self, reason, f"no answer after {spent:.1f} s")


TooLate: TypeAlias = Callable[[Pending, Reason, str], None]
