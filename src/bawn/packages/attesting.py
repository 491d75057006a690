"""Asking a package's registry for its attestations. What cannot be asked is unmeasured, and why is told."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from bawn.errors import Misconfigured, Refused
from bawn.findings.evidence import Evidence
from bawn.launching.package import Resolution
from bawn.packages import npm, oci, provenance, pypi
from bawn.packages.provenance import Verifier, judge, unmeasured
from bawn.packages.tool import Run, Tool


def look(
    resolution: Resolution, verifier: Verifier | None, at: float, run: Run | None = None
) -> tuple[Evidence, Evidence]:
    """Provenance and publisher of what was resolved, as its registry attests them. Blocks."""
    try:
        with tempfile.TemporaryDirectory(prefix="bawn-") as scratch:
            bundles, older = _bundles(resolution, Path(scratch), run or Tool(os.environ))
    except (Misconfigured, Refused) as error:
        return unmeasured(resolution, f"its attestations cannot be read: {error}", at)
    if older:
        return unmeasured(
            resolution, "it has a cosign signature of the older kind, which is not read here", at
        )
    return judge(resolution, bundles, verifier, at)


def _bundles(resolution: Resolution, scratch: Path, run: Run) -> tuple[list[bytes], bool]:
    package = resolution.package
    match package.ecosystem:
        case "npm":
            registry = npm.registry_of(package, scratch, run)
            return provenance.npm_bundles(package, registry), False
        case "pypi":
            return provenance.pypi_bundles(resolution, pypi.index_of(scratch, run)), False
        case "oci":
            images = oci.Registry(package.name)
            try:
                return provenance.image_bundles(resolution, images)
            finally:
                images.close()
        case _:
            return [], False
