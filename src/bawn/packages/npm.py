"""npm packages: resolved to a lock by npm itself, installed from the digests of that lock.

`--ignore-scripts` always: nothing of a package runs before somebody starts the server. The registry is
whichever the user's own npm is set to.
"""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from bawn.errors import INTEGRITY_LAUNCH, Misconfigured, Refused
from bawn.launching.package import Artifact, Package
from bawn.packages import naming
from bawn.packages.tool import Run, read_bounded

_FLAGS: Final = (
    "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--no-progress",
    "--no-color", "--global=false", "--install-strategy=hoisted", "--omit-lockfile-registry-resolved",
    "--git=bawn-installs-nothing-from-git",
)  # fmt: skip
_HERE: Final = "--prefix=."
"""The directory itself, else npm looks above it, such as in /tmp, where anybody may have put a project."""
_BUNDLED: Final = 20_000
"""Packages within packages that are looked at."""
_OURS: Final = {"name": "bawn-installed", "version": "0.0.0"}
_NODE: Final = "node"
_SCRIPTS: Final = (".js", ".mjs", ".cjs")


class _Entry(msgspec.Struct, rename="camel"):
    """One entry of `packages` in package-lock.json, version 3."""

    version: str = ""
    integrity: str = ""
    resolved: str | bool = ""
    name: str = ""
    link: bool = False
    optional: bool = False
    in_bundle: bool = False
    os: list[str] = []
    cpu: list[str] = []
    libc: list[str] = []


class _Lock(msgspec.Struct, rename="camel"):
    lockfile_version: int
    packages: dict[str, _Entry]


def resolve(package: Package, scratch: Path, run: Run) -> tuple[Package, tuple[Artifact, ...]]:
    """The exact version, and everything that would be installed on this machine.

    Raises:
        Misconfigured: npm cannot, or something is not from a registry.
        Refused: integrity.launch.
    """
    wanted = {package.name: package.version or "latest"}
    _write(scratch / "package.json", {"private": True, **_OURS, "dependencies": wanted})
    run(("npm", "install", "--package-lock-only", _HERE, *_FLAGS), scratch)
    try:
        lock = msgspec.json.decode(read_bounded(scratch / "package-lock.json"), type=_Lock)
    except (msgspec.MsgspecError, UnicodeError) as problem:
        raise Misconfigured(f"npm wrote a lock that cannot be read: {problem}") from None
    artifacts = tuple(artifacts_of(lock))
    main = next((each for each in artifacts if each.path == _place(package.name)), None)
    if main is None or main.name != package.name:
        raise Misconfigured(f"{package}: npm's lock does not have it")
    return Package("npm", package.name, main.version), artifacts


def artifacts_of(lock: _Lock) -> list[Artifact]:
    """What a lock has for this platform, in the order of its paths.

    Raises:
        Misconfigured: something is not from a registry, or not for this platform.
    """
    found: list[Artifact] = []
    left_out: list[str] = []
    for path, entry in sorted(lock.packages.items()):
        if not path or entry.in_bundle or any(path.startswith(f"{each}/") for each in left_out):
            continue
        naming.check_path(path)
        if not _fits(entry):
            if not entry.optional:
                raise Misconfigured(f"{path}: is not for {sys.platform} {platform.machine()}")
            left_out.append(path)
            continue
        if entry.link or entry.resolved or not entry.integrity:
            raise Misconfigured(
                f"{path} {entry.version}: comes from a link, a repository or a URL; expected packages "
                "of the registry alone, each with its digest"
            )
        name = entry.name or path.rpartition("node_modules/")[2]
        found.append(Artifact(name, entry.version, _strongest(entry.integrity), path))
    return found


def install(package: Package, artifacts: tuple[Artifact, ...], tree: Path, run: Run) -> None:
    """Put these artifacts, and no others, below `tree`.

    Raises:
        Misconfigured: npm cannot.
        Refused: integrity.launch: what came has another digest, or something else came.
    """
    root, entries = lock_of(artifacts)
    _write(tree / "package.json", {"private": True, **root})
    lock = {**_OURS, "lockfileVersion": 3, "requires": True, "packages": {"": root, **entries}}
    _write(tree / "package-lock.json", lock)
    run(("npm", "ci", "--no-bin-links", _HERE, *_FLAGS), tree)
    try:
        content = read_bounded(tree / "node_modules" / ".package-lock.json")
        done = msgspec.json.decode(content, type=_Lock).packages
    except (msgspec.MsgspecError, UnicodeError) as problem:
        raise Misconfigured(f"npm does not tell what it installed: {problem}") from None
    came = {(path, one.version, one.integrity) for path, one in done.items() if not one.in_bundle}
    asked = {(each.path, each.version, each.integrity) for each in artifacts}
    if came != asked:
        odd = sorted(path for path, *_ in came ^ asked)
        raise Refused(
            INTEGRITY_LAUNCH,
            detail=f"{package}: npm installed something else: {', '.join(odd[:5])}",
        )


def lock_of(artifacts: tuple[Artifact, ...]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """A lock made of artifacts alone: whatever stands above another depends on exactly that version.

    So nothing is superfluous in npm's eyes, and nothing is left for it to resolve.

    Raises:
        Misconfigured: an artifact stands below another that is not there.
    """
    root: dict[str, Any] = dict(_OURS)
    entries: dict[str, dict[str, Any]] = {}
    for each in artifacts:
        entries[each.path] = {"version": each.version, "integrity": each.integrity}
        if each.name != each.path.rpartition("node_modules/")[2]:
            entries[each.path]["name"] = each.name
    for each in artifacts:
        above, _, alias = each.path.rpartition("node_modules/")
        owner = entries.get(above.rstrip("/")) if above else root
        if owner is None:
            raise Misconfigured(f"artifact {each.path}: stands below something that is not there")
        exact = each.version if alias == each.name else f"npm:{each.name}@{each.version}"
        owner.setdefault("dependencies", {})[alias] = exact
    return root, entries


def bundled(artifacts: tuple[Artifact, ...], tree: Path) -> tuple[Artifact, ...]:
    """What the packages of a tree have within themselves besides these artifacts, by where it lies.

    A version that cannot be read is empty: then nothing can be said of it.

    Raises:
        Misconfigured: there is more than can be looked at.
        OSError: the tree cannot be read.
    """
    known = {each.path for each in artifacts}
    found: list[Artifact] = []
    for manifest in sorted(tree.rglob("package.json")):
        home = manifest.parent
        above = home.parent.parent if home.parent.name.startswith("@") else home.parent
        path = home.relative_to(tree).as_posix()
        if above.name != "node_modules" or path in known:
            continue
        if len(found) >= _BUNDLED:
            raise Misconfigured(f"more than {_BUNDLED} packages within packages")
        name, version = _identity(manifest)
        found.append(Artifact(name or path.rpartition("node_modules/")[2], version, "", path))
    return tuple(found)


def program(package: Package, tree: Path, wanted: str) -> tuple[str, ...]:
    """What starts the server: its own entry point as npx(1) chooses it, run by node.

    `wanted` is the name of an entry point where the command gives one.

    Raises:
        Misconfigured: there is none, it is not clear which, or it is no script for node.
    """
    home = tree / _place(package.name)
    entry, name = _bin(package, home, wanted)
    path = Path(home, entry)
    if not path.resolve().is_relative_to(home.resolve()) or not path.is_file():
        raise Misconfigured(f"{package}: its program {entry!r} is no file of the package")
    place = str(path.resolve().relative_to(tree.resolve()))
    with path.open("rb") as file:
        first = file.readline(512).decode("utf-8", "replace").strip()
    if not first.startswith("#!"):
        if path.suffix in _SCRIPTS:
            return (_NODE, place)
        raise Misconfigured(f"{package}: its program `{name}` is no script for node")
    words = [word for word in first[2:].split() if word != "-S"]
    if words and Path(words[0]).name == "env":
        words = words[1:]
    if not words or Path(words[0]).name != _NODE:
        raise Misconfigured(
            f"{package}: its program `{name}` is run by {first[2:60]!r}; expected node"
        )
    return (_NODE, *words[1:], place)


def registry_of(package: Package, scratch: Path, run: Run) -> str:
    """The registry that the user's npm is set to for a package.

    Raises:
        Misconfigured: npm cannot tell.
    """
    scope = package.name.partition("/")[0] if package.name.startswith("@") else ""
    for key in ([f"{scope}:registry"] if scope else []) + ["registry"]:
        for line in run(("npm", "config", "get", key, _HERE), scratch).splitlines():
            if line.startswith(("https://", "http://")):
                return line.strip()
    raise Misconfigured("npm does not tell which registry it is set to")


def _identity(manifest: Path) -> tuple[str, str]:
    """Name and version of a package by its own file; empty where that does not say."""
    try:
        told = json.loads(read_bounded(manifest))
    except (ValueError, RecursionError, Misconfigured):
        told = None
    found = [told.get(key) if isinstance(told, dict) else "" for key in ("name", "version")]
    name, version = (each if isinstance(each, str) and len(each) < 256 else "" for each in found)
    return name, version


def _bin(package: Package, home: Path, wanted: str) -> tuple[str, str]:
    try:
        manifest = json.loads(read_bounded(home / "package.json"))
        told: object = manifest.get("bin") or {}
    except (ValueError, AttributeError):
        raise Misconfigured(f"{package}: its package.json cannot be read") from None
    short = package.name.rpartition("/")[2]
    bins = {short: told} if isinstance(told, str) else told
    if not isinstance(bins, dict) or not all(isinstance(each, str) for each in bins.values()):
        raise Misconfigured(f"{package}: `bin` of its package.json is neither text nor an object")
    if wanted and wanted not in {package.name, str(package)}:
        chosen = bins.get(wanted)
    elif len(set(bins.values())) == 1:
        wanted, chosen = next(iter(bins.items()))
    else:
        wanted, chosen = short, bins.get(short)
    if chosen is None:
        known = ", ".join(sorted(bins)) or "none"
        raise Misconfigured(
            f"{package}: has no program `{wanted}`; it has {known}: name one of them in the command "
            f"(`npx --package {package.name} NAME`)"
        )
    return chosen, wanted


def _fits(entry: _Entry) -> bool:
    machine = {"x86_64": "x64", "aarch64": "arm64", "amd64": "x64"}
    here = platform.machine().lower()
    libc = "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    return (
        _allows(entry.os, sys.platform)
        and _allows(entry.cpu, machine.get(here, here))
        and (sys.platform != "linux" or _allows(entry.libc, libc))
    )


def _allows(listed: list[str], here: str) -> bool:
    positive = [each for each in listed if not each.startswith("!")]
    return f"!{here}" not in listed and (not positive or here in positive or "any" in positive)


def _strongest(integrity: str) -> str:
    for each in sorted(integrity.split(), key=lambda each: not each.startswith("sha512-")):
        if each.startswith(("sha512-", "sha256-")):
            return each.partition("?")[0]
    raise Misconfigured(f"integrity {integrity[:80]!r}: expected a digest by SHA-512 or SHA-256")


def _place(name: str) -> str:
    return f"node_modules/{name}"


def _write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content, indent=1, sort_keys=True))
