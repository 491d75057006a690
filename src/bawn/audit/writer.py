"""The audit's writer: an intent is in the file before its call leaves, or the call does not leave.

`normal`: one write(2) for each intent. Its record outlives this process, killed or not; a power loss
may take the last seconds. `strict`: the call also waits, by `durable`, until its intent outlives a
power loss. Outcomes and refusals ride with the next write, at most FLUSH seconds later.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Awaitable, Callable
from secrets import token_hex
from typing import Final, Literal

from bawn.audit.commit import Committer
from bawn.audit.describe import Describer
from bawn.audit.entries import (
    VERSION,
    Close,
    Dropped,
    Segment,
    hash_of,
    line_of,
    quoted,
    write_of,
)
from bawn.audit.recover import recover
from bawn.audit.segment import SegmentFile, ShortWrite, begin_of, heads, name_of, segments
from bawn.audit.subjects import Subjects
from bawn.errors import AUDIT_UNAVAILABLE, Refused
from bawn.model import Call, Decision, Item, Json, Principal
from bawn.storage import StateDirectory

FLUSH: Final = 0.005  # seconds
LOOK: Final = 1_000_000_000  # nanoseconds between looks whether the segment is still there
RETRY: Final = 1.0  # seconds, after a write failed
MAX_PENDING: Final = 10_000
"""Records that wait in memory while nothing can be written; later ones are counted and dropped."""
ROTATE: Final = 64 << 20  # bytes

Schedule = Callable[[float, Callable[[], None]], object]
"""Calls back once after so many seconds, as `call_later` of an event loop does."""

log = logging.getLogger("bawn.audit")


class Writer:
    """`ports.Audit` over segments of one process. Not for use from several threads.

    First it ends the segments of writers that died, and then follows on all that have ended. Without `schedule`, outcomes and refusals wait for the next intent, `flush` or `close`.

    Raises:
        Misconfigured: the keys of the state directory cannot be used.
        Refused: audit.unavailable, for no segment can be begun.
    """

    def __init__(
        self,
        state: StateDirectory,
        durability: Literal["normal", "strict"] = "normal",
        *,
        clock: Callable[[], int] = time.time_ns,
        schedule: Schedule | None = None,
        rotate: int = ROTATE,
    ) -> None:
        self._directory = state.audit
        self._strict = durability == "strict"
        self._clock = clock
        self._schedule = schedule
        self._rotate = rotate
        self._commit = Committer(self._not_durable)
        self._describe = Describer(state, Subjects(state.subjects, self._commit.key))
        self._id = token_hex(4)
        self._number = 0  # of the next segment
        self._intents = 1  # the number of the next intent
        self._prev = ""
        self._looked = 0
        self._pending: list[str] = []
        self._lost = 0  # records that could not be kept, and were not owned up to yet
        self._armed = False
        self._closed = False
        self._segment: SegmentFile | None = None
        self.records = 0
        """Records written since the start; a context and the intent after it count as one."""
        self.failures = 0
        """Writes that failed, and records dropped, since the start."""
        self.healthy = True
        """Whether the last write went well."""
        try:
            recover(self._directory, clock)
            self._after = heads(self._directory)
            self._segment = self._begin()
        except OSError as problem:
            raise self._unavailable(problem) from problem

    def intent(self, call: Call, item: Item, decision: Decision) -> int:
        """Append that this call is about to leave; returns the intent's number.

        Raises:
            Refused: audit.unavailable, and then the call must not leave.
        """
        try:
            at, number = self._clock(), self._intents
            self._intents = number + 1
            segment = self._segment
            if segment is None or segment.size >= self._rotate or not 0 <= at - self._looked < LOOK:
                segment = self._current(at)  # before the line is made: a new one has no contexts
            self._write(segment, self._describe.intent(call, item, decision, at, number))
        except Exception as problem:
            self._describe.lost()
            raise self._unavailable(problem) from problem
        return number

    def durable(self, intent: int) -> Awaitable[None] | None:
        """What to wait for until this intent, the last one appended, outlives what it has to; None: nothing.

        Raises:
            Refused: audit.unavailable, here or when awaited, and then the call must not leave.
        """
        if not self._strict:
            return None
        try:
            if self._segment is None:
                raise OSError(f"the segment of intent {intent} was given up")
            return self._commit.durable(self._segment)
        except Exception as problem:
            raise self._unavailable(problem) from problem

    def outcome(self, intent: int, trace: str, status: str, seconds: float, size: int) -> None:
        """Append how an intent ended: `ok`, `error`, `cancelled` or a reason id. Never raises."""
        try:
            if not trace.isalnum():  # so that it needs no escaping
                raise ValueError("the trace is not a trace-id")
            self._later(
                f'"kind":"outcome","at":{self._clock()},"intent":{intent},"trace":"{trace}",'
                f'"status":{quoted(status)},"duration_us":{int(seconds * 1e6)},"size":{size}}}\n'
            )
        except Exception as problem:  # noqa: BLE001  # the call is over: nothing left to refuse
            self._drop(problem)

    def refusal(self, call: Call, reason: str, detail: str) -> None:
        """Append that a call was refused before it left. Never raises."""
        try:
            self._later(line_of(self._describe.refusal(call, reason, detail, self._clock())))
        except Exception as problem:  # noqa: BLE001  # the call is refused already
            self._drop(problem)

    def event(self, principal: Principal, what: str, trace: str, detail: Json) -> None:
        """Append what somebody did that is no call; with `strict`, it is on the disk on return.

        Raises:
            Refused: audit.unavailable, and then it must not take effect.
        """
        try:
            at = self._clock()
            segment = self._current(at)
            self._write(segment, line_of(self._describe.event(principal, what, trace, detail, at)))
            if self._strict:
                self._commit.now(segment)
        except Exception as problem:
            raise self._unavailable(problem) from problem

    def flush(self) -> None:
        """Write what is pending. Never raises: what cannot be written stays pending."""
        if self._closed or not (self._pending or self._lost):
            return
        try:
            self._write(self._current(self._clock()))
        except Exception as problem:  # noqa: BLE001  # logged within; callers have nothing to refuse
            self._unavailable(problem)
            self._arm(RETRY)

    def close(self) -> None:
        """Write what is pending and end the segment; intents are refused from here on. Never raises."""
        if self._closed:
            return
        self.flush()
        try:
            at = self._clock()
            self._end(self._current(at), at, more=False)
            self._commit.close(self._segment if self._strict else None)
        except Exception as problem:  # noqa: BLE001  # the next start recovers the segment
            self._unavailable(problem)
        self._closed = True
        if self._segment is not None:
            self._segment.release()
            self._segment = None

    def _later(self, line: str) -> None:
        if len(self._pending) >= MAX_PENDING:
            raise OSError("too many records wait for the disk")
        self._pending.append(line)
        if not self._armed:
            self._arm(FLUSH)

    def _arm(self, seconds: float) -> None:
        if self._schedule is not None:
            self._armed = True
            self._schedule(seconds, self._tick)

    def _tick(self) -> None:
        self._armed = False
        self.flush()

    def _write(self, segment: SegmentFile, *last: str) -> None:
        """Append what is pending, then `last`; afterwards nothing is pending.

        Raises:
            OSError: `last` does not stand. What of the pending records stands, is not pending.
        """
        pending = self._pending
        if self._lost:
            pending.append(line_of(Dropped(at=self._clock(), count=self._lost)))
            self._lost = 0
        write = write_of(*pending, *last, prev=self._prev)
        try:
            segment.append(write)
        except ShortWrite as problem:
            self._wrote_part(segment, problem)
            raise
        self._prev = hash_of(write)
        self.records += len(pending) + len(last)
        pending.clear()
        if not self.healthy:
            self.healthy = True
            log.warning("the audit can be written again")

    def _wrote_part(self, segment: SegmentFile, problem: ShortWrite) -> None:
        """Count what stands; give the segment up when its end is not known any more."""
        self.records += problem.whole
        del self._pending[: problem.whole]
        if problem.kept:
            self._prev = hash_of(problem.kept)
        if not segment.usable:
            self._leave(segment)

    def _current(self, at: int) -> SegmentFile:
        """The segment to write to; another one when it is full, or is not where it was."""
        if self._closed:
            raise OSError("the audit is closed")
        segment = self._segment
        if segment is not None and not 0 <= at - self._looked < LOOK:
            self._looked = at
            if segment.is_gone():
                log.error("%s was removed or replaced while it was written", segment.path.name)
                self._leave(segment)
                segment = None
        if segment is None or segment.size >= self._rotate:
            segment = self._next(segment, at)
        return segment

    def _next(self, full: SegmentFile | None, at: int) -> SegmentFile:
        """End the full segment, if there is one, and begin another."""
        if full is not None:
            self._end(full, at, more=True)
            self._leave(full)
        self._segment = self._begin()
        return self._segment

    def _end(self, segment: SegmentFile, at: int, *, more: bool) -> None:
        """Write the last line, by a write of its own."""
        write = write_of(line_of(Close(at=at, more=more)), prev=self._prev)
        try:
            segment.append(write)
        except ShortWrite as problem:
            self._wrote_part(segment, problem)
            raise
        self._prev = hash_of(write)
        self.records += 1

    def _leave(self, segment: SegmentFile) -> None:
        self._after = {segment.path.name: self._prev}
        self._segment = None
        segment.release()

    def _begin(self) -> SegmentFile:
        at = self._clock()
        names = [path.name for path in segments(self._directory)]
        # Names sort in the order in which segments were begun, also when the clock was set back.
        stamp = max(at, begin_of(names[-1]) + 1000) if names else at
        name = name_of(stamp, self._id, self._number)
        begun = Segment(
            v=VERSION, at=at, name=name, writer=self._id, pid=os.getpid(), after=self._after
        )
        write = write_of(line_of(begun), prev="")
        segment = SegmentFile.create(self._directory / name, write)
        self._number += 1
        self.records += 1
        self._prev = hash_of(write)
        self._looked = at
        self._describe.forget()
        return segment

    def _not_durable(self, segment: SegmentFile, problem: Exception) -> None:
        """The disk did not confirm a segment: go on in another one."""
        self._unavailable(problem)
        if self._segment is segment:
            self._leave(segment)

    def _unavailable(self, problem: Exception) -> Refused:
        self.failures += 1
        if self.healthy:  # once, not for every call
            self.healthy = False
            log.error("the audit cannot be written, so calls are refused: %s", problem)
        return Refused(AUDIT_UNAVAILABLE, detail=str(problem))

    def _drop(self, problem: Exception) -> None:
        """Own up to a record that is lost, by a record that counts such."""
        self.failures += 1
        if not self._lost:
            log.error("a refusal or an outcome is missing from the audit: %s", problem)
        self._lost += 1
