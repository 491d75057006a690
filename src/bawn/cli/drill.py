"""`bawn drill`: harm a running gate on purpose, and print what its callers saw."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded, on_terminal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bawn.config.load import Loaded
    from bawn.drill.faults import Drill, Fault
    from bawn.drill.measured import Measured
    from bawn.drill.probes import Probe

_HEAD = (
    "fault", "calls", "answered", "resets", "no answer", "p99", "slowest",
    "first ok", "all ok", "process back",
)  # fmt: skip


def drill(
    config: ConfigOption = None,
    fault: Annotated[
        list[str] | None,
        typer.Option(
            help="worker, steward, runner, keeper or child are killed, slow halts a local server's process; again for more. Default: all kills.",
            show_default=False,
        ),
    ] = None,
    seconds: Annotated[
        float, typer.Option(min=0.5, max=300, help="Watch callers so long after each fault.")
    ] = 5.0,
    within: Annotated[
        float, typer.Option(min=0.0, help="Seconds in which all has to be well again.")
    ] = 2.0,
    connections: Annotated[int, typer.Option(min=1, max=256, help="Callers.")] = 8,
    tool: Annotated[
        str | None,
        typer.Option(
            metavar="SERVER__TOOL",
            help="Tool that the callers call, again and again: choose one that only reads. Default: lists, which reach the gate only.",
        ),
    ] = None,
    arguments: Annotated[str, typer.Option(metavar="JSON", help="Arguments of the tool.")] = "{}",
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Harm the gate without being asked, for scripts.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Kill processes of the running gate, one after another, and show what callers saw. (preview)"""
    found = loaded(config)
    faults = _faults(fault)
    probes = _probes(tool, arguments)
    _consent(found, faults, probes, yes=yes)
    # the probes' HTTP client makes asyncio complain when the gate's line of callers is full
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    with explained():
        measured = asyncio.run(_run(_drill(found, probes, connections, seconds), faults, found))
    if as_json:
        print(json.dumps([one.as_json() for one in measured], indent=2))
    else:
        print(_text(measured, probes, within))
    done = [one for one in measured if one.done]
    if not done or not all(one.fine(within) for one in done):
        raise typer.Exit(1)


def _faults(names: list[str] | None) -> list[Fault]:
    from bawn.drill.faults import FAULTS

    if not names:
        return [fault for fault in FAULTS.values() if fault.standard]
    for name in names:
        if name not in FAULTS:
            expected = ", ".join(FAULTS)
            fail(f"no fault is called {printable(name)}.", f"Expected one of {expected}.", code=2)
    return [FAULTS[name] for name in names]


def _probes(tool: str | None, arguments: str) -> Sequence[Probe]:
    from bawn.drill.probes import AT_THE_GATE, Probe

    if tool is None:
        return AT_THE_GATE
    try:
        given = json.loads(arguments)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        fail("--arguments is not a JSON object.", """Expected something like '{"a": 1}'.""", code=2)
    return (Probe("tools/call", {"name": tool, "arguments": given}),)


def _consent(found: Loaded, faults: Sequence[Fault], probes: Sequence[Probe], *, yes: bool) -> None:
    """Go on only if this user owns the gate and wants its processes harmed."""
    if found.state.is_dir() and found.state.stat().st_uid != os.geteuid():
        fail(
            f"the gate on {printable(str(found.state))} is another user's.",
            "Run the drill as the user that the gate runs as.",
        )
    if yes:
        return
    if not on_terminal():
        fail(
            "the owner's consent to harm the running gate is needed, and there is no terminal to ask on.",
            "Say `--yes` if that is meant.",
            code=2,
        )
    print(f"To the gate of {printable(str(found.path))}, one after another:\n")
    for fault in faults:
        print(f"  {fault.name:<9}{fault.says}")
    calls = " and ".join(printable(str(p.params.get("name", p.method))) for p in probes)
    print(f"\nMeanwhile {calls} is called again and again, as you. Everybody's calls may fail.")
    if not typer.confirm("Harm this gate now?", default=False):
        fail("nothing was done.")


def _drill(found: Loaded, probes: Sequence[Probe], connections: int, seconds: float) -> Drill:
    from bawn.drill.faults import Drill
    from bawn.storage.directory import StateDirectory

    if not found.state.is_dir():
        _not_running(found, f"no gate has run on {found.state} yet")
    return Drill(StateDirectory(found.state), probes, connections, seconds)


async def _run(drill: Drill, faults: Sequence[Fault], found: Loaded) -> list[Measured]:
    from bawn.app.control import NotRunningError
    from bawn.drill.faults import NotFitError

    measured = []
    for fault in faults:
        if sys.stderr.isatty():
            print(f"{fault.name}: {fault.says} …", file=sys.stderr)
        try:
            measured.append(await drill.run(fault))
        except NotRunningError as error:
            _not_running(found, str(error))
        except NotFitError as error:
            fail(str(error), "`bawn status` and the log tell why; a tool may need `--arguments`.")
    return measured


def _not_running(found: Loaded, what: str) -> NoReturn:
    fail(what, f"Start one with `bawn up --config {found.path}`.")


def _text(measured: Sequence[Measured], probes: Sequence[Probe], within: float) -> str:
    rows: list[Sequence[str]] = [_HEAD, *(_row(one) for one in measured if one.done)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(_HEAD))]
    lines = ["  ".join(cell.rjust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    lines.append("")
    for one in measured:
        told = ", ".join(f"{reason}: {number}" for reason, number in one.errors.items())
        lines.append(f"{one.fault}: {one.did}" + (f"; errors {told}" if told else ""))
    if probes[0].server is None:
        lines.append("The calls ended at the gate; `--tool` lets them reach a server.")
    lines.append("A full disk is not tried on a machine in use.")
    lines.append(_verdict(measured, within))
    return "\n".join(lines)


def _row(one: Measured) -> Sequence[str]:
    counts: list[Any] = [one.calls, one.answered, one.resets, one.unanswered]
    times = [one.p99, one.slowest, one.first, one.all, one.processes]
    shown = ["never" if time is None else f"{time:.0f} ms" for time in times]
    return [one.fault, *map(str, counts), *shown]


def _verdict(measured: Sequence[Measured], within: float) -> str:
    if not any(one.done for one in measured):
        return "Nothing was done."
    bad = [one.fault for one in measured if not one.fine(within)]
    if bad:
        return f"Not well again within {within:g} s, or calls without any answer: {', '.join(bad)}."
    return f"Every call came to something, and all was well again within {within:g} s."
