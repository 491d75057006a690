"""The command line: one file for each verb; what a verb needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bawn import __version__
from bawn.cli import approvals as approvals_verbs
from bawn.cli import audit as audit_verbs
from bawn.cli import config as config_verbs
from bawn.cli import incident as incident_verbs
from bawn.cli import keys as keys_verbs
from bawn.cli import policy as policy_verbs
from bawn.cli import server as server_verbs
from bawn.cli.connect import connect, disconnect
from bawn.cli.doctor import doctor
from bawn.cli.drill import drill
from bawn.cli.init import init
from bawn.cli.policy_cases import cases
from bawn.cli.policy_explain import explain
from bawn.cli.policy_replay import replay
from bawn.cli.policy_suggest import suggest
from bawn.cli.reload import reload
from bawn.cli.scan import scan
from bawn.cli.status import status
from bawn.cli.stdio import stdio
from bawn.cli.token import token
from bawn.cli.trust import trust
from bawn.cli.up import up
from bawn.cli.why import why

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


server = typer.Typer(help="The servers in the configuration.", no_args_is_help=True)
server.command("add")(server_verbs.add)
server.command("list")(server_verbs.list_servers)
server.command("show")(server_verbs.show)
server.command("remove")(server_verbs.remove)

config = typer.Typer(help="The configuration itself.", no_args_is_help=True)
config.command("show")(config_verbs.show)
config.command("check")(config_verbs.check)
config.command("schema")(config_verbs.schema)
config.command("docs")(config_verbs.docs)

approvals = typer.Typer(help="Calls that wait for somebody's consent.", no_args_is_help=True)
approvals.command("list")(approvals_verbs.list_approvals)
approvals.command("show")(approvals_verbs.show)
approvals.command("grant")(approvals_verbs.grant)
approvals.command("deny")(approvals_verbs.deny)

audit = typer.Typer(help="The record of every call.", no_args_is_help=True)
audit.command("tail")(audit_verbs.tail)

for verb in (
    up,
    trust,
    reload,
    stdio,
    init,
    scan,
    connect,
    disconnect,
    token,
    status,
    why,
    doctor,
    drill,
):
    app.command()(verb)
keys = typer.Typer(help="The keys that seal sessions and cursors.", no_args_is_help=True)
keys.command("show")(keys_verbs.show)
keys.command("rotate")(keys_verbs.rotate)
incident = typer.Typer(help="The kill switch.", no_args_is_help=True)
incident.command("cut")(incident_verbs.cut)
incident.command("restore")(incident_verbs.restore)
incident.command("list")(incident_verbs.list_cuts)
policy = typer.Typer(help="The rules of what callers may do.", no_args_is_help=True)
policy.command("check")(policy_verbs.check)
policy.command("fmt")(policy_verbs.fmt)
policy.command("show")(policy_verbs.show)
policy.command("test")(cases)
policy.command("explain")(explain)
policy.command("replay")(replay)
policy.command("suggest")(suggest)
app.add_typer(server, name="server")
app.add_typer(config, name="config")
app.add_typer(audit, name="audit")
app.add_typer(approvals, name="approvals")
app.add_typer(incident, name="incident")
app.add_typer(keys, name="keys")
app.add_typer(policy, name="policy")


def main() -> None:
    """The program's entry."""
    app()
