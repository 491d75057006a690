"""A package, as a command names it, resolved once to an exact version and the digests of all it needs."""

from __future__ import annotations

import os
import tempfile
import time
from hashlib import sha256
from pathlib import Path
from typing import Final

import msgspec
import rfc8785

from bawn.errors import INTEGRITY_LAUNCH, Misconfigured, Refused
from bawn.launching.package import Artifact, Package, Resolution
from bawn.packages import naming, npm, oci, pypi
from bawn.packages.tool import Run, Tool

MOST: Final = 10_000
"""Artifacts of one package."""
_NATIVE: Final = (b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")
"""How ELF and Mach-O files begin."""


def resolve(package: Package, base: Path, run: Run | None = None) -> Resolution:
    """Ask the registry that the user's own tools are set to. Blocks, for minutes at worst.

    `base` is the directory that the path of a `binary` is relative to.

    Raises:
        Misconfigured: it cannot be resolved; says why and what to do.
        Refused: integrity.launch: the registry contradicts itself.
    """
    naming.check(package)
    run = run or Tool(os.environ)
    place = ""
    with tempfile.TemporaryDirectory(prefix="bawn-") as scratch:
        match package.ecosystem:
            case "npm":
                exact, artifacts = npm.resolve(package, Path(scratch), run)
            case "pypi":
                exact, artifacts = pypi.resolve(package, Path(scratch), run)
                place = pypi.platform_name()
            case "oci":
                exact, artifacts = _image(package)
            case "binary":
                exact, artifacts = binary(package, base)
    resolution = Resolution(
        asked=package,
        package=exact,
        artifacts=artifacts,
        digest=digest(exact, artifacts),
        resolved=time.time(),
        platform=place,
    )
    check(resolution)
    return resolution


def digest(package: Package, artifacts: tuple[Artifact, ...]) -> str:
    """SHA-256 in hex of the canonical form (RFC 8785) of a package and its artifacts."""
    ordered = sorted(artifacts, key=lambda each: (each.path, each.name))
    return sha256(
        rfc8785.dumps(msgspec.to_builtins({"package": package, "artifacts": ordered}))
    ).hexdigest()


def check(resolution: Resolution) -> None:
    """Insist on a resolution that can be installed, wherever it comes from.

    Raises:
        Misconfigured: a part of it has another form.
        Refused: integrity.launch: it does not have the digest that it says it has.
    """
    package, artifacts, asked = resolution.package, resolution.artifacts, resolution.asked
    naming.check(package)
    if (asked.ecosystem, asked.name) != (package.ecosystem, package.name):
        raise Misconfigured(f"{package}: is not what was asked for, which is {asked}")
    if not artifacts or len(artifacts) > MOST:
        raise Misconfigured(f"{package}: has {len(artifacts)} artifacts; expected 1 to {MOST}")
    for each in artifacts:
        naming.check_artifact(each, package)
    keys = {(each.path or each.name).lower() for each in artifacts}
    if len(keys) != len(artifacts):
        raise Misconfigured(f"{package}: an artifact is there twice")
    if digest(package, artifacts) != resolution.digest:
        raise Refused(
            INTEGRITY_LAUNCH,
            detail=f"{package}: what is to be installed does not have the digest {resolution.digest}",
        )


def binary(package: Package, base: Path) -> tuple[Package, tuple[Artifact, ...]]:
    """A program file, by the SHA-256 of its content.

    Raises:
        Misconfigured: it is no file that can be read.
    """
    content, first = sha256(), b""
    try:
        with (base / Path(package.name).expanduser()).open("rb") as file:
            while chunk := file.read(1 << 20):
                first = first or chunk[:4]
                content.update(chunk)
    except OSError as problem:
        raise Misconfigured(
            f"{package.name}: cannot be read ({problem.strerror}); expected the program's file"
        ) from None
    if first not in _NATIVE:
        raise Misconfigured(
            f"{package.name}: is a script; expected a native program: a script needs what stands beside "
            "it, and is not installed"
        )
    found = naming.integrity("sha256", content.digest())
    exact = Package("binary", package.name, digest=f"sha256:{content.hexdigest()}")
    return exact, (Artifact(Path(package.name).name, "", found),)


def _image(package: Package) -> tuple[Package, tuple[Artifact, ...]]:
    registry = oci.Registry(package.name)
    try:
        return oci.resolve(package, registry)
    finally:
        registry.close()
