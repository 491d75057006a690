"""`bawn trust`: read what a configuration starts, and consent to it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained, loaded, on_terminal

if TYPE_CHECKING:
    from bawn.config.load import Loaded


def trust(
    config: ConfigOption = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Consent without being asked, for scripts.")
    ] = False,
) -> None:
    """Show every command that the configuration starts, and consent to it as it is. (stable)"""
    from bawn.config import trust as consents

    found = loaded(config)
    if not consents.needs_consent(found.config):
        print(
            f"{printable(str(found.path))} starts no programs and sends no credentials: no consent is needed."
        )
        return
    with explained():
        if consents.is_trusted(found.path, found.digest):
            _show(found)
            print("You have consented to this already; nothing has changed since.")
            return
        consent(found, yes=yes)


def consent(found: Loaded, *, yes: bool = False) -> None:
    """Let a configuration pass that is trusted or starts nothing; else show, ask and record.

    Raises:
        Misconfigured: the store of consents cannot be used, or a server would get files of the gate's own.
    """
    from bawn.config import trust as consents
    from bawn.config.roots import refuse_roots

    refuse_roots(found)
    if not consents.needs_consent(found.config) or consents.is_trusted(found.path, found.digest):
        return
    _show(found)
    if not yes:
        _ask(found)
    consents.record(found.path, found.digest)
    print("Consent is recorded, for the file as it is now. A change to it asks again.")


def first_consent(found: Loaded) -> None:
    """Consent to a configuration that nobody has consented to before, without asking.

    One that has changed since needs a person: a server could have rewritten it for the next start.

    Raises:
        Misconfigured: it has changed, or the store of consents cannot be relied on.
    """
    from bawn.config import trust as consents
    from bawn.config.roots import refuse_roots
    from bawn.errors import Misconfigured

    refuse_roots(found)
    if not consents.needs_consent(found.config) or consents.is_trusted(found.path, found.digest):
        return
    if consents.was_trusted(found.path):
        raise Misconfigured(
            f"{found.path.name}: it has changed since it was consented to, and --trust-config stands for "
            f"the first consent only; read it, then run `bawn trust --yes --config {found.path}`"
        )
    try:
        consents.record(found.path, found.digest)
    except Misconfigured as problem:
        # a container with nowhere to write; then its next start is a first one again
        logging.getLogger("bawn.config").warning("consent cannot be recorded: %s", problem)


def _show(found: Loaded) -> None:
    from bawn.config import trust as consents

    print(f"{printable(str(found.path))} starts, on this machine and as you, or sends:\n")
    for start in consents.launches(found.config):
        print(f"  {start.server}")
        print(f"    {command_line(start.command)}")
        if start.cwd is not None:
            print(f"    in {printable(start.cwd)}")
        for name, value in start.env.items():
            print(f"    with {printable(name)}={printable(value)}")
        print()
    for sending in consents.sendings(found.config):
        print(f"  {sending.server}")
        print(
            f"    gets {printable(sending.token)} as its credential, at {printable(sending.url)}\n"
        )


def _ask(found: Loaded) -> None:
    path = command_line([str(found.path)])
    if not on_terminal():
        fail(
            "the owner's consent to these programs is needed, and there is no terminal to ask on.",
            f"Read the commands above, then run `bawn trust --yes --config {path}`.",
            code=2,
        )
    if not typer.confirm("Start these programs from now on?", default=False):
        fail("nothing was consented to, and nothing is started.")
