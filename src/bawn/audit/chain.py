"""Does a write follow the write before it? The one judge of a segment, for reading and recovering."""

from __future__ import annotations

from dataclasses import dataclass

from bawn.audit.entries import Ending, Record, Recovered, Segment, decode, hasher
from bawn.audit.segment import writer_of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a line holds, None if nothing readable, and what is wrong with it, empty if nothing."""

    record: Record | None
    fault: str


class Chain:
    """Judges the lines of the segment of this file name, from its first line on.

    What was changed in a write shows with the first line of the next. After a fault it goes on from
    the lines as they stand, so that one change is one fault.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._write = hasher()  # over the write that the last line belongs to
        self.lines = 0
        self.ended = False
        """Whether nothing may follow."""

    @property
    def last(self) -> str:
        """The hash of the last write as far as it was judged, empty if there was none."""
        return self._write.hexdigest() if self.lines else ""

    def judge(self, line: bytes) -> Verdict:
        """Judge the next line, without its newline."""
        record: Record | None = None
        try:
            record = decode(line)
            fault = self._fault(record)
        except ValueError as problem:
            fault = str(problem)
        if record is not None and record.prev:
            self._write = hasher()
        self._write.update(line)
        self._write.update(b"\n")
        self.lines += 1
        self.ended = self.ended or isinstance(record, Ending)
        return Verdict(record, fault)

    def _fault(self, record: Record) -> str:
        if self.ended:
            return "stands after the end of the segment"
        if record.prev and record.prev != self.last:
            return "does not follow the lines before it: one was changed, removed, added or moved"
        if self.lines == 0:
            return self._first_fault(record)
        if isinstance(record, Segment):
            return "begins a segment within a segment"
        if isinstance(record, Ending) and not record.prev:
            return "ends the segment, and does not say what it follows"
        if self.lines == 1 and not record.prev:
            return "is the second line, and does not say what it follows"
        return ""

    def _first_fault(self, record: Record) -> str:
        if isinstance(record, Recovered):
            return ""  # of the original nothing whole was left
        if not isinstance(record, Segment):
            return "is the first line, and does not begin a segment"
        if record.name != self._name or record.writer != writer_of(self._name):
            return f"belongs to segment {record.name}: this file is a copy, or was renamed"
        return ""
