"""A server's command with its package at another version."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from bawn.config import Server
from bawn.errors import Misconfigured
from bawn.launching import specifier
from bawn.launching.command import Launching
from bawn.launching.package import Package
from bawn.launching.problem import Problem

_Read = Callable[[str, int], tuple[Package | None, tuple[Problem, ...]]]
_READERS: Final[dict[str, _Read]] = {
    "npm": specifier.npm,
    "pypi": specifier.python,
    "oci": specifier.image,
}


def moved(
    server: Server, launching: Launching, package: Package, exact: Package
) -> tuple[str, ...]:
    """The command in which the word that names the package names it exactly.

    Raises:
        Misconfigured: there is no such word.
    """
    words = server.command or ()
    own = len(words) - len(launching.arguments)
    read = _READERS.get(package.ecosystem)
    for at in range(1, own):
        option, equals, text = (
            words[at].rpartition("=") if words[at].startswith("-") else ("", "", words[at])
        )
        if read is not None and text and read(text, at)[0] == package:
            named = _exactly(exact, option or words[at - 1], launching.runner)
            return (*words[:at], f"{option}{equals}{named}", *words[at + 1 :])
    raise Misconfigured(
        f"the command does not name {package} in a word of its own; change it by hand, then install it"
    )


def _exactly(exact: Package, before: str, runner: str) -> str:
    if exact.ecosystem == "npm":
        return f"{exact.name}@{exact.version}"
    if exact.ecosystem == "pypi":
        joint = "==" if before in {"--from", "--spec"} or runner == "pipx run" else "@"
        return f"{exact.name}{joint}{exact.version}"
    tag = f":{exact.version}" if exact.version else ""
    return f"{exact.name}{tag}@{exact.digest}"
