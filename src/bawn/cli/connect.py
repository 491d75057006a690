"""`bawn connect` and `bawn disconnect`: point clients at the gate, and take that back."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.pointing import ask, carried_out, files, program, refuse, show
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from bawn.discovery.clients import Client
    from bawn.discovery.pointing.rewrite import Gate, Plan
    from bawn.discovery.pointing.undo import Undo

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
    *,
    every: AllOption = False,
    server: Annotated[
        list[str] | None,
        typer.Option("--server", help="Only this server; can be repeated.", show_default=False),
    ] = None,
    aggregate: Annotated[
        bool, typer.Option("--aggregate", help="Add one entry for all servers instead.")
    ] = False,
    exclusive: Annotated[
        bool,
        typer.Option("--exclusive", help="Leave these clients with bawn alone; others are kept."),
    ] = False,
    managed: Annotated[
        Path | None,
        typer.Option("--managed", metavar="DIR", help="Write the administrator's files there."),
    ] = None,
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
    """Point clients at the gate: each entry in place, after showing the difference. Undone by `disconnect`. (stable)"""
    from bawn.discovery.pointing.journal import Journal, default_path
    from bawn.discovery.pointing.rewrite import Gate, apply

    chosen = _chosen(clients, every)
    found = loaded(config)
    known = list(found.config.servers)
    gate = Gate(program(), found.path, found.config.servers)
    _insist_on_one(server, aggregate, exclusive, managed)
    if managed is not None:
        from bawn.cli.connect_managed import write_managed

        write_managed(managed, chosen, gate, found.config, yes=yes, dry_run=dry_run)
        return
    if exclusive:
        from bawn.cli.connect_exclusive import planned

        plans, refused = planned(chosen, gate, directory)
    elif aggregate:
        plans, refused = _aggregated(chosen, gate, directory, create=not every)
    else:
        plans, refused = _in_place(chosen, gate, directory, _wanted(server, known))
    changing = [plan for plan in plans if plan.changes]
    for plan in plans:
        show(plan)
    if not changing:
        print("Nothing to change.")
    elif not dry_run:
        ask(yes, f"Write {files(len(changing))}?")
        with explained():
            journal = Journal(default_path(os.environ))
            failed = carried_out((plan.path, partial(apply, plan, journal)) for plan in changing)
        refused += failed
        if failed < len(changing):
            print("Restart the clients. `bawn disconnect` takes this back.")
    if refused:
        raise typer.Exit(1)


def _insist_on_one(
    server: list[str] | None, aggregate: bool, exclusive: bool, managed: Path | None
) -> None:
    """Each of these is a way of its own."""
    if sum((bool(server), aggregate, exclusive, managed is not None)) > 1:
        fail(
            "expected at most one of --server, --aggregate, --exclusive and --managed.",
            "--exclusive and --managed add one entry for all servers by themselves.",
            code=2,
        )


def disconnect(
    clients: ClientsArgument = None,
    *,
    every: AllOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take back what `connect` did: byte for byte, or entry by entry in files that changed since. (stable)"""
    from bawn.discovery.documents.spans import Unreadable
    from bawn.discovery.pointing.journal import Journal, default_path
    from bawn.discovery.pointing.undo import apply, plan_undo

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
                refused += refuse(path, problem)
    for undo in undos:
        _show_undo(undo)
    if not undos and not refused:
        print("Nothing to take back.")
    elif undos and not dry_run:
        ask(yes, f"Restore {files(len(undos))}?")
        with explained():
            refused += carried_out((undo.path, partial(apply, undo, journal)) for undo in undos)
    if refused or any(undo.left for undo in undos):
        raise typer.Exit(1)


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


def _wanted(asked: list[str] | None, known: list[str]) -> list[str]:
    for name in asked or ():
        if name not in known:
            listed = ", ".join(known) or "none"
            fail(f"no server `{printable(name)}`; the configuration has {listed}.", code=2)
    return asked or known


def _in_place(
    clients: list[Client], gate: Gate, directory: Path | None, wanted: list[str]
) -> tuple[list[Plan], int]:
    """A plan for each file, and how many files are refused."""
    from bawn.discovery.clients import Roots
    from bawn.discovery.documents.spans import Unreadable
    from bawn.discovery.inventory import inventory
    from bawn.discovery.pointing.rewrite import plan_in_place

    plans: list[Plan] = []
    refused = 0
    project = directory.absolute() if directory else None
    for file in inventory(Roots.of(os.environ), project, clients):
        try:
            plans.append(plan_in_place(file, gate, wanted))
        except Unreadable as problem:
            refused += refuse(file.path, problem)
    return plans, refused


def _aggregated(
    clients: list[Client], gate: Gate, directory: Path | None, *, create: bool
) -> tuple[list[Plan], int]:
    """The same, for one entry in each client's first file."""
    from bawn.discovery.clients import Roots
    from bawn.discovery.documents.spans import Unreadable
    from bawn.discovery.inventory import aggregate_target
    from bawn.discovery.pointing.rewrite import plan_aggregate

    plans: list[Plan] = []
    refused = 0
    project = directory.absolute() if directory else None
    for client in clients:
        if not client.writable:
            print(f"{client.title}: its files are YAML and only read: add bawn by hand.")
            refused += create  # where it was named, that is not what was asked for
            continue
        target = aggregate_target(client, Roots.of(os.environ), project, create=create)
        if target is None:
            print(f"{client.title}: no file to add an entry to.")
            continue
        try:
            plans.append(plan_aggregate(target[0], gate, target[1]))
        except Unreadable as problem:
            refused += refuse(target[0].path, problem)
    return plans, refused


def _show_undo(undo: Undo) -> None:
    path = printable(str(undo.path))
    how = "byte for byte" if undo.exact else "entry by entry: the file has changed since"
    if undo.restored:
        print(f"{path}: {how}")
    for name in dict.fromkeys(undo.restored):
        print(f"  restored: {printable(name)}")
    for name, why in undo.left:
        print(f"  {path}: left as it is: {printable(name)} ({why})")
