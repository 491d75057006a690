"""Installing from digests into the store: whole and as resolved, or not at all.

What is installed is named by its digest. It is made beside its place and moved there when it is complete
and read-only, so that whatever has its name is whole; what a killed process left has none.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from bawn.errors import INTEGRITY_LAUNCH, INTEGRITY_STORE, Misconfigured, Refused
from bawn.launching.package import Artifact, Resolution
from bawn.packages import npm, pypi, resolve
from bawn.packages.tool import Run, Tool
from bawn.storage import trees
from bawn.storage.private import locked, read_private, replace_private

TREE: Final = "tree"
_RECORD: Final = "resolution.json"
_UNFINISHED: Final = ".new-"


def install(
    resolution: Resolution, packages: Path, base: Path, run: Run | None = None, wanted: str = ""
) -> Resolution:
    """Install what was resolved, here or elsewhere; the resolution with its program and tree.

    `packages` is the state's directory of that name; `wanted` the entry point that a command names. What
    is installed already, and unchanged, stays; what has changed is installed anew. Blocks.

    Raises:
        Misconfigured: it cannot be installed.
        Refused: integrity.launch: a registry gave something else than what was resolved.
    """
    resolve.check(resolution)
    package = resolution.package
    if resolution.platform and resolution.platform != pypi.platform_name():
        raise Misconfigured(
            f"{package}: was resolved for {resolution.platform}, and this is {pypi.platform_name()}; "
            "resolve it here with `bawn server install`"
        )
    if package.ecosystem == "oci":
        return resolution
    store = packages / "store"
    try:
        store.mkdir(mode=0o700, exist_ok=True)
        with locked(store):
            found = _sound(store / resolution.digest)
            if found is None:
                found = _make(resolution, store, base, run or Tool(os.environ))
    except OSError as problem:
        raise Misconfigured(f"{store}: cannot be written ({problem.strerror})") from None
    tree = place(packages, resolution)
    program = _program(resolution, tree, wanted)
    return msgspec.structs.replace(
        resolution, program=program, tree=found, bundled=_bundled(resolution, tree)
    )


def place(packages: Path, resolution: Resolution) -> Path:
    """The tree of what was installed for a resolution."""
    return packages / "store" / resolution.digest / TREE


def _sound(home: Path) -> str | None:
    """The digest of a tree that is there and as it was installed; one that is not is taken away."""
    if not home.exists():
        return None
    with suppress(Misconfigured, FileNotFoundError, UnicodeError):
        digest = read_private(home / _RECORD).decode()
        if not trees.Trees().problem(home / TREE, digest):
            return digest
    trees.remove(home)
    return None


def _make(resolution: Resolution, store: Path, base: Path, run: Run) -> str:
    for left in store.glob(f"{_UNFINISHED}*"):  # of a killed process: nobody else is at it now
        trees.remove(left)
    home = Path(tempfile.mkdtemp(prefix=_UNFINISHED, dir=store))
    try:
        tree = home / TREE
        tree.mkdir(mode=0o700)
        _fill(resolution, tree, base, run)
        _insist_on_links(resolution, tree)
        trees.make_read_only(tree)
        digest = trees.tree_digest(tree)
        replace_private(home / _RECORD, digest.encode())
        home.rename(store / resolution.digest)
    except BaseException:
        trees.remove(home)
        raise
    return digest


def _fill(resolution: Resolution, tree: Path, base: Path, run: Run) -> None:
    package, artifacts = resolution.package, resolution.artifacts
    with tempfile.TemporaryDirectory(prefix="bawn-") as scratch:
        match package.ecosystem:
            case "npm":
                npm.install(package, artifacts, tree, run)
            case "pypi":
                pypi.install(package, artifacts, tree, Path(scratch), run)
            case _:
                _copy(resolution, tree, base)


def _copy(resolution: Resolution, tree: Path, base: Path) -> None:
    """Put a program file into the store; what is hashed is the copy."""
    target = tree / resolution.artifacts[0].name
    source = base / Path(resolution.package.name).expanduser()
    try:
        shutil.copyfile(source, target)
    except OSError as problem:
        raise Misconfigured(f"{source}: cannot be read ({problem.strerror})") from None
    target.chmod(0o700)
    found = resolve.binary(msgspec.structs.replace(resolution.package, name=str(target)), base)[1]
    if found[0].integrity != resolution.artifacts[0].integrity:
        raise Refused(
            INTEGRITY_LAUNCH, detail=f"{source} has another SHA-256 than what was resolved"
        )


def _insist_on_links(resolution: Resolution, tree: Path) -> None:
    environment = resolution.package.ecosystem == "pypi"
    for path, target in trees.links(tree):
        if environment and pypi.may_lead_out(path, tree):
            continue
        if not target.is_relative_to(tree.resolve()):
            raise Refused(
                INTEGRITY_LAUNCH,
                detail=f"{resolution.package}: {path.relative_to(tree)} leads out of what is installed",
            )


def _bundled(resolution: Resolution, tree: Path) -> tuple[Artifact, ...]:
    if resolution.package.ecosystem != "npm":
        return ()
    try:
        return npm.bundled(resolution.artifacts, tree)
    except OSError as problem:
        raise Refused(INTEGRITY_STORE, detail=f"{tree}: cannot be read ({problem})") from None


def _program(resolution: Resolution, tree: Path, wanted: str) -> tuple[str, ...]:
    try:
        match resolution.package.ecosystem:
            case "npm":
                return npm.program(resolution.package, tree, wanted)
            case "pypi":
                return pypi.program(resolution.package, tree, wanted)
            case _:
                return (f"./{resolution.artifacts[0].name}",)
    except OSError as problem:
        raise Refused(INTEGRITY_STORE, detail=f"{tree}: cannot be read ({problem})") from None
