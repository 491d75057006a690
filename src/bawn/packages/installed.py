"""How each server is started from what was installed for it."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from bawn.config import Config, Server
from bawn.errors import Misconfigured, Refused
from bawn.launching.command import Launching, name_of
from bawn.launching.grammar import read
from bawn.launching.installed import Installed
from bawn.launching.package import Package, Resolution
from bawn.packages import resolve
from bawn.packages.install import place
from bawn.packages.store import resolutions
from bawn.storage.directory import StateDirectory

_FETCHING: Final = frozenset(
    ("npx", "npm exec", "npm x", "pnpx", "pnpm dlx", "yarn dlx", "bunx", "bun x", "uvx", "uv tool run",
     "uv tool uvx", "pipx run")
)  # fmt: skip
_ENGINES: Final = frozenset(("docker", "podman", "nerdctl"))
"""Whose packages are installed. Others, such as deno, confine what they run, and stay before it."""
_HARMLESS: Final = frozenset(("-y", "--yes", "-q", "--quiet", "-s", "--silent", "--"))
_NAMING: Final = frozenset(("-p", "--package", "--from", "--spec"))
"""Options of those runners that are kept by installing: all others would change what runs."""
_NAME: Final = re.compile(r"@?[A-Za-z0-9][A-Za-z0-9._/-]*")


def for_servers(
    config: Config, state: StateDirectory, base: Path, *, required: bool = False
) -> dict[str, Installed]:
    """What is started for local servers whose package is on record, exactly as the command names it.

    A server that is not in it is started as its command says. One whose record cannot be used has a
    `problem`; with `required`, so has every one whose package was not installed.
    """
    found: dict[str, Installed] = {}
    for name, server in config.servers.items():
        one = _installed(name, server, state, base, required)
        if one is not None:
            found[name] = one
    return found


def package_of(server: Server, base: Path) -> tuple[Package, Launching] | None:
    """The package that a server's command runs, if it is of a kind that is installed.

    Raises:
        Misconfigured: an option of its runner says how it is run, and would be lost.
    """
    command = server.command
    if command is None:
        return None
    cwd = str(base / Path(server.cwd).expanduser()) if server.cwd else str(base)
    launching = read(command, server.env, cwd)
    package = launching.package
    if package is None or package.ecosystem == "binary":
        return (package, launching) if package and "/" in package.name else None
    runner = launching.runner
    if runner.split()[0] != name_of(command[0]):
        raise Misconfigured(f"`{command[0]}` stands before `{runner}`; expected that to come first")
    if runner in _FETCHING:
        _insist_on_plain(command, launching)
    elif runner not in _ENGINES:
        return None
    return package, launching


def wanted(launching: Launching) -> str:
    """The entry point that a command names besides its package; empty for the package's own."""
    package, program = launching.package, launching.program
    bare = _NAME.match(program)
    own = (
        package is None or not bare or canonicalize_name(bare[0]) == canonicalize_name(package.name)
    )
    return "" if own else program


def _insist_on_plain(command: tuple[str, ...], launching: Launching) -> None:
    own = command[1 : len(command) - len(launching.arguments)]
    names = 0
    for word in own:
        option, equals, _ = word.partition("=")
        names += option in _NAMING
        if "[" in word:
            raise Misconfigured(
                f"`{word}` has extras, which are not resolved; expected the name alone"
            )
        if word.startswith("-") and word not in _HARMLESS and option not in _NAMING:
            raise Misconfigured(
                f"the option `{option}{equals}` of {launching.runner} says how its package is run, and "
                "would be lost; expected a command without it"
            )
    if names > 1:
        raise Misconfigured(f"{launching.runner} is to take {names} packages; expected one")


def start(
    resolution: Resolution, launching: Launching, server: Server, packages: Path
) -> Installed:
    """The command line that stands for a server's own.

    Raises:
        Misconfigured: the resolution is of another form.
        Refused: integrity.launch.
    """
    resolve.check(resolution)
    if resolution.package.ecosystem == "oci":
        return Installed(_by_digest(resolution, server))
    tree = place(packages, resolution)
    if not resolution.program or not resolution.tree or not tree.is_dir():
        raise Misconfigured("it was installed, and is not there any more")
    words = [_within(tree, word) for word in resolution.program]
    return Installed((*words, *launching.arguments), str(tree), resolution.tree)


def _installed(
    name: str, server: Server, state: StateDirectory, base: Path, required: bool
) -> Installed | None:
    try:
        named = package_of(server, base)
    except Misconfigured as error:
        return Installed(problem=f"it cannot be installed: {error}") if required else None
    if named is None:
        return None
    package, launching = named
    try:
        resolution = resolutions(state).read(name)
        if resolution is not None and resolution.asked == package:
            return start(resolution, launching, server, state.packages)
    except (Misconfigured, Refused) as error:
        return Installed(problem=f"{package}: {error}; `bawn server install {name}` repairs it")
    if required and package.ecosystem != "binary":
        return Installed(
            problem=f"{package} is not installed; `bawn server install {name}` does it"
        )
    return None


def _by_digest(resolution: Resolution, server: Server) -> tuple[str, ...]:
    """The command with its image named by digest: the engine then insists on exactly that one."""
    asked, digest = resolution.asked, resolution.package.digest
    words = server.command or ()
    spelled = {asked.name, f"{asked.name}:{asked.version}", f"{asked.name}@{asked.digest}",
               f"{asked.name}:{asked.version}@{asked.digest}"}  # fmt: skip
    places = [
        at for at, word in enumerate(words) if word.lower() in {each.lower() for each in spelled}
    ]
    if len(places) != 1:
        raise Misconfigured(f"the command names the image {asked.name} {len(places)} times")
    at = places[0]
    return (*words[:at], f"{asked.name}@{digest}", *words[at + 1 :])


def _within(tree: Path, word: str) -> str:
    """A word of the program; one that is a path, made absolute.

    Raises:
        Misconfigured: it leads out of the tree.
    """
    if "/" not in word or word.startswith("-"):
        return word
    path = os.path.normpath(tree / word)
    if not Path(path).is_relative_to(tree):
        raise Misconfigured(f"its program {word!r} is not within what was installed")
    return path
