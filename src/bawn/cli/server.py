"""`bawn server`: the servers in the configuration file. Their live state is told by `bawn status`."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail, find_config
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained, loaded, on_terminal

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.config.model import Server

app = typer.Typer(no_args_is_help=True)
NameArgument = Annotated[str, typer.Argument(help="Id of the server.", show_default=False)]


@app.command()
def add(
    name: NameArgument,
    command: Annotated[
        list[str] | None,
        typer.Argument(help="After --: program and arguments of a local server."),
    ] = None,
    *,
    url: Annotated[str | None, typer.Option(help="Endpoint of a remote server.")] = None,
    bearer: Annotated[
        str | None,
        typer.Option(
            metavar="REF", help="Its token, as ${keyring:NAME}, ${file:PATH} or ${env:NAME}."
        ),
    ] = None,
    cwd: Annotated[str | None, typer.Option(help="Working directory of a local server.")] = None,
    env: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=REF", help="Environment of a local server; can be repeated."),
    ] = None,
    isolation: Annotated[
        str | None, typer.Option(help="principal, session, project or shared.")
    ] = None,
    prefix: Annotated[
        str | None, typer.Option(help="Prefix of its names on /mcp, in place of `NAME__`.")
    ] = None,
    required: Annotated[
        bool, typer.Option("--required", help="The gate is not ready while it fails.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Add a server: `bawn server add NAME --url URL`, or `bawn server add NAME -- COMMAND ARGS`. (stable)"""
    from bawn.config import edit

    if bool(command) == bool(url):
        fail(
            "expected either --url or a command after `--`.",
            f"`bawn server add {printable(name)} -- PROGRAM ARGUMENTS` or "
            f"`bawn server add {printable(name)} --url https://…`",
            code=2,
        )
    settings: dict[str, Any] = {
        "command": list(command or ()),
        "url": url,
        "cwd": cwd,
        "env": dict(map(_pair, env or ())),
        "auth": {"type": "bearer", "token": bearer} if bearer is not None else {},
        "isolation": isolation,
        "required": required,
    }
    settings = {key: value for key, value in settings.items() if value}
    if prefix is not None:  # the empty one means something
        settings["prefix"] = prefix
    path = find_config(config)
    with explained():
        found = edit.add(path, name, settings, os.environ)
        _tell_next(found, f"Added `{name}` to {printable(str(found.path))}.")


@app.command("list")
def list_servers(config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """List the servers in the file. (stable)"""
    from bawn.config.render import effective

    found = loaded(config)
    servers = found.config.servers
    if as_json:
        shown = effective(found.config)["servers"]
        print(json.dumps([{"id": name, **shown[name]} for name in servers], indent=2))
        return
    if not servers:
        print("No servers yet. Add one with `bawn server add`.")
    width = max(map(len, servers), default=0)
    tenants = max((len(server.tenant) for server in servers.values()), default=0)
    for name, server in servers.items():
        whose = f"  {server.tenant or '-':{tenants}}" if tenants else ""
        print(f"{name:{width}}{whose}  {server.isolation:9}  {_target(found, name, server)}")


@app.command()
def show(name: NameArgument, config: ConfigOption = None, as_json: JsonOption = False) -> None:
    """Show one server of the file, defaults included. Secrets are hidden. (stable)"""
    from bawn.config.render import effective, rendered

    found = loaded(config)
    _insist_on(found, name)
    tree = effective(found.config)["servers"][name]
    if as_json:
        print(json.dumps({"id": name, **tree}, indent=2))
        return
    for line in rendered({name: tree}):
        print(printable(line))


@app.command()
def remove(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigOption = None,
) -> None:
    """Remove a server from the file. (stable)"""
    from bawn.config import edit

    path = find_config(config)
    if not yes and not on_terminal():
        fail("there is no terminal to ask on.", "Say `--yes` to remove it unasked.", code=2)
    if not yes and not typer.confirm(f"Remove `{printable(name)}` from {path}?", default=False):
        fail("nothing was removed.")
    with explained():
        found = edit.remove(path, name, os.environ)
        _tell_next(found, f"Removed `{name}` from {printable(str(found.path))}.")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        # The text is not repeated: it may be the secret alone.
        fail("--env: expected NAME=VALUE, or NAME=${keyring:NAME} for a secret.", code=2)
    return name, value


def _tell_next(found: Loaded, done: str) -> None:
    from bawn.config import trust

    print(done)
    if trust.needs_consent(found.config) and not trust.is_trusted(found.path, found.digest):
        print(
            f"Next: `bawn trust --config {found.path}`, for it does not serve before your consent."
        )
    else:
        print("A running gate takes it up with `bawn reload`.")


def _insist_on(found: Loaded, name: str) -> None:
    if name not in found.config.servers:
        known = ", ".join(found.config.servers) or "none"
        fail(f"no server `{printable(name)}` in {found.path.name}; it has {known}.", code=2)


def _target(found: Loaded, name: str, server: Server) -> str:
    from bawn.config.render import effective

    if server.command is not None:
        return command_line(server.command)
    return printable(str(effective(found.config)["servers"][name]["url"]))
