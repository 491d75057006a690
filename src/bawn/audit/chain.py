"""Does a line follow the line before it? The one judge of a segment, for reading and recovering."""

from __future__ import annotations

from dataclasses import dataclass

from bawn.audit.entries import Ending, Record, Recovered, Segment, decode, hash_of
from bawn.audit.segment import writer_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a line holds, None if nothing readable, and what is wrong with it, empty if nothing."""

    record: Record | None
    fault: str


class Chain:
    """Judges the lines of the segment of this file name, from its first line on.

    After a fault it goes on from the line as it stands, so that one change is one fault.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._prev = ""
        self._seq: int | None = None  # of the line before; None where that cannot be known
        self.lines = 0
        self.ended = False
        """Whether nothing may follow."""

    @property
    def last(self) -> str:
        """The hash of the last line judged, empty if there was none."""
        return self._prev

    @property
    def number(self) -> int:
        """The `seq` of the next line."""
        return 1 if self._seq is None else self._seq + 1

    def judge(self, line: bytes) -> Verdict:
        """Judge the next line, without its newline."""
        record: Record | None = None
        try:
            record = decode(line)
            fault = self._fault(record)
        except ValueError as problem:
            fault = str(problem)
        self.lines += 1
        self._prev = hash_of(line)
        self._seq = None if record is None else record.seq
        self.ended = self.ended or isinstance(record, Ending)
        return Verdict(record, fault)

    def _fault(self, record: Record) -> str:
        if self.ended:
            return "stands after the end of the segment"
        if record.prev != self._prev:
            return "does not follow the line before it: one was changed, removed, added or moved"
        if self.lines == 0:
            return self._first_fault(record)
        if isinstance(record, Segment):
            return "begins a segment within a segment"
        if self._seq is not None and record.seq != self._seq + 1:
            return f"has number {record.seq}; expected {self._seq + 1}"
        return ""

    def _first_fault(self, record: Record) -> str:
        if isinstance(record, Recovered):
            return ""  # of the original nothing whole was left
        if not isinstance(record, Segment):
            return "is the first line, and does not begin a segment"
        if record.name != self._name or record.writer != writer_of(self._name):
            return f"belongs to segment {record.name}: this file is a copy, or was renamed"
        return ""
