"""Installed packages on the disk, as npm and pip leave them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def package(path: Path, name: str, version: str = "1.0.0", **more: Any) -> Path:
    path.mkdir(parents=True, exist_ok=True)
    manifest = {"name": name, "version": version, **more}
    (path / "package.json").write_text(json.dumps(manifest), encoding="utf-8")
    (path / "index.js").write_text("process.exit(9)\n")
    return path


def needs(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, "^1.0.0")


def project(path: Path) -> Path:
    """A project with a direct and a nested dependency; its script."""
    package(path, "own", "0.1.0", dependencies=needs("a"), devDependencies=needs("tool"))
    modules = path / "node_modules"
    package(modules / "a", "a", dependencies=needs("@s/b"))
    package(modules / "a" / "node_modules" / "@s" / "b", "@s/b", "2.0.0")
    package(modules / "tool", "tool")
    return path / "index.js"


def environment(path: Path, config: str = "home = /usr/bin\n") -> Path:
    """A virtual environment; its site-packages."""
    (path / "bin").mkdir(parents=True)
    (path / "pyvenv.cfg").write_text(config)
    site = path / "lib" / "python3.11" / "site-packages"
    site.mkdir(parents=True)
    return site


def distribution(
    site: Path, name: str, version: str, requires: tuple[str, ...] = (), command: str = ""
) -> Path:
    home = site / f"{name}-{version}.dist-info"
    home.mkdir()
    lines = [
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {each}" for each in requires),
    ]
    (home / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *lines, "", "A text."]))
    if command:
        (home / "entry_points.txt").write_text(f"[console_scripts]\n{command} = x:main\n")
    return home
