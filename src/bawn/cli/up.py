"""`bawn up`: start the gate."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from bawn.app.starting import Starter
    from bawn.app.supervisor import Supervisor
    from bawn.config.load import Loaded


def up(
    config: ConfigOption = None,
    trust_config: Annotated[
        bool,
        typer.Option(
            "--trust-config",
            help="Consent to this configuration at its first start, for services; "
            "once it has changed, `bawn trust` is needed.",
        ),
    ] = False,
    locked: Annotated[
        bool,
        typer.Option(
            "--locked",
            help="Serve exactly what bawn.lock, beside the configuration, says; refuse the rest. (preview)",
        ),
    ] = False,
    insecure_no_auth: Annotated[
        bool,
        typer.Option(
            "--insecure-no-auth",
            help="Allow identity.mode none: everybody on this machine may call.",
        ),
    ] = False,
) -> None:
    """Start the gate in front of your servers. (stable)"""
    from bawn.app import starting
    from bawn.app.process import ChildFailedError
    from bawn.cli.trust import consent, first_consent
    from bawn.telemetry import logs

    found = loaded(config)
    logs.configure(found.config.log.format, found.config.log.level, sys.stderr)
    with explained():
        first_consent(found) if trust_config else consent(found)
        starter = starting.begin()
        try:
            asyncio.run(_run(found, starter, insecure_no_auth=insecure_no_auth, locked=locked))
        except ChildFailedError as error:
            fail(str(error), "Look at the log above; `bawn doctor` checks the surroundings.")


async def _run(found: Loaded, starter: Starter, *, insecure_no_auth: bool, locked: bool) -> None:
    from bawn.app.control import Control
    from bawn.app.supervisor import Supervisor
    from bawn.app.watch import watch

    supervisor = Supervisor(found, starter, insecure_no_auth=insecure_no_auth, locked=locked)
    with supervisor.state.hold():
        control = Control(supervisor)
        serving = await control.serve()
        watching = asyncio.create_task(watch(supervisor))
        try:
            await supervisor.run(lambda: print(_greeting(found, supervisor), flush=True))
        finally:
            watching.cancel()
            serving.close()
            control.close()


def _greeting(found: Loaded, supervisor: Supervisor) -> str:
    lock = supervisor.beside.lock
    told = [] if lock is None else lock_lines(lock.told())
    return "\n".join((welcome(found, unconfined(supervisor)), *told))


def lock_lines(lock: Mapping[str, Any]) -> list[str]:
    """By which lockfile a gate serves, who vouches for it, and which servers are refused."""
    who = ", ".join(lock["signers"]) or "nobody: no signature was asked for"
    return [
        f"LOCKED by {lock['file']}, sha256:{lock['digest'][:16]}, signed by {who}",
        *(printable(f"  refused {name}: {why}") for name, why in lock["refused"].items()),
    ]


def unconfined(supervisor: Supervisor) -> list[str]:
    """The local servers that run with the owner's rights."""
    from bawn.app import health

    told = health.read(supervisor.places.health).confinement
    return [name for name, how in told.items() if how.startswith("no: ")]


def welcome(found: Loaded, open_servers: Collection[str]) -> str:
    """What the owner reads once callers are served: where, how, and what is protected."""
    config = found.config
    names = ", ".join(config.servers) or "none yet: `bawn server add` brings one"
    free = (
        f"\n  Unconfined, with your rights (`bawn status` says why): {', '.join(open_servers)}."
        if open_servers
        else ""
    )
    observed = (
        "  OBSERVED ONLY: policy is decided and recorded, and nothing that it forbids is refused.\n\n"
        if config.enforcement == "observe"
        else ""
    )
    token = {
        "embedded": f"`bawn token --sub you --role developer --config {found.path}`",
        "oidc": "your authorization server",
        "none": "nobody: identity.mode is none, everybody on this machine may call",
    }[config.identity.mode]
    return f"""
bawn is up.

  Endpoint     {config.base_url}/mcp            all servers, tools named server__tool
               {config.base_url}/mcp/SERVER     one server, its own names
  Servers      {names}
  Tokens from  {token}
  Clients      `bawn connect` points yours at the gate; or give them the endpoint and a token
  Look at it   `bawn status`, `bawn server trust`, `bawn audit tail`

{observed}  Protected: every call is authenticated, decided by policy, bounded and recorded before it leaves;
  what servers offer serves as it was approved, and changes wait for `bawn server approve`;
  names, headers and JSON have one reading; your tokens never reach a server.
  Not protected: what a server's own code does, injected text that a model believes, and clients
  that go around the gate.{free}
"""
