"""`bawn server`: the servers in the configuration file. Their live state is told by `bawn status`."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bawn.cli.options import ConfigOption, JsonOption, fail, find_config
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import explained, loaded, on_terminal
from bawn.cli.servers import NameArgument, tell_next

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.config.server import Server

app = typer.Typer(no_args_is_help=True)


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
        tell_next(found, f"Added `{name}` to {printable(str(found.path))}.")


@app.command("list")
def list_servers(
    label: Annotated[
        list[str] | None, typer.Option("--label", help="Only those with this label; repeatable.")
    ] = None,
    status: Annotated[
        str | None, typer.Option("--status", help="Only active, deprecated or disabled ones.")
    ] = None,
    owner: Annotated[str | None, typer.Option("--owner", help="Only those of this owner.")] = None,
    config: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the servers in the file. (stable)"""
    from bawn.config.render import effective

    if status not in {None, "active", "deprecated", "disabled"}:
        fail("--status: expected active, deprecated or disabled.", code=2)
    found = loaded(config)
    servers = {
        name: server
        for name, server in found.config.servers.items()
        if set(label or ()) <= set(server.labels)
        and status in {None, server.status}
        and owner in {None, server.owner}
    }
    if as_json:
        shown = effective(found.config)["servers"]
        print(json.dumps([{"id": name, **shown[name]} for name in servers], indent=2))
    elif not found.config.servers:
        print("No servers yet. Add one with `bawn server add`.")
    elif not servers:
        print("No server is like that.")
    else:
        for line in _table(found, servers):
            print(line)


_OPTIONAL: Final[tuple[tuple[str, Callable[[Server], str]], ...]] = (
    ("", lambda server: server.tenant),
    ("active", lambda server: server.status),
    ("", lambda server: server.owner),
    ("", lambda server: ",".join(server.labels)),
)
"""Columns that are shown where a server has something to say there: what says nothing, and the text."""


def _table(found: Loaded, servers: dict[str, Server]) -> Iterator[str]:
    columns = [list(servers)]
    for nothing, text in _OPTIONAL:
        told = [text(server) for server in servers.values()]
        if set(told) != {nothing}:
            columns.append([printable(each) or "-" for each in told])
    if found.state.is_dir():  # else nothing is known yet
        columns.append(_trust(found, servers))
    columns.append([server.isolation for server in servers.values()])
    columns.append([_target(found, name, server) for name, server in servers.items()])
    widths = [max(map(len, column)) for column in columns[:-1]]
    for row in zip(*columns, strict=True):
        *padded, last = row
        cells = [f"{cell:{width}}" for cell, width in zip(padded, widths, strict=True)]
        yield "  ".join([*cells, last])


def _trust(found: Loaded, servers: dict[str, Server]) -> list[str]:
    """What failed of each server's trust, else how much of it is verified."""
    from bawn.cli.server_trust import statuses

    known = statuses(found)
    cells = []
    for name in servers:
        status = known.of(name)
        failed = ",".join(status.of("failed"))
        verified = f"{len(status.of('verified'))}/{len(status.evidence)} verified"
        cells.append(f"FAILED:{failed}" if failed else verified)
    return cells


@app.command()
def remove(
    name: NameArgument,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    forget: Annotated[
        bool,
        typer.Option(
            "--forget", help="And what was approved of it: another of this id is first seen then."
        ),
    ] = False,
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
        if forget:
            _forget(found, name)
        tell_next(found, f"Removed `{name}` from {printable(str(found.path))}.")


def _forget(found: Loaded, name: str) -> None:
    """Take a server off the record: its pins, evidence and package."""
    from bawn.errors import Refused
    from bawn.storage.directory import StateDirectory
    from bawn.storage.files import ServerFiles

    if not found.state.is_dir():
        return
    state = StateDirectory(found.state)
    for directory in (state.pins, state.evidence, state.packages):
        try:
            ServerFiles(directory, object).remove(name)
        except Refused as refused:
            fail(printable(refused.detail), refused.reason.fix)


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        # The text is not repeated: it may be the secret alone.
        fail("--env: expected NAME=VALUE, or NAME=${keyring:NAME} for a secret.", code=2)
    return name, value


def _target(found: Loaded, name: str, server: Server) -> str:
    from bawn.config.render import effective

    if server.command is not None:
        return command_line(server.command)
    return printable(str(effective(found.config)["servers"][name]["url"]))
