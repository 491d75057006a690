"""The command line: one file for each verb; what a verb needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bawn import __version__
from bawn.cli import audit as audit_verbs
from bawn.cli import config as config_verbs
from bawn.cli import server as server_verbs
from bawn.cli.connect import connect, disconnect
from bawn.cli.doctor import doctor
from bawn.cli.init import init
from bawn.cli.reload import reload
from bawn.cli.scan import scan
from bawn.cli.status import status
from bawn.cli.stdio import stdio
from bawn.cli.token import token
from bawn.cli.trust import trust
from bawn.cli.up import up

app = typer.Typer(
    name="bawn",
    help="The guarded gate between AI agents and MCP servers.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"bawn {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """The guarded gate between AI agents and MCP servers."""


for verb in (up, trust, reload, stdio, init, scan, connect, disconnect, token, status, doctor):
    app.command()(verb)
app.add_typer(server_verbs.app, name="server", help="The servers in the configuration.")
app.add_typer(config_verbs.app, name="config", help="The configuration itself.")
app.add_typer(audit_verbs.app, name="audit", help="The record of every call.")


def main() -> None:
    """The program's entry."""
    app()
