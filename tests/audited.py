"""Calls to audit, and what the audit says of them: shared by the tests of writing and reading."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from bawn.audit.calls import AuditedCall, Joiner
from bawn.audit.read import Found, Problem, Reader
from bawn.audit.subjects import Subjects
from bawn.audit.writer import Writer
from bawn.model import Call, Client, Decision, Item, Kind, Principal
from bawn.storage import StateDirectory

ADA = Principal("ada@example.com", "https://idp.example.com", frozenset({"developer"}), 2e9)
BOB = Principal("bob@example.com", "https://idp.example.com", frozenset({"operator"}), 2e9)
TOOL = Item(Kind.TOOL, "files", "read_file", "files__read_file", {})
ALLOWED = Decision(True, "role developer: tools *")


def call(number: int = 1, principal: Principal = ADA, **changes: Any) -> Call:
    """A tools/call whose trace tells its number."""
    fields: dict[str, Any] = {
        "id": number,
        "method": "tools/call",
        "params": {"name": TOOL.shown, "arguments": {"path": f"/notes/{number}"}},
        "principal": principal,
        "endpoint": None,
        "client": Client("2026-07-28", "test-client"),
        "trace": f"{number:032x}",
    }
    return Call(**(fields | changes))


def ticking(start: int = 1_795_348_800_000_000_000) -> Callable[[], int]:
    """A clock that goes on by a microsecond each time it is asked."""
    ticks: Iterator[int] = itertools.count(start, 1000)
    return lambda: next(ticks)


def state_in(path: Path) -> StateDirectory:
    """A state directory below a test's own directory."""
    return StateDirectory(path / "state")


def die(writer: Writer) -> None:
    """Let the writer go as a killed process does: no last record, the lock is gone."""
    segment = writer._segment
    if segment is not None:
        segment.release()
        writer._segment = None
    writer._closed = True


def read(state: StateDirectory) -> tuple[list[Found], list[Problem]]:
    """Every record, and everything that is wrong."""
    reader = Reader(state.audit)
    items = list(reader.poll())
    found = [item for item in items if isinstance(item, Found)]
    return found, [item for item in items if isinstance(item, Problem)]


def kinds(state: StateDirectory) -> list[str]:
    """The kinds of all records, in the order of reading."""
    return [type(found.record).__name__.lower() for found in read(state)[0]]


def calls(state: StateDirectory) -> list[AuditedCall]:
    """Every call that stands in the audit, whether or not its outcome does."""
    joiner, reader = Joiner(Subjects(state.subjects)), Reader(state.audit)
    joined = [item for item in joiner.join(reader.poll()) if isinstance(item, AuditedCall)]
    return joined + list(joiner.rest())


def segment_files(state: StateDirectory) -> list[Path]:
    """The segments, in the order in which they were begun."""
    return sorted(state.audit.glob("*.jsonl"))
