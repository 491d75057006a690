"""What exactly is started: program, arguments, directory and environment of a local server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bawn.config import Server, secrets
from bawn.errors import UPSTREAM_NOT_STARTED, Misconfigured, Refused

_INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR", "USER")
"""What a server sees of the gate's environment, besides LC_*."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start; `env` is its whole environment and may hold secrets."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


def prepare(server: Server, base: Path, project: str | None) -> Launch:
    """Look up references, program and directory; may block on the keyring, so not for the loop.

    Raises:
        Refused: upstream.not_started, saying what is missing and never a secret's value.
    """
    env = scrubbed(os.environ)
    hidden: list[str] = []
    for name, text in server.env.items():
        try:
            env[name] = secrets.resolve(text, base)
            hidden += [secrets.resolve(str(one), base) for one in secrets.references(text)]
        except Misconfigured as problem:
            raise _unable(f"`env.{name}`: {problem}") from None
    cwd = _directory(server, base, project)
    if server.command is None:
        raise _unable("it has no `command`")
    program = _program(server.command[0], base, env.get("PATH", os.defpath))
    return Launch((program, *server.command[1:]), cwd, env, tuple(hidden))


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """The part of an environment that any server may see."""
    return {
        name: value
        for name, value in environment.items()
        if name in _INHERITED or name.startswith("LC_")
    }


def _directory(server: Server, base: Path, project: str | None) -> Path:
    if server.cwd is not None:
        cwd, origin = base / Path(server.cwd).expanduser(), "`cwd`"
    elif server.isolation == "project":
        if project is None or not Path(project).is_absolute():
            raise _unable("`isolation: project` needs the caller's directory, and none came")
        cwd, origin = Path(project), "the project's directory"
    else:
        cwd, origin = base, "the configuration's directory"
    if not cwd.is_dir():
        raise _unable(f"{origin} {cwd} is not a directory")
    return cwd


def _program(name: str, base: Path, path: str) -> str:
    # An absolute name, so that no directory a caller chose can decide which program runs.
    wanted = str(base / Path(name).expanduser()) if "/" in name else name
    found = shutil.which(wanted, path=path)
    if found is None:
        where = "is not an executable file" if "/" in name else f"was not found on PATH ({path})"
        raise _unable(f"the program {wanted} {where}")
    return str(Path(found).absolute())


def _unable(detail: str) -> Refused:
    return Refused(UPSTREAM_NOT_STARTED, detail=detail)
