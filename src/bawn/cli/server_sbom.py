"""`bawn server sbom`: what a local server would run, as a bill of materials."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded
from bawn.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.launching.package import Resolution
    from bawn.vulnerabilities.component import Inventory


def sbom(
    name: Annotated[str, typer.Argument(help="Id of the server.", show_default=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Print what a server would run as CycloneDX 1.6 JSON. Reads files, and starts nothing.

    It says itself whether it is complete; what could not be read goes to standard error. (preview)
    """
    from bawn.config.atomic import replace
    from bawn.vulnerabilities.cyclonedx import document

    found = loaded(config)
    inventory = inventory_of(found, name)
    text = json.dumps(document(name, inventory), indent=2) + "\n"
    if output is None:
        print(text, end="")
    else:
        try:
            replace(output, text.encode(), 0o644)
        except OSError as problem:
            fail(f"{output}: cannot be written ({problem.strerror}).", code=2)
    if inventory.completeness != "complete":
        why = printable(inventory.why)
        print(f"bawn: the inventory is {inventory.completeness}: {why}", file=sys.stderr)


def inventory_of(found: Loaded, name: str) -> Inventory:
    """What one server of the configuration would run; exits with 2 when there is no such server."""
    from bawn.vulnerabilities.inventory import of_server

    server = found.config.servers.get(name)
    if server is None:
        known = ", ".join(found.config.servers) or "none"
        fail(f"no server `{printable(name)}` in {found.path.name}; it has {known}.", code=2)
    return of_server(server, found.base, _resolution(found, name))


def _resolution(found: Loaded, name: str) -> Resolution | None:
    """What was installed for a server; a record that cannot be read is told, and counts for nothing."""
    from bawn.packages.store import resolutions
    from bawn.storage.directory import StateDirectory

    if not found.state.is_dir():
        return None
    with explained():
        state = StateDirectory(found.state)
        try:
            return resolutions(state).read(name)
        except (Refused, Misconfigured) as error:
            print(f"bawn: {printable(str(error))}", file=sys.stderr)
            return None
