"""`bawn demo`: what attacks look like, and what becomes of them at a gate: real processes, a made-up attacker."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import on_terminal

if TYPE_CHECKING:
    from bawn.demo.benign import Benign
    from bawn.demo.gate import Gate
    from bawn.demo.play import Told

_WIDTH: Final = 100
_LABEL: Final = 10
_TOLD: Final = 200  # characters of why something failed

OnceOption = Annotated[bool, typer.Option("--once", help="End after the story.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
PortOption = Annotated[
    int,
    typer.Option(min=0, max=65_535, help="Port of the endpoint on 127.0.0.1; 0 is a free one."),
]
FastOption = Annotated[
    bool, typer.Option("--fast", help="Do not wait for Enter between the steps on a terminal.")
]
InstallOption = Annotated[
    bool | None,
    typer.Option(
        "--install/--no-install",
        help="Where no real server is here: install mcp-server-time from your package index, by its digests. "
        "Default: ask on a terminal, else no.",
        show_default=False,
    ),
]


def demo(
    *,
    once: OnceOption = False,
    port: PortOption = 0,
    fast: FastOption = False,
    install: InstallOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show a gate between you, an honest server and a hostile one; nothing is sent out.

    Exit code 1 tells that a step did not go as it is told. (preview)
    """
    from bawn.demo.benign import OWN, TIME, present
    from bawn.demo.caller import CallerError
    from bawn.demo.ending import interruptible
    from bawn.demo.gate import DemoError, a_gate

    benign = present()
    wanted = benign is None and _wants(install)
    told: list[Told] = []
    try:
        with interruptible(), a_gate(benign or (TIME if wanted else OWN), port) as gate:
            benign = benign or _own_or_installed(gate, install=wanted)
            _give(
                gate,
                benign,
                told,
                pause=on_terminal() and not fast and not as_json,
                as_json=as_json,
            )
            if not once:
                _stay(gate, told)
    except (DemoError, CallerError) as problem:
        said = "\n".join(map(printable, str(problem).splitlines()))
        fail(said, "`bawn doctor` checks the surroundings.")
    except OSError as problem:  # no room, no right to write, no more processes
        fail(
            f"the demo cannot be given here: {problem}",
            "it needs some room in the directory for temporary files; TMPDIR names another.",
        )
    except KeyboardInterrupt:
        if not told:
            fail("ended before the story was over; nothing is left of it.")
    if any(each.problems for each in told):
        raise typer.Exit(1)


def _wants(install: bool | None) -> bool:
    """Whether a real server is to be installed: only by the user's word."""
    if install is not None or not on_terminal():
        return bool(install)
    return typer.confirm(
        "No real server is here. Install mcp-server-time from your package index, for the demo alone?",
        default=False,
    )


def _own_or_installed(gate: Gate, *, install: bool) -> Benign:
    """The honest server that the gate gets: the package's, once it is installed, else our own."""
    from bawn.demo.benign import OWN, TIME
    from bawn.demo.gate import DemoError

    why = "no real server is here (`--install` fetches one)"
    if install:
        _note("Installing mcp-server-time …")
        try:
            gate.install()
        except DemoError as problem:
            said = textwrap.shorten(printable(str(problem)), _TOLD, placeholder=" …")
            why = f"no real server can be had ({said})"
        else:
            return TIME
    print(f"bawn: {why}; an honest one of bawn's own takes its place.", file=sys.stderr)
    gate.write(OWN)
    return OWN


def _give(gate: Gate, benign: Benign, told: list[Told], *, pause: bool, as_json: bool) -> None:
    """Start the gate, play the story, and tell it; `told` has the whole of it in the end."""
    from bawn.demo.caller import Caller
    from bawn.demo.play import play, until_offered
    from bawn.demo.story import story

    steps = story(benign)
    _note("Starting a gate …")
    gate.start()
    played: list[Told] = []
    with Caller(gate.endpoint, gate.token()) as caller:
        until_offered(caller, steps)
        if not as_json:
            print("\n".join(_opening(benign)), flush=True)
        for number, each in enumerate(play(gate, caller, steps), 1):
            played.append(each)
            if not as_json:
                print("\n".join(_lines(number, each)), flush=True)
            if pause and number < len(steps):
                print(_style("\n   Enter goes on ", "dim"), end="", flush=True)
                sys.stdin.readline()
    told += played
    print(_object(gate, benign, told) if as_json else _verdict(told), flush=True)


def _stay(gate: Gate, told: Sequence[Told]) -> None:
    """Leave the endpoint up until somebody ends it."""
    from bawn.demo.gate import DemoError

    print("\n".join(_play_on(gate, told)), file=sys.stderr, flush=True)
    code = gate.wait()
    raise DemoError(f"the gate ended by itself, with code {code}")


def _opening(benign: Benign) -> Iterator[str]:
    yield _style("A gate with two servers behind it: an honest one, and one that lies.", "bold")
    yield f"  honest   {benign.id}: {benign.what}"
    yield "  hostile  toolbox: comes with bawn, is hostile in what it says alone, and does nothing"
    yield "Everything below happens now, in real processes on this machine. Nothing is sent out."


def _lines(number: int, told: Told) -> Iterator[str]:
    """One step in plain lines."""
    step = told.step
    yield ""
    yield _style(f"{number}  {step.title}", "bold")
    yield from _said("tries" if step.id != "honest" else "calls", step.tried)
    if told.problems:
        for problem in told.problems:
            yield from _said("NOT SO", problem, "red")
        return
    yield from _said("bawn", step.did, "green")
    if told.seen.reason:
        yield from _said("reason", f"{told.seen.reason}: {told.seen.message}")
    if told.found:
        yield from _said("found", ", ".join(told.found))
    yield from _said("read", step.read)


def _said(label: str, text: str, style: str = "") -> Iterator[str]:
    """A label and what belongs to it, in lines of a width."""
    first = f"   {label:<{_LABEL - 3}}"
    lines = textwrap.wrap(printable(text), _WIDTH - _LABEL, break_on_hyphens=False)
    yield _style(first, style) + lines[0]
    yield from (" " * _LABEL + line for line in lines[1:])


def _verdict(told: Sequence[Told]) -> str:
    bad = [each.step.title for each in told if each.problems]
    if bad:
        return _style(
            f"\n{len(bad)} of {len(told)} steps did not go as told: {', '.join(bad)}.", "red"
        )
    return _style(f"\nAll {len(told)} steps went as told.", "green")


def _play_on(gate: Gate, told: Sequence[Told]) -> Iterator[str]:
    """What the user can play with."""
    config = gate.config
    trace = next((each.seen.trace for each in reversed(told) if each.seen.trace), "")
    yield f"""
The endpoint stays up until Ctrl-C, and everything goes away with it.

  Endpoint       {gate.endpoint}
  Token file     {gate.token_file}
  Configuration  {config}

Try, in another terminal:

  bawn why {trace[:12]} --config {config}
  bawn server diff toolbox --config {config}
  bawn audit tail --config {config}"""


def _object(gate: Gate, benign: Benign, told: Sequence[Told]) -> str:
    """The story for programs."""
    return json.dumps(
        {
            "as_told": not any(each.problems for each in told),
            "endpoint": gate.endpoint,
            "config": str(gate.config),
            "token_file": str(gate.token_file),
            "honest": {"server": benign.id, "what": benign.what, "real": benign.real},
            "steps": [each.as_json() for each in told],
        },
        indent=2,
    )


def _note(text: str) -> None:
    """What is going on, for whoever looks on."""
    if sys.stderr.isatty():
        print(text, file=sys.stderr)


_STYLES: Final = {"bold": "1", "dim": "2", "red": "31", "green": "32"}


def _style(text: str, style: str) -> str:
    """The text in this style, where somebody sees it and colours are wanted."""
    if not style or not sys.stdout.isatty() or os.environ.get("NO_COLOR"):
        return text
    return f"\x1b[{_STYLES[style]}m{text}\x1b[0m"
