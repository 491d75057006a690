"""`bawn audit tail`: the last calls, and what comes; problems of the chain go to standard error."""

from __future__ import annotations

import json as jsonlib
import os
import sys
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final, NamedTuple

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.reading import explained, loaded
from bawn.telemetry.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from bawn.audit.calls import AuditedCall, Joiner
    from bawn.audit.read import Problem, Reader
    from bawn.storage import StateDirectory

POLL: Final = 0.25  # seconds between looks for something new
SETTLED: Final = 100_000_000  # nanoseconds after which no worker writes anything older

LinesOption = Annotated[int, typer.Option("--lines", "-n", min=0, help="How many calls to show.")]
TenantOption = Annotated[
    str | None,
    typer.Option(help="Only calls of this tenant's callers; empty for those of none."),
]
FollowOption = Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")]


class _Wanted(NamedTuple):
    """Which calls to show: how many, and of which tenant's callers, None for all."""

    lines: int
    tenant: str | None

    def of(self, calls: Iterable[AuditedCall]) -> list[AuditedCall]:
        """Those that are the tenant's."""
        return [call for call in calls if self.tenant is None or call.tenant == self.tenant]


def tail(
    *,
    config: ConfigOption = None,
    lines: LinesOption = 20,
    follow: FollowOption = False,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> None:
    """Show the last calls and refusals. Exit code 1 tells that the chain of records is damaged. (stable)"""
    try:
        with explained():
            sound = _show(_state(config), _Wanted(lines, tenant), follow=follow, as_json=json)
    except BrokenPipeError:
        _leave_pipe()
        return
    except OSError as problem:
        fail(f"the audit cannot be read: {problem}", "Look at the directory that holds `state`.")
    if not sound:
        raise typer.Exit(1)


def _state(config: Path | None) -> StateDirectory:
    from bawn.storage import StateDirectory

    state = loaded(config).state
    if not (state / "audit").is_dir():
        fail(f"there is no audit in {state} yet.", "Start the gate with `bawn up`.")
    return StateDirectory(state)


def _show(state: StateDirectory, wanted: _Wanted, *, follow: bool, as_json: bool) -> bool:
    """Print until there is no more; returns whether every record read was sound."""
    reader, joiner, calls, problems = _recent(state, wanted)
    _report(problems)
    open_ones = [] if follow else wanted.of(joiner.rest())
    calls = sorted([*calls, *open_ones], key=lambda call: call.at)
    _print(calls[-wanted.lines :] if wanted.lines else [], as_json=as_json)
    with suppress(KeyboardInterrupt):
        while follow:
            time.sleep(POLL)
            new, faults = _split(joiner.join(reader.poll(time.time_ns() - SETTLED)))
            _report(faults)
            _print(wanted.of(new), as_json=as_json)
            problems += faults
    return not problems


def _recent(
    state: StateDirectory, wanted: _Wanted
) -> tuple[Reader, Joiner, list[AuditedCall], list[Problem]]:
    """Read as many of the newest segments as hold this many calls."""
    from bawn.audit.calls import Joiner
    from bawn.audit.read import Reader
    from bawn.audit.subjects import Subjects

    newest = 1
    while True:
        reader, joiner = Reader(state.audit, newest), Joiner(Subjects(state.subjects))
        found, problems = _split(joiner.join(reader.poll()))
        calls = wanted.of(found)
        if reader.complete or len(calls) >= wanted.lines:
            return reader, joiner, calls, problems
        newest *= 2


def _split(
    found: Iterable[AuditedCall | Problem],
) -> tuple[list[AuditedCall], list[Problem]]:
    from bawn.audit.calls import AuditedCall

    calls: list[AuditedCall] = []
    problems: list[Problem] = []
    for item in found:
        if isinstance(item, AuditedCall):
            calls.append(item)
        else:
            problems.append(item)
    return calls, problems


def _print(calls: Iterable[AuditedCall], *, as_json: bool) -> None:
    for call in calls:
        print(_object(call) if as_json else _line(call))
    sys.stdout.flush()


def _report(problems: Iterable[Problem]) -> None:
    for problem in problems:
        print(f"bawn: {printable(str(problem))}", file=sys.stderr)


def _line(call: AuditedCall) -> str:
    at = datetime.fromtimestamp(call.at / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    took = "-" if call.duration_us is None else f"{call.duration_us / 1000:.1f}ms"
    fields = (
        f"{at}Z", f"{call.who:20}", f"{call.decision:7}", f"{call.server or '-':12}",
        f"{call.name or call.method:28}", f"{call.status:12}", f"{took:>10}", call.trace,
    )  # fmt: skip
    return "  ".join(map(printable, fields))


def _object(call: AuditedCall) -> str:
    from bawn.audit.calls import as_json

    return printable(jsonlib.dumps(as_json(call), ensure_ascii=False))


def _leave_pipe() -> None:
    """Nobody reads any more: keep the interpreter from saying so when it flushes at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
