"""`bawn trust`: read what a configuration starts, and consent to it."""

from __future__ import annotations

from typing import Annotated

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained, loaded, on_terminal
from bawn.config import trust as consents
from bawn.config.trust import Launch


def trust(
    config: ConfigOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Consent without being asked, for scripts.")
    ] = False,
) -> None:
    """Show every command that the configuration starts, and consent to it as it is."""
    found = loaded(config)
    starts = consents.launches(found.config)
    if not starts:
        print(f"{printable(str(found.path))} starts no programs: no consent is needed.")
        return
    print(f"{printable(str(found.path))} starts, as you and on this machine:\n")
    for start in starts:
        _show(start)
    with explained():
        if consents.is_trusted(found.path, found.digest):
            print("You have consented to this already; nothing has changed since.")
            return
        _ask(yes)
        consents.record(found.path, found.digest)
    print("Consent is recorded, for the file as it is now. A change to it asks again.")


def _show(start: Launch) -> None:
    print(f"  {start.server}")
    print(f"    {command_line(start.command)}")
    if start.cwd is not None:
        print(f"    in {printable(start.cwd)}")
    for name, value in start.env.items():
        print(f"    with {printable(name)}={printable(value)}")
    print()


def _ask(yes: bool) -> None:
    if yes:
        return
    if not on_terminal():
        fail(
            "there is no terminal to ask on, so nothing was consented to.",
            "Read the commands above, then run `bawn trust --yes`.",
            code=2,
        )
    if not typer.confirm("Start these programs from now on?", default=False):
        fail("nothing was consented to.", "Servers with a `command` will not be started.")
