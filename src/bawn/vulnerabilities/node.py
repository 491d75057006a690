"""What a script would run under Node: the packages that it can reach in `node_modules`.

Source: Node.js, "Modules: Loading from node_modules folders"; npm, "package-lock.json" (version 2 and 3).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bawn.vulnerabilities.component import Component, Inventory, Relation, listed, purl
from bawn.vulnerabilities.tree import LARGEST_LOCK, PACKAGES, Tree

_MODULES: Final = "node_modules"
_NEEDED: Final = ("dependencies", "optionalDependencies", "peerDependencies")


@dataclass(slots=True)
class _Package:
    """A package where it lies; `needs` holds where its dependencies do."""

    path: Path
    manifest: Mapping[str, Any]
    needs: list[Path] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its own name, else the one that it is found by."""
        return _text(self.manifest.get("name")) or _folder(self.path)

    @property
    def version(self) -> str:
        return _text(self.manifest.get("version"))

    @property
    def key(self) -> str:
        return purl("npm", self.name, self.version)


def inventory(script: Path) -> Inventory:
    """The packages of a script that is on the disk."""
    try:
        real = script.resolve(strict=True)
    except (OSError, RuntimeError):
        return listed((), "unknown", f"{script} is not there")
    for home in real.parents:
        if (home / "package.json").is_file():
            tree = Tree(_top(home))
            manifest = tree.read_json(home / "package.json")
            if manifest is not None and _text(manifest.get("name")):
                return _Reader(tree, home, manifest).inventory()
    return listed(
        (), "unknown", f"{script} belongs to no package: there is no package.json above it"
    )


def _top(home: Path) -> Path:
    """The outermost directory whose `node_modules` the package can load from."""
    above = [each for each in home.parents if (each / _MODULES).is_dir()]
    return above[-1] if above else home


class _Reader:
    """Collects the packages of one tree, from the one that is started on."""

    def __init__(self, tree: Tree, home: Path, manifest: Mapping[str, Any]) -> None:
        self._tree = tree
        self._home = home
        self._found = {home: _Package(home, manifest)}
        self._waiting = deque([home])

    def inventory(self) -> Inventory:
        """Everything reachable, and of a project everything that is installed in it."""
        self._reach()
        if _MODULES not in self._home.parts:
            for path in self._installed():
                self._note(path)
                self._reach()
        locked = self._locked()
        direct = set(self._found[self._home].needs)
        components = [self._component(each, direct, locked) for each in self._found.values()]
        why = self._tree.why
        return listed(components, "partial" if why else "complete", why)

    def _reach(self) -> None:
        while self._waiting:
            package = self._found[self._waiting.popleft()]
            for name, needed in _dependencies(package.manifest):
                path = self._resolve(package.path, name)
                if path is not None:
                    package.needs.append(path)
                elif needed:
                    self._tree.problems.append(f"{package.name} needs {name}, which is not there")

    def _resolve(self, start: Path, name: str) -> Path | None:
        for where in (start, *start.parents):
            if where.name != _MODULES and where.is_relative_to(self._tree.root):
                found = self._note(where / _MODULES / name)
                if found is not None:
                    return found
        return None

    def _note(self, path: Path) -> Path | None:
        """Where the package at this path really is; None when there is none that can be read."""
        real = self._tree.inside(path)
        if real is None:
            if path.is_symlink():
                self._tree.problems.append(f"{path} leads out of {self._tree.root}")
            return None
        if real in self._found:
            return real
        if not (real / "package.json").is_file():
            return None
        if len(self._found) >= PACKAGES:
            self._tree.problems.append(f"{self._tree.root}: more than {PACKAGES} packages")
            return None
        manifest = self._tree.read_json(real / "package.json")
        if manifest is None:
            return None
        self._found[real] = _Package(real, manifest)
        self._waiting.append(real)
        return real

    def _installed(self) -> Iterator[Path]:
        for directory in self._tree.directories(self._home):
            if directory.name == _MODULES:
                for each in self._tree.children(directory):
                    if each.name.startswith("@") and not each.is_symlink() and each.is_dir():
                        yield from self._tree.children(each)
                    elif not each.name.startswith("."):
                        yield each

    def _locked(self) -> dict[Path, Mapping[str, Any]]:
        """What npm noted of each package; a required one that is not there makes the list partial."""
        for place in (self._home, self._tree.root):
            for path in (place / "package-lock.json", place / _MODULES / ".package-lock.json"):
                lock = self._tree.read_json(path, LARGEST_LOCK) if path.is_file() else None
                packages = lock.get("packages") if lock is not None else None
                if isinstance(packages, dict):
                    return dict(self._entries(place, packages))
        return {}

    def _entries(
        self, place: Path, packages: Mapping[str, Any]
    ) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        for name, entry in packages.items():
            if name and isinstance(entry, dict):
                where = place / name
                yield where, entry
                spare = any(entry.get(flag) for flag in ("dev", "optional", "devOptional", "peer"))
                if not spare and place == self._home and not (where / "package.json").is_file():
                    self._tree.problems.append(f"{name} is in package-lock.json, and is not there")

    def _component(
        self, package: _Package, direct: set[Path], locked: Mapping[Path, Mapping[str, Any]]
    ) -> Component:
        entry = locked.get(package.path, {})
        same = entry.get("version") == package.version
        relation: Relation = "direct" if package.path in direct else "dependency"
        return Component(
            "npm",
            package.name,
            package.version,
            tuple(_text(entry.get("integrity")).split()) if same else (),
            "root" if package.path == self._home else relation,
            "optional" if entry.get("optional") or entry.get("dev") else "required",
            local=_MODULES not in package.path.parts,
            requires=tuple(sorted({self._found[each].key for each in package.needs})),
        )


def _dependencies(manifest: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """The names of what a package depends on, and whether it does without."""
    spare = set(_names(manifest, "optionalDependencies"))
    for name in dict.fromkeys(each for kind in _NEEDED for each in _names(manifest, kind)):
        yield name, name in _names(manifest, "dependencies") and name not in spare


def _names(manifest: Mapping[str, Any], kind: str) -> list[str]:
    told = manifest.get(kind)
    return [each for each in told if _is_name(each)] if isinstance(told, dict) else []


def _is_name(name: object) -> bool:
    """Whether it is `name` or `@scope/name`, and no way out of `node_modules`."""
    if not isinstance(name, str) or not 0 < len(name) <= 214:
        return False
    parts = name.split("/")
    scoped = len(parts) == 2 and name.startswith("@")
    return (len(parts) == 1 or scoped) and all(
        part not in {"", ".", "..", _MODULES} and "\0" not in part for part in parts
    )


def _folder(path: Path) -> str:
    scope = path.parent.name
    return f"{scope}/{path.name}" if scope.startswith("@") else path.name


def _text(value: object) -> str:
    return value if isinstance(value, str) and len(value) <= 1024 else ""
