"""`bawn server install` and `update`: packages at exact versions, from digests, started from there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bawn.cli.options import ConfigOption, fail, find_config
from bawn.cli.quoting import printable
from bawn.cli.reading import explained, loaded, on_terminal
from bawn.errors import Misconfigured, Refused

if TYPE_CHECKING:
    from bawn.config.load import Loaded
    from bawn.findings.evidence import Evidence
    from bawn.launching.command import Launching
    from bawn.launching.package import Package, Resolution

YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def install(
    name: Annotated[
        str | None, typer.Argument(help="Id of the server.", show_default=False)
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Every local server that runs a package.")
    ] = False,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Resolve a local server's package to an exact version and digests, and install it from them. (preview)"""
    found = loaded(config)
    if (name is None) != every:
        fail("expected the id of a server, or --all.", "`bawn server list` shows them.", code=2)
    with explained():
        named = _all(found) if name is None else {name: _package(found, name)}
    if not named:
        print("No server runs a package that can be installed.")
    for server, (package, launching) in named.items():
        _install(found, server, package, launching, yes=yes)
    if named:
        print("A running gate takes it up with `bawn reload`.")


def update(
    name: Annotated[str, typer.Argument(help="Id of the server.")],
    to: Annotated[
        str | None,
        typer.Option("--to", metavar="VERSION", help="Which version; default the newest."),
    ] = None,
    yes: YesOption = False,
    config: ConfigOption = None,
) -> None:
    """Move a local server's package to another exact version, in the file and as installed. (preview)"""
    import msgspec

    from bawn.config import edit
    from bawn.packages.moving import moved as in_command

    path = find_config(config)
    found = loaded(config)
    with explained():
        package, launching = _package(found, name)
        if package.ecosystem == "binary":
            raise Misconfigured(f"{package.name}: is a file; put the new one there, and install it")
        moved = msgspec.structs.replace(package, version=to or "", digest="")
        resolution = _resolved(found, moved)
        server = found.config.servers[name]
        command = in_command(server, launching, package, resolution.package)
    print(f"{name}: {printable(str(package))} becomes {printable(str(resolution.package))}")
    evidence = _ask(found, name, resolution, yes=yes)
    with explained():
        before = edit.change(path, name, {"command": list(command)}, os.environ)
    again, started = _package(before, name)
    resolution = msgspec.structs.replace(resolution, asked=again)
    _put(before, name, resolution, started, evidence)
    print("A running gate takes it up with `bawn reload`.")


def _install(
    found: Loaded, name: str, package: Package, launching: Launching, *, yes: bool
) -> None:
    with explained():
        resolution = _resolved(found, package)
    print(f"{name}: {printable(str(resolution.package))}")
    evidence = _ask(found, name, resolution, yes=yes)
    _put(found, name, resolution, launching, evidence)


def _resolved(found: Loaded, package: Package) -> Resolution:
    from bawn.packages.resolve import resolve

    try:
        return resolve(package, found.base)
    except Refused as refused:
        fail(printable(f"{refused.message}: {refused.detail}"), refused.reason.fix)


def _ask(found: Loaded, name: str, resolution: Resolution, *, yes: bool) -> tuple[Evidence, ...]:
    """Show what would be installed, and ask; what its registry attests of it."""
    from bawn.cli.attested import look

    count = len(resolution.artifacts)
    print(
        f"  {count} {'artifact' if count == 1 else 'artifacts'}, each by its digest; "
        "scripts of packages are not run"
    )
    print(f"  digest {resolution.digest}")
    with explained():
        evidence = look(found, name, resolution)
    for each in evidence:
        print(printable(f"  {each.dimension}: {each.verdict}: {each.detail}"))
    if any(each.verdict == "failed" for each in evidence):
        fail("its provenance is not what it has to be.", "Nothing was installed.")
    if yes:
        return evidence
    if not on_terminal():
        fail("there is no terminal to ask on.", "Say `--yes` to install it unasked.", code=2)
    if not typer.confirm("Install exactly this?", default=True):
        fail("nothing was installed.")
    return evidence


def _put(
    found: Loaded,
    name: str,
    resolution: Resolution,
    launching: Launching,
    evidence: tuple[Evidence, ...],
) -> None:
    """Install it, and put it on record for its server."""
    from bawn.cli.attested import keep
    from bawn.packages import installed
    from bawn.packages.install import install as put
    from bawn.packages.store import resolutions
    from bawn.storage.directory import StateDirectory

    with explained():
        state = StateDirectory(found.state)
        try:
            done = put(resolution, state.packages, found.base, wanted=installed.wanted(launching))
            files = resolutions(state)
            try:
                files.update(name, lambda _: done)
            except Refused:  # what was on record cannot be read: this takes its place
                files.remove(name)
                files.update(name, lambda _: done)
            keep(found, name, evidence)
        except Refused as refused:
            fail(printable(f"{refused.message}: {refused.detail}"), refused.reason.fix)
    what = " ".join(done.program) or "started by its digest"
    print(f"  installed: {printable(what)}")


def _all(found: Loaded) -> dict[str, tuple[Package, Launching]]:
    from bawn.packages import installed

    named = {}
    for name, server in found.config.servers.items():
        try:
            one = installed.package_of(server, found.base)
        except Misconfigured as problem:
            print(printable(f"{name}: is left out: {problem}"))
            continue
        if one is not None and one[0].ecosystem != "binary":
            named[name] = one
    return named


def _package(found: Loaded, name: str) -> tuple[Package, Launching]:
    from bawn.packages import installed

    server = found.config.servers.get(name)
    if server is None:
        known = ", ".join(found.config.servers) or "none"
        fail(f"no server `{printable(name)}` in {found.path.name}; it has {known}.", code=2)
    one = installed.package_of(server, Path(found.base))
    if one is None:
        raise Misconfigured(
            f"{name}: its command runs no package of npm, PyPI or an image registry, and no program "
            "file; expected one such as `npx server-x@1.2.3`"
        )
    return one
