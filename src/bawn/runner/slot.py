"""The place of one child: at most one process, started by the first call, restarted with patience."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from bawn.errors import INTERNAL, UPSTREAM_NOT_STARTED, Refused
from bawn.model import Answer, Json
from bawn.runner.caller import Caller
from bawn.runner.introduce import Era
from bawn.runner.listens import Listen
from bawn.runner.pending import Deadlines

FIRST_WAIT: Final = 0.5
LONGEST_WAIT: Final = 30.0
HEALTHY: Final = 60.0
"""Seconds of life after which a child's end counts as its first."""

_log = logging.getLogger("bawn.runner")


class Running(Protocol):
    """A child as a slot needs it."""

    @property
    def alive(self) -> bool: ...
    @property
    def era(self) -> Era: ...
    @property
    def facts(self) -> Json: ...
    async def call(
        self, method: str, params: Json, deadlines: Deadlines, caller: Caller | None
    ) -> Answer: ...
    async def listen(self, listen: Listen, deadlines: Deadlines) -> Answer: ...
    def honoured(self, listen: Listen) -> Json: ...
    def answer(self, ask: str, outcome: Json) -> bool: ...
    async def stop(self, grace: float) -> None: ...


Starter: TypeAlias = Callable[[Callable[[str], None]], Awaitable[Running]]
"""Starts a child; the callback takes how it ended, should it end by itself."""


class Backoff:
    """How long to wait after an end before the next start, doubling while the ends are early."""

    def __init__(self) -> None:
        self._wait = 0.0
        self._next = 0.0

    def ended(self, now: float, lived: float) -> None:
        """A child ended by itself, or did not start (then it lived 0 seconds)."""
        again = self._wait > 0.0 and lived < HEALTHY
        self._wait = min(2 * self._wait, LONGEST_WAIT) if again else FIRST_WAIT
        self._next = now + self._wait

    def left(self, now: float) -> float:
        """Seconds until a start is allowed; 0 when it is."""
        return max(0.0, self._next - now)


class Slot:
    """One child at most, for one server and isolation key. `clock` counts seconds, monotonically.

    `account` is the principal whose processes it counts among, `directory` ends with the slot.
    """

    def __init__(
        self, name: str, starter: Starter, clock: Callable[[], float], account: str = ""
    ) -> None:
        self._name = name
        self.account = account
        self.directory: Path | None = None
        self._starter = starter
        self._clock = clock
        self._child: Running | None = None
        self._starting: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[None] | None = None
        self._failure: Refused | None = None
        self._backoff = Backoff()
        self._born = 0.0
        self._closed = False
        self.in_flight = 0
        self.idle_since = clock()
        self.calls = 0
        self.starts = 0
        self.last_error = ""

    @property
    def occupied(self) -> bool:
        """Whether there is a process, or about to be one."""
        return self._child is not None or self._starting is not None or self._stopping is not None

    @property
    def starting(self) -> bool:
        """Whether a child is about to be here."""
        return self._starting is not None

    @property
    def idle(self) -> bool:
        """Whether a child is here that does nothing at the moment."""
        return self._child is not None and not self.in_flight

    @property
    def resting(self) -> bool:
        """Whether nothing would be lost by forgetting this slot."""
        return not (self.occupied or self.in_flight or self._backoff.left(self._clock()))

    @property
    def facts(self) -> Json:
        """What `bawn status` shows."""
        shown: Json = {
            "calls": self.calls,
            "restarts": max(0, self.starts - 1),
            "last_error": self.last_error,
        }
        return {**shown, **self._child.facts} if self._child is not None else shown

    async def call(
        self, method: str, params: Json, deadlines: Deadlines, caller: Caller | None
    ) -> Answer:
        """One call to the child, which is started first if need be.

        Raises:
            Refused: an upstream.* reason.
        """
        self.in_flight += 1
        self.calls += 1
        try:
            child = self._child
            if child is None or not child.alive:
                child = await self._ready()
            return await child.call(method, params, deadlines, caller)
        finally:
            self.in_flight -= 1
            self.idle_since = self._clock()

    async def listen(self, listen: Listen, deadlines: Deadlines, *, keeps: bool) -> Answer:
        """One stream of notifications of the child, which is not idle meanwhile if this `keeps` it.

        Raises:
            Refused: an upstream.* reason.
        """
        self.in_flight += keeps
        try:
            return await (await self.child()).listen(listen, deadlines)
        finally:
            self.in_flight -= keeps
            self.idle_since = self._clock() if keeps else self.idle_since

    async def child(self) -> Running:
        """The child, which is started first if need be.

        Raises:
            Refused: an upstream.* reason.
        """
        child = self._child
        return child if child is not None and child.alive else await self._ready()

    def answer(self, ask: str, outcome: Json) -> bool:
        """Bring an answer to the child; False when it did not ask this."""
        return self._child is not None and self._child.answer(ask, outcome)

    def stop(self, grace: float) -> asyncio.Task[None] | None:
        """Begin to end the child, if there is one; the slot stays usable. The task never raises."""
        if self._child is not None:
            child, self._child = self._child, None
            self._stopping = asyncio.create_task(self._stop(child, grace))
        return self._stopping

    async def close(self, grace: float) -> None:
        """End whatever runs or starts here, for good. Never raises."""
        self._closed = True
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.wait({self._starting})
        self.stop(grace)
        if self._stopping is not None:
            await asyncio.wait({self._stopping})

    async def _ready(self) -> Running:
        if self._child is not None:
            self._ended(self.starts, "its standard input or output was closed")
        if self._starting is None:
            self._may_start()
            # a task of the slot's own: the caller who came first may leave, the others still wait
            self._starting = asyncio.create_task(self._start())
        await asyncio.wait({self._starting})
        if self._child is not None:
            return self._child
        if self._failure is None:
            raise Refused(UPSTREAM_NOT_STARTED, detail=self.last_error or "it was stopped")
        raise Refused(self._failure.reason, detail=self._failure.detail)

    def _may_start(self) -> None:
        if self._closed:
            raise Refused(UPSTREAM_NOT_STARTED, detail="the server is being stopped")
        left = self._backoff.left(self._clock())
        if left:
            detail = f"{self.last_error}; the next start is allowed in {left:.1f} s"
            raise Refused(UPSTREAM_NOT_STARTED, detail=detail)

    async def _start(self) -> None:
        self._failure = None
        try:
            if self._stopping is not None:
                await asyncio.wait({self._stopping})
            self.starts += 1
            self._born = self._clock()
            self._child = await self._starter(partial(self._ended, self.starts))
            facts = self._child.facts
            spoken = f"{facts['era']}, {facts['version']}"
            _log.info("server %s: started, process %d (%s)", self._name, facts["pid"], spoken)
        except Refused as refused:
            self._failed(refused)
        except Exception:  # noqa: BLE001 - a defect of ours must not leave the callers waiting
            _log.exception("server %s: the start failed inside bawn", self._name)
            self._failed(Refused(INTERNAL, detail="the start failed inside bawn"))
        finally:
            self._starting = None

    def _failed(self, refused: Refused) -> None:
        self._failure = refused
        self.last_error = refused.detail
        self._backoff.ended(self._clock(), lived=0.0)
        _log.warning("server %s: not started: %s", self._name, refused.detail)

    def _ended(self, start: int, how: str) -> None:
        if self._child is None or start != self.starts:
            return  # it was stopped, or known to be dying
        self._child = None
        self.last_error = how
        now = self._clock()
        self._backoff.ended(now, lived=now - self._born)
        _log.warning("server %s: %s", self._name, how)

    async def _stop(self, child: Running, grace: float) -> None:
        try:
            await child.stop(grace)
            _log.info("server %s: stopped", self._name)
        finally:
            self._stopping = None
