"""What a server is, however it is written: its address, its launch; and names that are nearly another's."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from bawn.discovery.taking.names import slug
from bawn.discovery.taking.packages import without_surprise
from bawn.launching import grammar
from bawn.launching.lookalike import distance, skeleton
from bawn.launching.package import Package

LOOPBACK: Final = "localhost"
_USUAL: Final = frozenset(["", "/mcp", "/sse"])
_PORTS: Final = {"http": 80, "https": 443}
_DIGITS: Final = re.compile(r"\d+")
_LONG_ENOUGH: Final = 8
"""Shorter names differ by one letter for good reasons."""

_AFFIXES: Final = re.compile(r"^(?:mcp-|server-)+|(?:-mcp|-server)+$")
_ENDINGS: Final = (".js", ".mjs", ".cjs", ".ts", ".py", ".exe", ".cmd", ".sh")
_NAMELESS: Final = frozenset(
    [
        "index",
        "main",
        "server",
        "app",
        "cli",
        "start",
        "run",
        "mcp",
        "launch",
        "python",
        "node",
        "sh",
    ]
)
"""Names of programs that say nothing of which server it is."""

_IMITATIONS: Final = frozenset(
    ["launch/confusable", "launch/impostor", "launch/lookalike", "launch/malicious"]
)


class Address(NamedTuple):
    """Where a server is reached. A path says nothing on loopback, nor does a usual one anywhere."""

    host: str
    port: int
    path: str = ""

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine's own."""
        return self.host == LOOPBACK

    @property
    def origin(self) -> Address:
        """The same without a path."""
        return self._replace(path="")


class Launch(NamedTuple):
    """What a command starts: a package, or a program, with arguments. `imitations` is what is odd about it."""

    words: tuple[str, ...]
    package: Package | None
    program: str
    arguments: tuple[str, ...]
    imitations: tuple[str, ...] = ()


def address(url: str) -> Address | None:
    """The address in a URL; None when there is none."""
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme)
    except ValueError:
        return None
    if not parts.hostname or port is None or parts.scheme not in _PORTS:
        return None
    host = parts.hostname.rstrip(".")
    path = parts.path.rstrip("/")
    if _is_here(host):
        return Address(LOOPBACK, port)
    return Address(host, port, "" if path in _USUAL else path)


def _is_here(host: str) -> bool:
    if host == LOOPBACK or host.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return False
    return found.is_loopback or found.is_unspecified


@lru_cache(maxsize=4096)
def launch(command: tuple[str, ...]) -> Launch:
    """What a command would start, without a runner's consent to install."""
    words, _ = without_surprise(command)
    found = grammar.read(words, {})
    odd = tuple(each.message for each in found.problems if each.kind in _IMITATIONS)
    package = found.package
    if package is not None and package.ecosystem == "binary":
        return Launch(words, None, package.name, found.arguments, odd)
    return Launch(words, package, found.program, found.arguments, odd)


def addresses_in(command: Sequence[str]) -> tuple[Address, ...]:
    """The URLs among the words of a command: a bridge to a remote server names it there."""
    found = (address(word) for word in command if word.startswith(("http://", "https://")))
    return tuple(each for each in found if each is not None)


def same_launch(ours: Launch, theirs: Launch) -> bool:
    """Whether two commands start the same server, whatever its arguments and version."""
    if ours.words == theirs.words:
        return True
    if ours.package is not None and theirs.package is not None:
        return _named(ours.package) == _named(theirs.package)
    if ours.package is None and theirs.package is None:
        return _same_program(ours.program, theirs.program)
    name = bare(_subject(ours))
    return name not in _NAMELESS and name == bare(_subject(theirs))


def _same_program(ours: str, theirs: str) -> bool:
    if not ours or not theirs:
        return False
    if posixpath.normpath(ours) == posixpath.normpath(theirs):
        return bare(ours) not in _NAMELESS or "/" in ours
    return bare(ours) not in _NAMELESS and _file(ours) == _file(theirs)


def bare(name: str) -> str:
    """The name of a package or program without what most of them have in common."""
    last = _file(name).lower().replace("_", "-")
    return _AFFIXES.sub("", last) or last


def _subject(found: Launch) -> str:
    return found.package.name if found.package is not None else found.program


def _file(name: str) -> str:
    last = re.split(r"[/\\]", name)[-1]
    ending = next((each for each in _ENDINGS if last.endswith(each)), "")
    return last.removesuffix(ending)


def _named(package: Package) -> tuple[str, str]:
    return package.ecosystem, package.name


def borrowed(ours: Launch, theirs: Launch) -> bool:
    """Whether their package is another one that can be taken for ours: nearly its name, or another scope's."""
    a, b = ours.package, theirs.package
    if a is None or b is None or a.ecosystem != b.ecosystem or a.name == b.name:
        return False
    return near(a.name, b.name) or (
        "/" in a.name + b.name and _last(a.name) == _last(b.name) and bare(a.name) not in _NAMELESS
    )


def _last(name: str) -> str:
    return name.rpartition("/")[2]


def near(name: str, other: str) -> bool:
    """Whether two different names are easily taken for each other; numbered ones are not."""
    if slug(name) == slug(other):
        return False
    ours, theirs = _drawn(name), _drawn(other)
    if ours == theirs:
        return True
    if _DIGITS.sub("", ours) == _DIGITS.sub("", theirs):
        return False
    return min(len(ours), len(theirs)) >= _LONG_ENOUGH and distance(ours, theirs, 1) <= 1


def _drawn(name: str) -> str:
    """A name as it looks at a glance."""
    return skeleton(name).replace("rn", "m").replace("vv", "w")


def near_host(host: str, other: str) -> bool:
    """Whether a host is of a domain that is easily taken for the other's."""
    return not _is_number(host) and not _is_number(other) and near(_domain(host), _domain(other))


def _domain(host: str) -> str:
    """The last two labels: hosts below one domain have one owner, mostly."""
    return ".".join(_plain(host).split(".")[-2:])


def _plain(host: str) -> str:
    """A host as it is shown, where it was encoded (RFC 5891)."""
    if not any(label.startswith("xn--") for label in host.split(".")):
        return host
    try:
        return host.encode("ascii").decode("idna")
    except UnicodeError:
        return host


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
