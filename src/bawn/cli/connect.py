"""`bawn connect` and `bawn disconnect`: point clients at the gate, and take that back."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded, on_terminal

if TYPE_CHECKING:
    from bawn.discovery.clients import Client
    from bawn.discovery.rewrite import Gate, Plan
    from bawn.discovery.undo import Undo

ClientsArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[CLIENT]...",
        help="claude-code, claude-desktop, cursor, vscode, windsurf, kiro, codex, gemini.",
        show_default=False,
    ),
]
AllOption = Annotated[bool, typer.Option("--all", help="Every client there is.")]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]
DryRunOption = Annotated[bool, typer.Option("--dry-run", help="Show what would change, and stop.")]


def connect(
    clients: ClientsArgument = None,
    every: AllOption = False,
    server: Annotated[
        list[str] | None,
        typer.Option("--server", help="Only this server; can be repeated.", show_default=False),
    ] = None,
    aggregate: Annotated[
        bool, typer.Option("--aggregate", help="Add one entry for all servers instead.")
    ] = False,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="Also the files of this project; they name paths of this machine."
        ),
    ] = None,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
    config: ConfigOption = None,
) -> None:
    """Point clients at the gate: each entry in place, after showing the difference. Undone by `disconnect`."""
    from bawn.discovery.journal import Journal, default_path
    from bawn.discovery.rewrite import Gate, apply

    chosen = _chosen(clients, every)
    found = loaded(config)
    wanted = _wanted(server, found.config.servers)
    gate = Gate(program(), found.path)
    if aggregate:
        plans, refused = _aggregate_plans(chosen, gate, directory, named=bool(clients))
    else:
        plans, refused = _plans(chosen, gate, directory, wanted, list(found.config.servers))
    changing = [plan for plan in plans if plan.changes]
    for plan in plans:
        _show(plan)
    if not changing:
        print("Nothing to change.")
    elif not dry_run:
        _ask(yes, f"Write {_files(len(changing))}?")
        with explained():
            journal = Journal(default_path(os.environ))
            refused += _each(changing, lambda plan: apply(plan, journal))
        print("Restart the clients. `bawn disconnect` takes this back.")
    if refused:
        raise typer.Exit(1)


def disconnect(
    clients: ClientsArgument = None,
    every: AllOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take back what `connect` did: byte for byte, or entry by entry in files that changed since."""
    from bawn.discovery.journal import Journal, default_path
    from bawn.discovery.spans import Unreadable
    from bawn.discovery.undo import apply, plan_undo

    chosen = {client.id for client in _chosen(clients, every)}
    journal = Journal(default_path(os.environ))
    undos: list[Undo] = []
    refused = 0
    with explained():
        for path, records in journal.read().items():
            if chosen.isdisjoint(record.client for record in records):
                continue
            try:
                undos.append(plan_undo(path, records))
            except Unreadable as problem:
                refused += _refuse(path, problem)
    for undo in undos:
        _show_undo(undo)
    if not undos and not refused:
        print("Nothing to take back.")
    elif undos and not dry_run:
        _ask(yes, f"Restore {_files(len(undos))}?")
        with explained():
            refused += _each(undos, lambda undo: apply(undo, journal))
    if refused or any(undo.left for undo in undos):
        raise typer.Exit(1)


def program() -> str:
    """The absolute path of the `bawn` program, for entries that work from anywhere."""
    called = Path(sys.argv[0])
    beside = Path(sys.executable).with_name("bawn")
    for candidate in (called if called.name == "bawn" else None, shutil.which("bawn"), beside):
        if candidate is not None and os.access(candidate, os.X_OK) and Path(candidate).is_file():
            # Links are kept: installers move what they point to at every upgrade.
            return os.path.abspath(candidate)
    fail(
        "the program `bawn` was not found, so clients could not start it.",
        "Install it, for example with `uv tool install bawn`.",
        code=2,
    )


def _chosen(names: list[str] | None, every: bool) -> list[Client]:
    from bawn.discovery.clients import CLIENTS

    known = {client.id: client for client in CLIENTS}
    for name in names or ():
        if name not in known:
            fail(
                f"no client `{printable(name)}`; expected some of {', '.join(known)}.",
                "`bawn scan` shows which of them have servers here.",
                code=2,
            )
    if bool(names) == every:
        fail(
            "expected the names of clients, or --all.",
            f"The clients are {', '.join(known)}; `bawn scan` shows which of them have servers.",
            code=2,
        )
    return [known[name] for name in dict.fromkeys(names or known)]


def _wanted(asked: list[str] | None, known: Sequence[str] | dict[str, object]) -> list[str]:
    for name in asked or ():
        if name not in known:
            listed = ", ".join(known) or "none"
            fail(f"no server `{printable(name)}`; the configuration has {listed}.", code=2)
    return list(asked or known)
