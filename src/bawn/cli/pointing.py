"""What `connect` and `discover --adopt` share: showing, asking, and carrying out."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from bawn.cli.options import fail
from bawn.cli.quoting import printable
from bawn.cli.reading import on_terminal

if TYPE_CHECKING:
    from bawn.discovery.pointing.rewrite import Plan


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


def show(plan: Plan) -> None:
    """The difference for one file, and what is left as it is."""
    from bawn.discovery.documents.difference import between, unified
    from bawn.discovery.inventory import open_document

    if not plan.changes and not plan.left:
        return
    path = printable(str(plan.path))
    target = plan.snapshot.target if plan.path.is_symlink() and plan.snapshot else None
    link = f" (a link to {printable(str(target))})" if target else ""
    if plan.changes:
        print(f"--- {path}{link}\n+++ {path}, connected")
        after = open_document(plan.path, plan.after)
        edits = plan.edits
        for line in unified(plan.document, edits) if edits else between(plan.document, after):
            print("\t".join(map(printable, line.split("\t"))))
    else:
        print(f"{plan.client.title}: {path}{link}")
    for left in plan.left:
        print(f"  left as it is: {printable(left.name)} ({printable(left.why)})")
    if any(left.unknown for left in plan.left):
        print("  `bawn init` imports such servers; `bawn server add` adds one.")
    print()


def ask(yes: bool, question: str) -> None:
    """Go on only when the user says so."""
    if yes:
        return
    if not on_terminal():
        fail("there is no terminal to ask on.", "Read what changes, then say `--yes`.", code=2)
    if not typer.confirm(question, default=False):
        fail("nothing was written.")


def carried_out(steps: Iterable[tuple[Path, Callable[[], None]]]) -> int:
    """Take every step, and count those that were refused."""
    from bawn.discovery.documents.spans import Unreadable

    refused = 0
    for path, step in steps:
        try:
            step()
        except Unreadable as problem:
            refused += refuse(path, problem)
    return refused


def refuse(path: Path, problem: Exception) -> int:
    """Say why a file is left alone; one, for counting."""
    print(f"bawn: {printable(str(path))}: {printable(str(problem))}", file=sys.stderr)
    return 1


def files(number: int) -> str:
    """So many files, in words."""
    return f"{number} file{'' if number == 1 else 's'}"
