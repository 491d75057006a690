"""Launch commands of package runners: no silent installs, and a word about versions that float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

_EXACT = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+([-+.][0-9A-Za-z.+-]*)?")
_YES = frozenset({"-y", "--yes"})
_WITH_VALUE = frozenset(
    [
        "-p",
        "--package",
        "-c",
        "--call",
        "-w",
        "--workspace",
        "--registry",
        "--cache",
        "--from",
        "--with",
        "--python",
    ]
)
_PYTHON = re.compile(r"[^=@]+(?:==|@)([0-9][0-9A-Za-z.+!]*)")


def without_surprise(command: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The command without npx's consent to install, and notes about it."""
    if not command:
        return (), ()
    runner = PurePath(command[0]).name
    if runner == "npx":
        return _npx(command)
    if runner == "uvx":
        package = _package(command, "--from")
        exact = package is None or _PYTHON.fullmatch(package) is not None
        return tuple(command), () if exact else (_floating(str(package), "==1.2.3"),)
    return tuple(command), ()


def _npx(command: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    package = _package(command, "-p", "--package")
    # Only npx's own options: what follows its first positional word belongs to the program.
    own = _positional(command)
    kept = tuple(word for at, word in enumerate(command) if at > own or word not in _YES)
    version = package[1:].partition("@")[2] if package else ""
    exact = package is None or _EXACT.fullmatch(version) is not None
    return kept, () if exact else (_floating(str(package), "@1.2.3"),)


def _package(command: Sequence[str], *options: str) -> str | None:
    """The package that a runner fetches: an option's value, or the first word that is no option."""
    own = _positional(command)
    for at, word in enumerate(command[:own]):
        name, equals, value = word.partition("=")
        if name in options:
            return value if equals else command[at + 1]
    return command[own] if own < len(command) else None


def _positional(command: Sequence[str]) -> int:
    """The index of the first word that is neither an option nor an option's value."""
    at = 1
    while at < len(command) and command[at].startswith("-"):
        at += 2 if command[at] in _WITH_VALUE and at + 1 < len(command) else 1
    return at


def _floating(package: str, example: str) -> str:
    return f"{package} has no exact version: whatever is newest will run; write one ({example})"
