"""The audit's writer: an intent is in the file before its call leaves, or the call does not leave.

`normal`: one write(2) for each intent. Its record outlives this process, killed or not; a power loss
may take the last seconds. `strict`: the intent also waits for fdatasync, synchronously, and outlives
a power loss. Outcomes and refusals ride with the next write, at most FLUSH seconds later.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from secrets import token_hex
from typing import Final, Literal

from bawn.audit.describe import Describer
from bawn.audit.entries import (
    VERSION,
    Close,
    Dropped,
    Outcome,
    Record,
    Segment,
    encode,
    hash_of,
)
from bawn.audit.recover import recover
from bawn.audit.segment import NotDurable, SegmentFile, ShortWrite, heads, name_of
from bawn.errors import AUDIT_UNAVAILABLE, Refused
from bawn.model import Call, Decision, Item
from bawn.storage import StateDirectory

FLUSH: Final = 0.005  # seconds
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
        self._durable = durability == "strict"
        self._clock = clock
        self._schedule = schedule
        self._rotate = rotate
        self._describe = Describer(state)
        self._id = token_hex(4)
        self._number = 0  # of the next segment
        self._seq = 1  # of the next line
        self._prev = ""
        self._pending: list[Record] = []
        self._armed = False
        self._closed = False
        self._segment: SegmentFile | None = None
        self.records = 0
        """Records written since the start."""
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
        """Append that this call is about to leave; returns the record's number.

        Raises:
            Refused: audit.unavailable, and then the call must not leave.
        """
        try:
            record = self._describe.intent(call, item, decision, self._clock())
            self._write(record)
        except Exception as problem:
            raise self._unavailable(problem) from problem
        return record.seq

    def outcome(self, intent: int, trace: str, status: str, seconds: float, size: int) -> None:
        """Append how an intent ended: `ok`, `error`, `cancelled` or a reason id. Never raises."""
        try:
            duration = round(seconds * 1e6)
            at = self._clock()
            self._later(Outcome(VERSION, 0, "", at, intent, trace, status, duration, size))
        except Exception as problem:  # noqa: BLE001  # the call is over: nothing left to refuse
            self._drop(problem)

    def refusal(self, call: Call, reason: str, detail: str) -> None:
        """Append that a call was refused before it left. Never raises."""
        try:
            record = self._describe.refusal(call, reason, detail, self._clock())
            encode(record)  # it holds what the caller sent: it must not stand in later intents' way
            self._later(record)
        except Exception as problem:  # noqa: BLE001  # the call is refused already
            self._drop(problem)

    def flush(self) -> None:
        """Write what is pending. Never raises: what cannot be written stays pending."""
        if self._closed or not self._pending:
            return
        try:
            self._write()
        except Exception as problem:  # noqa: BLE001  # logged within; callers have nothing to refuse
            self._unavailable(problem)
            self._arm(RETRY)

    def close(self) -> None:
        """Write what is pending and end the segment; intents are refused from here on. Never raises."""
        if self._closed:
            return
        try:
            self._write(Close(VERSION, 0, "", self._clock(), more=False))
        except Exception as problem:  # noqa: BLE001  # the next start recovers the segment
            self._unavailable(problem)
        self._closed = True
        if self._segment is not None:
            self._segment.release()

    def _later(self, record: Record) -> None:
        if len(self._pending) >= MAX_PENDING:
            raise OSError("too many records wait for the disk")
        self._pending.append(record)
        if not self._armed:
            self._arm(FLUSH)

    def _arm(self, seconds: float) -> None:
        if self._schedule is not None:
            self._armed = True
            self._schedule(seconds, self._tick)

    def _tick(self) -> None:
        self._armed = False
        self.flush()

    def _write(self, *last: Record) -> None:
        """Append what is pending, then `last`; afterwards nothing is pending.

        Raises:
            OSError: `last` does not stand. What of the pending records stands, is not pending.
        """
        if self._closed:
            raise OSError("the audit is closed")
        segment = self._segment
        if segment is None or segment.size >= self._rotate:
            segment = self._next(segment)
        lines, seq, prev = [], self._seq, self._prev
        for record in (*self._pending, *last):
            record.seq, record.prev = seq, prev
            line = encode(record)
            prev = hash_of(line)
            lines.append(line)
            seq += 1
        self._append(segment, lines)
        self._prev = prev
        self._pending.clear()
        if not self.healthy:
            self.healthy = True
            log.warning("the audit can be written again")

    def _append(self, segment: SegmentFile, lines: list[bytes]) -> None:
        """Append to the segment and count on; gives it up when its end is no longer known.

        Raises:
            OSError: not all of it stands, or it is not known to be durable.
        """
        try:
            segment.append(lines, durable=self._durable)
        except (ShortWrite, NotDurable) as problem:
            # After NotDurable the pending ones are written once more: twice is read as once.
            whole = problem.whole if isinstance(problem, ShortWrite) else len(lines)
            self._count(whole)
            if whole:
                self._prev = hash_of(lines[whole - 1])
            if isinstance(problem, ShortWrite):
                del self._pending[:whole]
            if not segment.usable:
                self._leave(segment)
            raise
        self._count(len(lines))

    def _count(self, lines: int) -> None:
        self._seq += lines
        self.records += lines

    def _next(self, full: SegmentFile | None) -> SegmentFile:
        """End the full segment, if there is one, and begin another."""
        if full is not None:
            line = encode(Close(VERSION, self._seq, self._prev, self._clock(), more=True))
            self._append(full, [line])
            self._prev = hash_of(line)
            self._leave(full)
        self._segment = self._begin()
        return self._segment

    def _leave(self, segment: SegmentFile) -> None:
        self._after = {segment.path.name: self._prev}
        self._segment = None
        segment.release()

    def _begin(self) -> SegmentFile:
        at = self._clock()
        name = name_of(at, self._id, self._number)
        begun = Segment(VERSION, self._seq, "", at, name, self._id, os.getpid(), self._after)
        line = encode(begun)
        segment = SegmentFile.create(self._directory / name, line, durable=self._durable)
        self._number += 1
        self._count(1)
        self._prev = hash_of(line)
        self._describe.forget()
        return segment

    def _unavailable(self, problem: Exception) -> Refused:
        self.failures += 1
        if self.healthy:  # once, not for every call
            self.healthy = False
            log.error("the audit cannot be written, so calls are refused: %s", problem)
        return Refused(AUDIT_UNAVAILABLE, detail=str(problem))

    def _drop(self, problem: Exception) -> None:
        """Own up to a record that is lost, by a record that counts such."""
        self.failures += 1
        last = self._pending[-1] if self._pending else None
        if isinstance(last, Dropped):
            last.count += 1
            return
        self._pending.append(Dropped(VERSION, 0, "", self._clock(), 1))
        log.error("a refusal or an outcome is missing from the audit: %s", problem)
