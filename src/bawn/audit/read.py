"""Reading the audit: every record of every segment in the order of time, the chain checked on the way.

What is wrong is a value among the records, for an audit that cannot be read to its end because of
one fault would be of no use. What a chain cannot show without a witness outside: that its newest
lines, or all of it, were taken away together with everything that refers to them.
"""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from bawn.audit.chain import Chain
from bawn.audit.entries import Context, Intent, Record, Recovered, Segment, decode, hash_of
from bawn.audit.segment import TORN, begin_of, is_held, last_line, number_of, segments, writer_of


@dataclass(frozen=True, slots=True)
class Problem:
    """Something wrong: in which segment, at which line (0: the segment as a whole), and what."""

    segment: str
    line: int
    text: str

    def __str__(self) -> str:
        place = f"line {self.line}: " if self.line else ""
        return f"{self.segment}: {place}{self.text}"


@dataclass(frozen=True, slots=True)
class Found:
    """A record and where it stands; of an intent also its context, unless that is gone."""

    segment: str
    line: int
    record: Record
    context: Context | None = None

    @property
    def writer(self) -> str:
        """The id of the writer, which the numbers of intents are relative to."""
        return writer_of(self.segment)


class Reader:
    """Reads a directory of segments; each `poll` goes on where the one before came to the end.

    `newest` begins with that many newest segments. Not for use from several threads.
    """

    def __init__(self, directory: Path, newest: int | None = None) -> None:
        self._directory = directory
        names = segments(directory)
        self._skipped = set() if newest is None else set(names[: max(0, len(names) - newest)])
        self.complete = not self._skipped
        """Whether every segment is read."""
        self._known: dict[Path, _Tail] = {}
        self._held: list[Found] = []  # until the next poll

    def poll(self, settled: int | None = None) -> Iterator[Found | Problem]:
        """What is new, in the order of time; of one writer in the order in which it wrote.

        Records younger than `settled` (nanoseconds since the epoch) wait for the next poll, and no
        longer: another writer may be about to write something older. When the clock was set back,
        the order among writers is that of their clocks, as well as can be.
        """
        waiting = [path for path in segments(self._directory) if path not in self._skipped]
        for path in self._known.keys() - set(waiting):
            del self._known[path]
            yield Problem(path.name, 0, "was removed while it was read")
        tails = [self._known.setdefault(path, _Tail(path)) for path in waiting]
        new = _merged(_streams([tail for tail in tails if not tail.finished]))
        yield from new if settled is None and not self._held else self._settle(new, settled)

    def _settle(
        self, new: Iterable[Found | Problem], settled: int | None
    ) -> Iterator[Found | Problem]:
        ready, self._held = self._held, []
        late: set[str] = set()  # writers with a record that waits: what follows it waits as well
        for item in new:
            if isinstance(item, Problem):
                yield item
            elif settled is None or (item.record.at <= settled and item.writer not in late):
                ready.append(item)
            else:
                late.add(item.writer)
                self._held.append(item)
        yield from _in_order(ready)


def _in_order(found: list[Found]) -> list[Found]:
    """Sorted by time, and none before one that its writer wrote earlier."""
    latest: dict[str, int] = {}

    def key(item: Found) -> int:
        latest[item.writer] = at = max(item.record.at, latest.get(item.writer, 0))
        return at

    return sorted(found, key=key)


class _Stream:
    """The segments of one writer, one after the other."""

    def __init__(self, tails: list[_Tail]) -> None:
        self.begins = min(tail.begins for tail in tails)
        self._tails = sorted(tails, key=lambda tail: number_of(tail.path.name))

    def new(self) -> Iterator[Found | Problem]:
        """What was added since the last time; a segment is opened when its turn comes."""
        for tail in self._tails:
            yield from tail.new()


def _streams(tails: list[_Tail]) -> list[_Stream]:
    """By the time of their beginning."""
    writers: dict[str, list[_Tail]] = {}
    for tail in tails:
        name = tail.path.name
        writers.setdefault(writer_of(name) or name, []).append(tail)
    return sorted(map(_Stream, writers.values()), key=lambda stream: stream.begins)


def _merged(streams: list[_Stream]) -> Iterator[Found | Problem]:
    """Merge by time; a stream is begun only when its turn comes, for there may be thousands."""
    heap: list[tuple[int, int, Found, Iterator[Found | Problem]]] = []
    streams.reverse()
    while heap or streams:
        if heap and (not streams or heap[0][0] <= streams[-1].begins):
            _, order, found, rest = heapq.heappop(heap)
            yield found
        else:
            order, rest = -len(streams), streams.pop().new()
        for item in rest:
            if isinstance(item, Found):
                heapq.heappush(heap, (item.record.at, order, item, rest))
                break
            yield item


class _Tail:
    """One segment, read as far as it has grown."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.begins = begin_of(path.name)
        self.finished = False
        self._chain = Chain(path.name)
        self._contexts: dict[int, Context] = {}
        self._offset = 0  # of the first line not read
        self._told = False  # that it has no end, or cannot be read

    def new(self) -> Iterator[Found | Problem]:
        """What was added since the last time."""
        try:
            held = is_held(
                self.path
            )  # asked first: what a writer wrote before it let go is read below
            file = self.path.open("rb")
        except OSError as problem:
            if not self._told:
                self._told = True
                yield self._problem(f"cannot be read: {problem.strerror}", whole=True)
            return
        with file:
            size = os.fstat(file.fileno()).st_size
            if size < self._offset:
                yield self._problem("lost lines that were read before", whole=True)
                self._offset = size
            file.seek(self._offset)
            yield from self._lines(file)
        if not held:
            yield from self._end(size)
        self.finished = self._chain.ended

    def _lines(self, file: BinaryIO) -> Iterator[Found | Problem]:
        for line in file:
            if not line.endswith(b"\n"):
                return
            self._offset += len(line)
            verdict = self._chain.judge(line[:-1])
            if verdict.fault:
                yield self._problem(verdict.fault)
            if isinstance(verdict.record, Segment):
                yield from self._predecessors(verdict.record)
            if isinstance(verdict.record, Recovered) and verdict.record.lines:
                yield self._problem(
                    f"{verdict.record.lines} lines did not follow the chain and were set aside in "
                    f"{self.path.name}{TORN}: the disk damaged them, or somebody changed them"
                )
            if verdict.record is not None:
                yield from self._found(verdict.record)

    def _found(self, record: Record) -> Iterator[Found | Problem]:
        context = None
        if isinstance(record, Context):
            self._contexts[record.number] = record
        elif isinstance(record, Intent):
            context = self._contexts.get(record.context)
            if context is None:
                yield self._problem(f"has context {record.context}, which is not before it")
        yield Found(self.path.name, self._chain.lines, record, context)

    def _predecessors(self, begun: Segment) -> Iterator[Problem]:
        for name, hash_ in begun.after.items():
            fault = _end_fault(self.path.with_name(Path(name).name), hash_)
            if fault:
                yield self._problem(f"follows {name}, {fault}")

    def _end(self, size: int) -> Iterator[Problem]:
        rest = max(0, size - self._offset)
        if self._chain.ended:
            if rest:
                yield self._problem(f"{rest} bytes stand after the end of the segment", whole=True)
        elif not self._told:
            self._told = True
            yield self._problem(
                f"has no end: its writer was killed, or its last lines were removed ({rest} bytes of a "
                "torn line); the next `bawn up` ends it if it was the former",
                whole=True,
            )

    def _problem(self, text: str, *, whole: bool = False) -> Problem:
        return Problem(self.path.name, 0 if whole else self._chain.lines, text)


def _end_fault(path: Path, expected: str) -> str:
    """What is wrong with the end of a segment that another one follows."""
    try:
        line = last_line(path)
        if hash_of(line + b"\n") == expected:
            return ""
        record = decode(line)
    except FileNotFoundError:
        return "which is gone"
    except (OSError, ValueError):
        return "which cannot be read to its end"
    # A segment that its writer gave up was followed first and ended by recovery later.
    if isinstance(record, Recovered) and record.prev == expected:
        return ""
    return "whose end is not the one it had: lines were changed, removed or added there"
