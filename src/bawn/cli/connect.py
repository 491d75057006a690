"""`bawn connect` and `bawn disconnect`: point clients at the gate, and take that back."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from functools import partial
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
    *,
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
    """Point clients at the gate: each entry in place, after showing the difference. Undone by `disconnect`. (stable)"""
    from bawn.discovery.journal import Journal, default_path
    from bawn.discovery.rewrite import Gate, apply

    chosen = _chosen(clients, every)
    found = loaded(config)
    known = list(found.config.servers)
    gate = Gate(program(), found.path, found.config.servers)
    if aggregate:
        plans, refused = _aggregated(chosen, gate, directory, create=not every)
    else:
        plans, refused = _in_place(chosen, gate, directory, _wanted(server, known))
    changing = [plan for plan in plans if plan.changes]
    for plan in plans:
        _show(plan)
    if not changing:
        print("Nothing to change.")
    elif not dry_run:
        _ask(yes, f"Write {_files(len(changing))}?")
        with explained():
            journal = Journal(default_path(os.environ))
            failed = _carried_out((plan.path, partial(apply, plan, journal)) for plan in changing)
        refused += failed
        if failed < len(changing):
            print("Restart the clients. `bawn disconnect` takes this back.")
    if refused:
        raise typer.Exit(1)


def disconnect(
    clients: ClientsArgument = None,
    *,
    every: AllOption = False,
    yes: YesOption = False,
    dry_run: DryRunOption = False,
) -> None:
    """Take back what `connect` did: byte for byte, or entry by entry in files that changed since. (stable)"""
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
            refused += _carried_out((undo.path, partial(apply, undo, journal)) for undo in undos)
    if refused or any(undo.left for undo in undos):
        raise typer.Exit(1)


def program() -> str:
    """The absolute path of the `bawn` program, for entries that work from anywhere."""
    called = Path(sys.argv[0])
    on_path = shutil.which("bawn")
    # A bare name is not looked for in the working directory, which may be anybody's project.
    candidates = [called] if called.name == "bawn" and os.sep in sys.argv[0] else []
    candidates += [Path(on_path)] if on_path else []
    candidates.append(Path(sys.executable).with_name("bawn"))
    found = next((c for c in candidates if c.is_file() and os.access(c, os.X_OK)), None)
    if found is None:
        fail(
            "the program `bawn` was not found, so clients could not start it.",
            "Install it, for example with `uv tool install bawn`.",
            code=2,
        )
    return str(found.absolute())  # links are kept: installers move what they lead to


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
    from bawn.discovery.inventory import inventory
    from bawn.discovery.rewrite import plan_in_place
    from bawn.discovery.spans import Unreadable

    plans: list[Plan] = []
    refused = 0
    project = directory.absolute() if directory else None
    for file in inventory(Roots.of(os.environ), project, clients):
        try:
            plans.append(plan_in_place(file, gate, wanted))
        except Unreadable as problem:
            refused += _refuse(file.path, problem)
    return plans, refused


def _aggregated(
    clients: list[Client], gate: Gate, directory: Path | None, *, create: bool
) -> tuple[list[Plan], int]:
    """The same, for one entry in each client's first file."""
    from bawn.discovery.clients import Roots
    from bawn.discovery.inventory import aggregate_target
    from bawn.discovery.rewrite import plan_aggregate
    from bawn.discovery.spans import Unreadable

    plans: list[Plan] = []
    refused = 0
    project = directory.absolute() if directory else None
    for client in clients:
        target = aggregate_target(client, Roots.of(os.environ), project, create=create)
        if target is None:
            print(f"{client.title}: no file to add an entry to.")
            continue
        try:
            plans.append(plan_aggregate(target[0], gate, target[1]))
        except Unreadable as problem:
            refused += _refuse(target[0].path, problem)
    return plans, refused


def _show(plan: Plan) -> None:
    """The difference for one file, and what is left as it is."""
    from bawn.discovery.difference import unified

    if not plan.changes and not plan.left:
        return
    path = printable(str(plan.path))
    target = plan.snapshot.target if plan.path.is_symlink() and plan.snapshot else None
    link = f" (a link to {printable(str(target))})" if target else ""
    if plan.changes:
        print(f"--- {path}{link}\n+++ {path}, connected")
        for line in unified(plan.document, plan.edits):
            print("\t".join(map(printable, line.split("\t"))))
    else:
        print(f"{plan.client.title}: {path}{link}")
    for left in plan.left:
        print(f"  left as it is: {printable(left.name)} ({printable(left.why)})")
    if any(left.unknown for left in plan.left):
        print("  `bawn init` imports such servers; `bawn server add` adds one.")
    print()


def _show_undo(undo: Undo) -> None:
    path = printable(str(undo.path))
    how = "byte for byte" if undo.exact else "entry by entry: the file has changed since"
    if undo.restored:
        print(f"{path}: {how}")
    for name in dict.fromkeys(undo.restored):
        print(f"  restored: {printable(name)}")
    for name, why in undo.left:
        print(f"  {path}: left as it is: {printable(name)} ({why})")


def _ask(yes: bool, question: str) -> None:
    if yes:
        return
    if not on_terminal():
        fail("there is no terminal to ask on.", "Read what changes, then say `--yes`.", code=2)
    if not typer.confirm(question, default=False):
        fail("nothing was written.")


def _carried_out(steps: Iterable[tuple[Path, Callable[[], None]]]) -> int:
    """Take every step, and count those that were refused."""
    from bawn.discovery.spans import Unreadable

    refused = 0
    for path, step in steps:
        try:
            step()
        except Unreadable as problem:
            refused += _refuse(path, problem)
    return refused


def _refuse(path: Path, problem: Exception) -> int:
    print(f"bawn: {printable(str(path))}: {printable(str(problem))}", file=sys.stderr)
    return 1


def _files(number: int) -> str:
    return f"{number} file{'' if number == 1 else 's'}"
