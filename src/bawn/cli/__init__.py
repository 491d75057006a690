"""The command line: one file for each verb; what a verb needs is imported when it runs."""

from __future__ import annotations

from typing import Annotated

import typer

from bawn import __version__
from bawn.cli import approvals as approvals_verbs
from bawn.cli import audit as audit_verbs
from bawn.cli import bench as bench_verbs
from bawn.cli import config as config_verbs
from bawn.cli import incident as incident_verbs
from bawn.cli import keys as keys_verbs
from bawn.cli import policy as policy_verbs
from bawn.cli import quarantine as quarantine_verbs
from bawn.cli import server as server_verbs
from bawn.cli import server_export as export_verbs
from bawn.cli import server_import as import_verbs
from bawn.cli import server_install as install_verbs
from bawn.cli import server_review as review_verbs
from bawn.cli import sign as sign_verbs
from bawn.cli import sign_keys, sign_root
from bawn.cli.connect import connect, disconnect
from bawn.cli.demo import demo
from bawn.cli.discover import discover
from bawn.cli.doctor import doctor
from bawn.cli.drill import drill
from bawn.cli.init import init
from bawn.cli.lock import lock
from bawn.cli.policy_cases import cases
from bawn.cli.policy_explain import explain
from bawn.cli.policy_replay import replay
from bawn.cli.policy_suggest import suggest
from bawn.cli.reload import reload
from bawn.cli.scan import scan
from bawn.cli.server_sbom import sbom
from bawn.cli.server_set import set_facts
from bawn.cli.server_show import show as show_server
from bawn.cli.server_trust import trust as trust_servers
from bawn.cli.server_vulnerabilities import vulnerabilities
from bawn.cli.sign_init import init as sign_init
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
server.command("show")(show_server)
server.command("set")(set_facts)
server.command("import")(import_verbs.import_server)
server.command("export")(export_verbs.export)
server.command("remove")(server_verbs.remove)
server.command("diff")(review_verbs.diff)
server.command("approve")(review_verbs.approve)
server.command("reject")(review_verbs.reject)
server.command("quarantine")(review_verbs.quarantine)
server.command("release")(review_verbs.release)
server.command("install")(install_verbs.install)
server.command("update")(install_verbs.update)
server.command("sbom")(sbom)
server.command("vulnerabilities")(vulnerabilities)
server.command("trust")(trust_servers)

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

held = typer.Typer(help="Answers that are held back.", no_args_is_help=True)
held.command("list")(quarantine_verbs.list_held)
held.command("show")(quarantine_verbs.show)
held.command("release")(quarantine_verbs.release)
held.command("discard")(quarantine_verbs.discard)

audit = typer.Typer(help="The record of every call.", no_args_is_help=True)
audit.command("tail")(audit_verbs.tail)

for verb in (
    up,
    trust,
    reload,
    stdio,
    init,
    lock,
    scan,
    discover,
    connect,
    disconnect,
    token,
    status,
    why,
    doctor,
    demo,
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
bench = typer.Typer(help="Measurements.", no_args_is_help=True)
bench.command("detect")(bench_verbs.detect)
app.add_typer(bench, name="bench")
app.add_typer(server, name="server")
app.add_typer(held, name="quarantine")
app.add_typer(config, name="config")
app.add_typer(audit, name="audit")
app.add_typer(approvals, name="approvals")
app.add_typer(incident, name="incident")
app.add_typer(keys, name="keys")
app.add_typer(policy, name="policy")
sign = typer.Typer(help="Signatures: who vouches for what is served.", no_args_is_help=True)
sign.command("init")(sign_init)
sign.command("lock")(sign_verbs.lock)
sign.command("server")(sign_verbs.server)
sign.command("verify")(sign_verbs.verify)
sign_key = typer.Typer(help="Keys that sign.", no_args_is_help=True)
sign_key.command("new")(sign_keys.new)
sign_key.command("show")(sign_keys.show)
sign_roots = typer.Typer(help="The trust root: whose keys count for what.", no_args_is_help=True)
sign_roots.command("show")(sign_root.show)
sign_roots.command("verify")(sign_root.verify)
sign_roots.command("rotate")(sign_root.rotate)
sign_roots.command("trust")(sign_root.trust)
sign.add_typer(sign_key, name="key")
sign.add_typer(sign_roots, name="root")
app.add_typer(sign, name="sign")


def main() -> None:
    """The program's entry."""
    app()
