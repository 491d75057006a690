"""Segments whose writer died: what is whole stands, what is torn is set aside, nothing is lost.

Every step can be cut short and done again: the torn part is saved before it is cut off, and the
segment counts as recovered only once its last line says so.
"""

from __future__ import annotations

import fcntl
import logging
import os
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bawn.audit.chain import Chain
from bawn.audit.entries import Ending, Intent, Outcome, Record, Recovered, decode, line_of, write_of
from bawn.audit.segment import SUFFIX, TORN, last_line, segments
from bawn.config.atomic import replace

STALE: Final = 60.0  # seconds after which an unnamed segment is nobody's any more

log = logging.getLogger("bawn.audit")


@dataclass(frozen=True, slots=True)
class Recovery:
    """One segment that was recovered: see `entries.Recovered`."""

    segment: str
    torn: int
    lines: int
    unknown: int


def recover(directory: Path, clock: Callable[[], int] = time.time_ns) -> tuple[Recovery, ...]:
    """End every segment whose writer is gone. A segment that cannot be ended is logged and left.

    Raises:
        OSError: the directory cannot be read.
    """
    recovered = []
    for path in segments(directory):
        try:
            found = _recover(path, clock)
        except OSError as problem:
            log.error("%s cannot be recovered: %s", path.name, problem)
            continue
        if found:
            recovered.append(found)
            log.warning(
                "%s: its writer died; %d bytes set aside, %d calls with unknown outcome",
                path.name, found.torn, found.unknown,
            )  # fmt: skip
    _remove_unnamed(directory)
    return tuple(recovered)


@dataclass(slots=True)
class _Whole:
    """What of a segment is whole and chained: its bytes, and where the chain stands after them."""

    size: int = 0
    last: str = ""
    ended: bool = False
    unknown: set[int] = field(default_factory=set)


def _recover(path: Path, clock: Callable[[], int]) -> Recovery | None:
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if _is_ended(path) or not _lock(descriptor) or _is_ended(path):
            return None
        whole = _scan(path.name, file)
        if whole.ended:
            return None  # something was added after the end: reading reports it
        file.seek(whole.size)
        tail = file.read()
        if tail:
            _set_aside(path, tail)
            os.ftruncate(descriptor, whole.size)
        return _end(path, descriptor, whole, clock())


def _is_ended(path: Path) -> bool:
    try:
        return isinstance(decode(last_line(path)), Ending)
    except ValueError:
        return False


def _scan(name: str, lines: Iterable[bytes]) -> _Whole:
    chain, whole = Chain(name), _Whole()
    for line in lines:
        if not line.endswith(b"\n"):
            break
        verdict = chain.judge(line[:-1])
        if verdict.fault or verdict.record is None:
            break
        _note(verdict.record, whole.unknown)
        whole.size += len(line)
        whole.last, whole.ended = chain.last, chain.ended
    return whole


def _set_aside(path: Path, tail: bytes) -> None:
    """Save what is cut off, unless an earlier attempt did."""
    saved = _saved(path)
    if not any(part.read_bytes() == tail for part in saved):
        number = f"-{len(saved) + 1}" if saved else ""
        replace(path.with_name(f"{path.name}{TORN}{number}"), tail)


def _saved(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}{TORN}*"))


def _end(path: Path, descriptor: int, whole: _Whole, at: int) -> Recovery:
    tails = [part.read_bytes() for part in _saved(path)]
    torn, lines = sum(map(len, tails)), sum(tail.count(b"\n") for tail in tails)
    unknown = len(whole.unknown)
    ending = Recovered(at=at, torn=torn, lines=lines, unknown=unknown)
    write = write_of(line_of(ending), prev=whole.last)
    if os.write(descriptor, write) != len(write):
        raise OSError("only a part was written: the disk or a quota is full")
    os.fsync(descriptor)
    return Recovery(path.name, torn, lines, unknown)


def _lock(descriptor: int) -> bool:
    """Take the lock, unless a writer has it. A reader holds it for an instant only."""
    for pause in (0.01, 0.05, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause)
        else:
            return True
    return False


def _note(record: Record, unknown: set[int]) -> None:
    if isinstance(record, Intent):
        unknown.add(record.number)
    elif isinstance(record, Outcome):
        unknown.discard(record.intent)


def _remove_unnamed(directory: Path) -> None:
    """Remove segments that got no name because their writer died first: they hold no call."""
    for path in directory.glob(f".*{SUFFIX}.tmp"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > STALE:
                path.unlink()
