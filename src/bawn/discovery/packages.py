"""Launch commands of package runners: no silent installs, and a word about versions that float."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import PurePath

_EXACT = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+([-+.][0-9A-Za-z.+-]*)?")
_YES = frozenset({"-y", "--yes"})
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
    # Only npx's own options: what follows the package belongs to the program.
    own = command.index(package) if package in command else len(command)
    kept = tuple(w for at, w in enumerate(command) if at > own or w not in _YES)
    version = package[1:].partition("@")[2] if package else ""
    exact = package is None or _EXACT.fullmatch(version) is not None
    return kept, () if exact else (_floating(str(package), "@1.2.3"),)


def _package(command: Sequence[str], *options: str) -> str | None:
    """The package that a runner fetches: an option's value, or the first word that is no option."""
    words = iter(command[1:])
    for word in words:
        if word in options:
            return next(words, None)
        name, equals, value = word.partition("=")
        if equals and name in options:
            return value
        if not word.startswith("-"):
            return word
    return None


def _floating(package: str, example: str) -> str:
    return f"{package} has no exact version: whatever is newest will run; write one ({example})"
