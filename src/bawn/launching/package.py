"""What a launch command runs: a package of an ecosystem, at a version, with the digests of all it takes."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

Ecosystem: TypeAlias = Literal["npm", "pypi", "oci", "binary"]


class Package(msgspec.Struct, frozen=True):
    """A package as a command names it. `version` is exact, a range or tag, or empty for whatever is newest.

    `name` is normalised as its ecosystem does (PEP 503 for pypi; the whole repository for oci; for binary
    the path). `digest` is that of an OCI reference that has one (`sha256:…`).
    """

    ecosystem: Ecosystem
    name: str
    version: str = ""
    digest: str = ""

    @property
    def exact(self) -> bool:
        """Whether it can only be one version."""
        return (
            bool(self.digest)
            or (self.ecosystem == "npm" and _is_exact_npm(self.version))
            or (self.ecosystem == "pypi" and self.version != "" and self.version[0].isdigit())
        )

    def __str__(self) -> str:
        at = f"@{self.version}" if self.version else ""
        return f"{self.ecosystem}:{self.name}{at}{'@' + self.digest if self.digest else ''}"


def _is_exact_npm(version: str) -> bool:
    core = version.partition("-")[0].partition("+")[0].split(".")
    return len(core) == 3 and all(part.isdigit() for part in core)


class Artifact(msgspec.Struct, frozen=True):
    """One thing that is installed for a package: itself or a dependency. `integrity` is `sha256-…` or `sha512-…`.

    The digest is in base64, as in Subresource Integrity (W3C). `path` is where npm puts it.
    """

    name: str
    version: str
    integrity: str
    path: str = ""


class Resolution(msgspec.Struct, frozen=True):
    """A package resolved once, to an exact version and the digests of everything that it needs.

    `digest` is the SHA-256 in hex of the canonical form of package and artifacts; `program` is what is
    started in the installed tree, relative to it (for oci empty), and `tree` the digest of that tree.
    `bundled` is what packages brought within themselves, as it lies in that tree: of no digest of its own.
    """

    asked: Package  # as the command names it
    package: Package  # exact
    artifacts: tuple[Artifact, ...]
    digest: str
    program: tuple[str, ...] = ()
    tree: str = ""
    resolved: float = 0.0
    platform: str = ""
    bundled: tuple[Artifact, ...] = ()
