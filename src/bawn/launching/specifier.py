"""How packages are named on command lines: npm's specifiers, Python's requirements, image references."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from packaging.utils import canonicalize_name

from bawn.launching.command import is_writable
from bawn.launching.lookalike import imitated, misspelt
from bawn.launching.package import Package
from bawn.launching.problem import Problem, problem

_NPM_NAME: Final = re.compile(r"(?:@[A-Za-z0-9][\w.~-]*/)?[A-Za-z0-9][\w.~-]*")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_HOSTED: Final = re.compile(r"[\w.-]+/[\w.-]+(?:#.*)?", re.ASCII)
_SCP: Final = re.compile(r"[\w.-]+@[\w.-]+:.+", re.ASCII)
_REVISION: Final = r"(?:[0-9a-f]{40}|[0-9a-f]{64})"
_GIT: Final = r"git\+(?:https|ssh)://(?:[\w.-]+@)?[\w.-]+(?::\d+)?/[^\s@#?]+"
_NPM_COMMIT: Final = re.compile(
    rf"(?:{_GIT}|(?:(?:github|gitlab|bitbucket):)?[\w.-]+/[\w.-]+"
    rf"|https://(?:www\.)?(?:github\.com|gitlab\.com|bitbucket\.org)/[\w.-]+/[\w.-]+)#{_REVISION}",
    re.IGNORECASE | re.ASCII,
)
"""Behind the `#` of a repository, and of nothing else: in the address of an archive it says nothing."""
_PYTHON_COMMIT: Final = re.compile(rf"{_GIT}@{_REVISION}(?:#.*)?", re.IGNORECASE | re.ASCII)
_LOCAL: Final = re.compile(r"[./${%]|file:|~(?:[\\/]|$)|<[A-Za-z]|[A-Za-z]:[\\/]", re.ASCII)
"""A path, or a placeholder for one; `~1.2` and `<2` are ranges."""
_PYTHON: Final = re.compile(
    r"([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*(?:@\s*(?P<at>[^/:\s]+)|(?P<range>[=<>~!].*))?"
)
_PYTHON_EXACT: Final = re.compile(r"={2,3}\s*([0-9][0-9A-Za-z.+!-]*)")
_DIGEST: Final = re.compile(r"sha(?:256:[0-9a-f]{64}|512:[0-9a-f]{128})")
_TAG: Final = re.compile(r"(.+?):([\w][\w.-]{0,127})", re.ASCII)


def is_local(text: str) -> bool:
    """Whether it is a path, or a placeholder for one."""
    return _LOCAL.match(text) is not None


def local(path: str, at: int) -> tuple[Problem, ...]:
    """The problem with code from this path, if there is one."""
    path = path.removeprefix("file:").removeprefix("//")
    return (problem("writable", at, path),) if is_writable(path) else ()


def npm(text: str, at: int) -> tuple[Package | None, tuple[Problem, ...]]:
    """An npm package specifier. `name@npm:other@1` is an alias: the other is what runs."""
    start = text.find("@", 1)
    name, spec = (text[:start], text[start + 1 :]) if start > 0 else (text, "")
    if spec.startswith("npm:"):
        return npm(spec.removeprefix("npm:"), at)
    if is_local(text) or is_local(spec):
        return None, local(spec if is_local(spec) else text, at)
    for address in (text, spec):
        if _is_remote_npm(address):
            return None, (remote(address, at, _NPM_COMMIT),)
    if not _NPM_NAME.fullmatch(name) and name.isascii():
        return None, (problem("floating", at, "no package name"),)
    # As it is written: names of old packages differ in their capitals alone, as JSONStream and jsonstream.
    package = Package("npm", name, spec.removeprefix("=").removeprefix("v"))
    return package, tuple(_judged(package, at))


def _is_remote_npm(text: str) -> bool:
    return (
        _SCHEME.match(text) is not None
        or _SCP.fullmatch(text) is not None
        or (not text.startswith("@") and _HOSTED.fullmatch(text) is not None)
    )


def python(text: str, at: int) -> tuple[Package | None, tuple[Problem, ...]]:
    """A requirement as uv and pipx take it: `name`, `name==1.2`, `name@1.2`, `name @ URL`, a path."""
    if is_local(text):
        return None, local(text, at)
    match = _PYTHON.fullmatch(text.strip().partition(";")[0].strip())
    if match is None and not text.isascii() and "/" not in text:
        odd = Package("pypi", text)
        return odd, (*imitated(odd), *misspelt(odd))
    if match is None:
        url = text.partition("@")[2].strip() if "@" in text and not _SCHEME.match(text) else text
        if _SCHEME.match(url) or _SCP.fullmatch(text):
            return None, () if url.startswith("file:") else (remote(url, at, _PYTHON_COMMIT),)
        return None, () if "/" in text or "\\" in text else (problem("floating", at, "no name"),)
    exact = _PYTHON_EXACT.fullmatch((match["range"] or "").strip())
    version = exact[1] if exact else (match["at"] or match["range"] or "").strip()
    package = Package("pypi", canonicalize_name(match[1]), version)
    return package, tuple(_judged(package, at))


def image(text: str, at: int) -> tuple[Package | None, tuple[Problem, ...]]:
    """An image reference: `[host/]repository[:tag][@digest]`."""
    if not text or text.startswith(("$", "<", "{")):
        return None, (problem("floating", at, "an image that is not named here"),)
    named, _, digest = text.partition("@")
    tagged = _TAG.fullmatch(named) if ":" in named.rpartition("/")[2] else None
    name, tag = (tagged[1], tagged[2]) if tagged else (named, "")
    digest = digest if _DIGEST.fullmatch(digest) else ""
    package = Package("oci", name.lower(), tag, digest)
    return package, tuple(_judged(package, at))


def remote(text: str, at: int, commit: re.Pattern[str] | None = None) -> Problem:
    """The problem with code from an address: less of one where it is fixed to a full commit.

    `commit` is how the runner writes that.
    """
    fixed = commit is not None and commit.fullmatch(text) is not None
    return problem("commit" if fixed else "remote", at, _origin(text))


def is_remote(text: str) -> bool:
    """Whether it is an address that code can be fetched from."""
    return _SCHEME.match(text) is not None and "://" in text and not text.startswith("file:")


def _origin(text: str) -> str:
    """An address without what may be secret in it: its user, its query."""
    scheme, slashes, rest = text.partition("://")
    if not slashes:
        return text.partition("#")[0].rpartition("@")[2] if "@" in text else text.partition("#")[0]
    host, slash, path = rest.partition("/")
    path = re.split(r"[?#@]", path)[0]
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}"


def _judged(package: Package, at: int) -> Iterator[Problem]:
    """What is wrong with a package by its name and version: of each that is named, not of the first alone."""
    yield from _floating(package, at)
    yield from imitated(package)
    yield from misspelt(package)


def _floating(package: Package, at: int) -> Iterator[Problem]:
    if package.exact:
        return
    example = {"npm": "@1.2.3", "pypi": "==1.2.3", "oci": "@sha256:…"}[package.ecosystem]
    fix = f"write the exact version, such as {package.name}{example}"
    yield problem("floating", at, package.name, fix=fix)
