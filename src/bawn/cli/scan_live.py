"""`bawn scan --live`: says what it starts or reaches, asks, and lists it once."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from bawn.assurance.scanning import sources
from bawn.assurance.scanning.target import Target
from bawn.cli.options import fail
from bawn.cli.quoting import command_line, printable
from bawn.cli.reading import on_terminal
from bawn.errors import Misconfigured

if TYPE_CHECKING:
    from bawn.app.listing import Listed
    from bawn.config.load import Loaded


def listed(gate: Loaded, targets: list[Target], *, yes: bool) -> list[Target]:
    """The servers of a configuration with what they offer now; exits with 2 unless somebody agrees.

    Raises:
        Misconfigured: they must not be started, or cannot.
    """
    from bawn.cli.trust import consent

    active = [each for each in targets if each.settings and each.settings.status != "disabled"]
    _agree(active, yes=yes)
    consent(gate)
    servers = {each.name: gate.config.servers[each.name] for each in active}
    only = replace(gate, config=gate.config.model_copy(update={"servers": servers}))
    found = _run(only)
    for name, why in found.failed.items():
        print(f"bawn: {name} was not listed: {printable(why)}", file=sys.stderr)
    return [
        sources.listed(each, found.listings[each.name]) if each.name in found.listings else each
        for each in targets
    ]


def one(url: str, *, yes: bool) -> Target:
    """A remote server, by its URL alone.

    Raises:
        Misconfigured: it is no URL, or does not answer.
    """
    from pydantic import ValidationError

    from bawn.config import Config, Server
    from bawn.config.load import Loaded

    try:
        server = Server(url=url)
    except ValidationError as error:
        told = "; ".join(each["msg"] for each in error.errors(include_input=False))
        raise Misconfigured(f"--url: {told}") from None
    target = sources.of_server("remote", server, "", Path())
    _agree([target], yes=yes)
    config = Config(servers={"remote": server})
    found = _run(Loaded(config, Path("bawn.yaml").absolute(), ""))
    if "remote" not in found.listings:
        raise Misconfigured(f"{url}: it was not listed: {found.failed.get('remote', 'no answer')}")
    return sources.listed(target, found.listings["remote"])


def _agree(targets: list[Target], *, yes: bool) -> None:
    """Say what will be started and reached, and go on only if somebody agrees."""
    for each in targets:
        if each.command:
            print(f"starts {each.name}: {command_line(each.command)}", file=sys.stderr)
        else:
            print(f"reaches {each.name}: {printable(each.url)}", file=sys.stderr)
    if yes:
        return
    if not on_terminal():
        fail("there is no terminal to ask on.", "Read it, then add --yes.", code=2)
    if not typer.confirm("Go on?", default=False):
        fail("nothing was started.")


def _run(gate: Loaded) -> Listed:
    from bawn.app import listing
    from bawn.app.process import ChildFailedError
    from bawn.packages.installed import for_servers
    from bawn.storage.directory import StateDirectory
    from bawn.telemetry import logs

    logs.configure("auto", "error", sys.stderr)
    hide: tuple[Path, ...] = ()
    installed: dict[str, Any] = {}
    if gate.digest and gate.state.is_dir():
        state = StateDirectory(gate.state)
        hide, installed = (state.path,), dict(for_servers(gate.config, state, gate.base))
    try:
        return listing.run(gate, installed, hide)
    except ChildFailedError as error:
        fail(str(error), "`bawn doctor` checks the surroundings.")
