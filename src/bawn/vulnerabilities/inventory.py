"""What a local server would run: by its resolution, else by what lies on the disk for its command."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bawn.config.server import Server
from bawn.launching.command import Launching
from bawn.launching.grammar import read
from bawn.launching.package import Package, Resolution
from bawn.vulnerabilities import node, venv
from bawn.vulnerabilities.component import Component, Inventory, Relation, listed, normalised

_SCRIPTS: Final = {".js", ".mjs", ".cjs", ".ts", ".mts", ".cts"}
_ADDING: Final = frozenset(
    ("NODE_PATH", "NODE_OPTIONS", "PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "LD_PRELOAD")
)


def of_server(server: Server, base: Path, resolution: Resolution | None) -> Inventory:
    """The inventory of a configured server; relative paths are from `base`. Reads the disk, runs nothing.

    A resolution of another package than the command names now counts for nothing.
    """
    if server.command is None:
        return listed((), "unknown", "it is a remote server: what it runs is not seen from here")
    cwd = base / Path(server.cwd or "").expanduser()
    launching = read(server.command, server.env, str(cwd))
    if resolution is not None and resolution.asked == launching.package:
        return of_resolution(resolution)
    found = of_launching(launching, server.command, cwd)
    added = sorted(_ADDING & server.env.keys())
    if not added or found.completeness != "complete":
        return found
    return listed(found.components, "partial", f"{added[0]} adds code that was not looked at")


def of_resolution(resolution: Resolution) -> Inventory:
    """Everything that was resolved for a package by its digests, and what that has within itself."""
    package = resolution.package
    if package.ecosystem not in {"npm", "pypi"}:
        return _alone(package, f"what is in {package} is not listed", resolution)
    root = _name(package.ecosystem, package.name)
    components = [
        Component(
            package.ecosystem,
            _name(package.ecosystem, each.name),
            each.version,
            (each.integrity,) if each.integrity else (),
            _relation((_name(package.ecosystem, each.name), each.version), (root, package.version)),
        )
        for each in (*resolution.artifacts, *resolution.bundled)
    ]
    if not any(each.relation == "root" for each in components):
        return _alone(package, f"{package} is not among its own artifacts", resolution)
    return listed(components, "complete", "", of=resolution.digest, resolved=True)


def of_launching(launching: Launching, command: Sequence[str], cwd: Path) -> Inventory:
    """What is on the disk for a command that nothing was resolved for."""
    if launching.package is not None and launching.package.ecosystem != "binary":
        return _unresolved(launching.package)
    program = Path(launching.program or command[0])
    interpreter = next((each for each in command if "/" in each), "")
    home = venv.environment(cwd / interpreter) if interpreter else None
    if home is not None:
        return venv.inventory(home, _started(launching, interpreter))
    script = cwd / program
    if launching.runner == "node" or (_real(script).suffix in _SCRIPTS and not launching.runner):
        return node.inventory(script)
    return listed((), "unknown", f"what is in {program.name} is not listed anywhere")


def _started(launching: Launching, interpreter: str) -> str:
    """The module or command that is run: of a script in `bin` its own name."""
    if launching.runner.startswith("python"):
        return Path(launching.program).name
    return Path(interpreter).name


def _unresolved(package: Package) -> Inventory:
    if not package.exact:
        return listed((), "unknown", f"{package} is no exact version, so that it may be any")
    return _alone(package, f"{package} was not resolved: what it depends on is not known", None)


def _alone(package: Package, why: str, resolution: Resolution | None) -> Inventory:
    """The package itself, and nothing of what it contains or needs."""
    component = Component(
        package.ecosystem,
        _name(package.ecosystem, package.name),
        package.digest or package.version,
        relation="root",
    )
    of = resolution.digest if resolution is not None else ""
    return listed((component,), "partial", why, of=of, resolved=resolution is not None)


def _relation(artifact: tuple[str, str], root: tuple[str, str]) -> Relation:
    return "root" if artifact == root else "dependency"


def _name(ecosystem: str, name: str) -> str:
    return normalised(name) if ecosystem == "pypi" else name


def _real(path: Path) -> Path:
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path
