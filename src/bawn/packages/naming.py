"""What a package, a version and a path must look like before any tool or registry hears of them.

None may be read as an option, another kind of source (git, file, URL, alias) or a way out of a directory.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from bawn.errors import Misconfigured
from bawn.launching.package import Artifact, Package

_NPM: Final = re.compile(r"(?:@[A-Za-z0-9~_][A-Za-z0-9._~-]*/)?[A-Za-z0-9~][A-Za-z0-9._~-]*")
_NPM_VERSION: Final = re.compile(r"[0-9A-Za-z^~<>=*][0-9A-Za-z.^~<>=*|+ -]*")
_PYPI: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?")
_HOST: Final = r"(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?/"
_PART: Final = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_OCI: Final = re.compile(rf"(?:{_HOST})?{_PART}(?:/{_PART})*")
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_DIGEST: Final = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST: Final = 255
_SIZES: Final = {"sha256": 32, "sha512": 64}


def check(package: Package) -> None:
    """Insist on a package that can be asked for by its name and version.

    Raises:
        Misconfigured: name, version or digest has another form.
    """
    if len(package.name) > _LONGEST or len(package.version) > _LONGEST:
        raise _odd(package, f"name and version of at most {_LONGEST} characters")
    if package.ecosystem == "npm":
        if not _NPM.fullmatch(package.name):
            raise _odd(package, "a name such as server-x or @scope/server-x")
        if package.version and not _NPM_VERSION.fullmatch(package.version):
            raise _odd(package, "a version, range or tag, such as 1.2.3, ^1.2 or latest")
    elif package.ecosystem == "pypi":
        if not _PYPI.fullmatch(package.name):
            raise _odd(package, "a name such as mcp-server-x")
        requirement(package)
    elif package.ecosystem == "oci":
        if not _OCI.fullmatch(package.name):
            raise _odd(package, "a repository such as registry.example.com/team/server")
        if package.version and not _TAG.fullmatch(package.version):
            raise _odd(package, "a tag of letters, digits, `.`, `_` and `-`")
        if package.digest and not _DIGEST.fullmatch(package.digest):
            raise _odd(package, "a digest as sha256: and 64 hexadecimal digits")


def requirement(package: Package) -> str:
    """A PyPI package as a line of a requirements file.

    Raises:
        Misconfigured: the version is neither a version nor a set of specifiers (PEP 440).
    """
    if package.version in {"", "latest"}:
        return package.name
    try:
        return f"{package.name}=={Version(package.version)}"
    except InvalidVersion:
        pass
    try:
        return f"{package.name}{SpecifierSet(package.version)}"
    except InvalidSpecifier:
        raise _odd(package, "a version or specifiers, such as 1.2.3 or >=1,<2") from None


def check_artifact(artifact: Artifact, package: Package) -> None:
    """Insist on an artifact that can be installed by its name, exact version and digest.

    Raises:
        Misconfigured: it has another form.
    """
    one = Package(package.ecosystem, artifact.name, artifact.version)
    if package.ecosystem in {"npm", "pypi"}:
        check(one)
        if not one.exact or not artifact.version:
            raise _odd(one, "an exact version of everything that is installed")
    if package.ecosystem == "npm":
        check_path(artifact.path)
    elif artifact.path:
        raise Misconfigured(f"{one}: has the path {artifact.path!r}; expected none")
    algorithm, digest = raw_digest(artifact.integrity)
    if package.ecosystem != "npm" and algorithm != "sha256":
        raise Misconfigured(
            f"{one}: has a digest by {algorithm}; expected sha256 ({len(digest)} B)"
        )


def check_path(path: str) -> None:
    """Insist on a place that npm gives a package: node_modules/NAME, as deep as it goes.

    Raises:
        Misconfigured: it is another path.
    """
    parts = path.split("node_modules/")
    names = [part.removesuffix("/") for part in parts[1:]]
    whole = "/".join(f"node_modules/{name}" for name in names)
    if parts[0] or not names or whole != path or not all(map(_NPM.fullmatch, names)):
        raise Misconfigured(
            f"artifact path {path!r}: expected node_modules/NAME, within the installed tree only"
        )


def raw_digest(integrity: str) -> tuple[str, bytes]:
    """Algorithm and bytes of a digest in the form of Subresource Integrity (W3C).

    Raises:
        Misconfigured: it is not one of SHA-256 or SHA-512.
    """
    algorithm, _, text = integrity.partition("-")
    try:
        digest = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        digest = b""
    if _SIZES.get(algorithm) != len(digest):
        raise Misconfigured(
            f"integrity {integrity[:80]!r}: expected sha256-… or sha512-… with the digest in base64"
        )
    return algorithm, digest


def integrity(algorithm: str, digest: bytes) -> str:
    """A digest in the form of Subresource Integrity (W3C)."""
    return f"{algorithm}-{base64.b64encode(digest).decode()}"


def _odd(package: Package, expected: str) -> Misconfigured:
    return Misconfigured(
        f"package {str(package)[:120]!r} of {package.ecosystem}: expected {expected}; "
        "correct it in the server's `command`"
    )
