"""What a virtual environment holds: the distributions whose metadata lie in its site-packages.

Source: Python Packaging User Guide, "Recording installed projects" and "Core metadata specifications".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Final

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from bawn.vulnerabilities.component import Component, Inventory, Relation, listed, normalised, purl
from bawn.vulnerabilities.tree import PACKAGES, Tree

_MANIFESTS: Final = {".dist-info": "METADATA", ".egg-info": "PKG-INFO"}
_UNREAD: Final = {".egg", ".egg-link"}


def environment(program: Path) -> Path | None:
    """The virtual environment that a program belongs to, by where it lies; links are not followed."""
    home = program.parent.parent
    return home if (home / "pyvenv.cfg").is_file() else None


def inventory(home: Path, started: str) -> Inventory:
    """The distributions of a virtual environment. `started` is the module or command that is run."""
    tree = Tree(home)
    sites = sorted(home.glob("lib/python3*/site-packages")) or sorted(
        home.glob("Lib/site-packages")
    )
    if not sites:
        return listed((), "unknown", f"{home} has no site-packages")
    if _shares(tree):
        tree.problems.append(f"{home} also uses the packages of the system's Python")
    found = [each for site in sites for each in _distributions(tree, site)]
    names = {normalised(each.component.name): each.component for each in found}
    root = _root(found, started)
    direct = root.requires if root is not None else frozenset()
    components = [_placed(each, root, direct, names) for each in found]
    return listed(components, "partial" if tree.why else "complete", tree.why)


@dataclass(frozen=True, slots=True)
class _Distribution:
    """A distribution, the names that it requires, and the commands that it brings."""

    component: Component
    requires: frozenset[str]
    commands: frozenset[str]


def _shares(tree: Tree) -> bool:
    content = tree.read(tree.root / "pyvenv.cfg") or b""
    lines = content.decode("utf-8", "replace").lower().splitlines()
    settings = dict(line.partition("=")[::2] for line in lines)
    return any(
        name.strip() == "include-system-site-packages" and value.strip() == "true"
        for name, value in settings.items()
    )


def _distributions(tree: Tree, site: Path) -> Iterator[_Distribution]:
    if tree.inside(site) is None:
        tree.problems.append(f"{site} leads out of {tree.root}")
        return
    for count, path in enumerate(tree.children(site)):
        if count >= PACKAGES:
            tree.problems.append(f"{site}: more than {PACKAGES} entries")
            return
        if path.suffix in _UNREAD or (path.suffix == ".pth" and _adds(tree, path)):
            tree.problems.append(f"{path.name} adds code that was not looked at")
        elif path.suffix in _MANIFESTS:
            found = _distribution(tree, path)
            if found is not None:
                yield found
            else:
                tree.problems.append(f"{path} has no readable metadata")


def _adds(tree: Tree, path: Path) -> bool:
    """Whether a .pth file names a directory; lines that begin with `import` are code of its package."""
    lines = (tree.read(path) or b"/").decode("utf-8", "replace").splitlines()
    return any(line.strip() and not line.startswith(("#", "import ", "import\t")) for line in lines)


def _distribution(tree: Tree, path: Path) -> _Distribution | None:
    manifest = path if path.is_file() else path / _MANIFESTS[path.suffix]
    content = tree.read(manifest)
    if content is None:
        return None
    headers = BytesHeaderParser().parsebytes(content)
    name, version = _header(headers, "Name"), _header(headers, "Version")
    if not name:
        return None
    entry_points = path / "entry_points.txt"
    commands = tree.read(entry_points) if entry_points.is_file() else None
    return _Distribution(
        Component("pypi", normalised(name), version),
        frozenset(_requirements(headers)),
        frozenset(_commands(commands or b"")),
    )


def _header(headers: Message, name: str) -> str:
    value = headers.get(name)
    return str(value).strip()[:1024] if value is not None else ""


def _requirements(headers: Message) -> Iterator[str]:
    for each in headers.get_all("Requires-Dist", [])[:PACKAGES]:
        try:
            yield normalised(Requirement(str(each)[:1024]).name)
        except (InvalidRequirement, RecursionError):
            continue


def _commands(entry_points: bytes) -> Iterator[str]:
    section = ""
    for line in entry_points.decode("utf-8", "replace").splitlines():
        if line.strip().startswith("["):
            section = line.strip()
        elif section == "[console_scripts]" and "=" in line:
            yield line.partition("=")[0].strip()


def _root(found: list[_Distribution], started: str) -> _Distribution | None:
    wanted = normalised(started.partition(".")[0])
    for each in found:
        if started and (started in each.commands or normalised(each.component.name) == wanted):
            return each
    return None


def _placed(
    each: _Distribution,
    root: _Distribution | None,
    direct: frozenset[str],
    names: dict[str, Component],
) -> Component:
    name = normalised(each.component.name)
    relation: Relation = "direct" if name in direct else "dependency"
    requires = sorted(
        purl("pypi", names[other].name, names[other].version)
        for other in each.requires
        if other in names and other != name
    )
    return msgspec.structs.replace(
        each.component, relation="root" if each is root else relation, requires=tuple(requires)
    )
