"""What exactly is started: program, arguments, directory and environment of a local server."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bawn.config import Server, secrets
from bawn.errors import INTEGRITY_LAUNCH, UPSTREAM_NOT_STARTED, Misconfigured, Refused
from bawn.launching.installed import Installed
from bawn.runner import data as directories
from bawn.storage.trees import Trees

_INHERITED: Final = ("PATH", "HOME", "LANG", "TMPDIR", "USER")
"""What a server sees of the gate's environment, besides LC_*."""


@dataclass(frozen=True, slots=True)
class Launch:
    """One process to start; `env` is its whole environment and may hold secrets.

    `layers` counts the processes around the server itself, `data_limit` are bytes; `confined`, `why`
    and `bounds` are for people. `installed` is the tree that it is started from, which it must see.
    """

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)
    data: Path | None = None
    installed: Path | None = None
    layers: int = 0
    data_limit: int | None = None
    cgroup: Path | None = None
    confined: str = "no"
    why: str = ""
    bounds: str = ""


def prepare(
    server: Server,
    base: Path,
    project: str | None,
    data: Path | None = None,
    installed: Installed | None = None,
) -> Launch:
    """Look up references, program and directory; may block on the keyring, so not for the loop.

    `data` is the directory that `${data}` stands for; it is created. What is `installed` for the server
    is started in place of its command.

    Raises:
        Refused: upstream.not_started, saying what is missing and never a secret's value.
    """
    env = scrubbed(os.environ)
    if data is not None:
        directories.make(data)
        env["TMPDIR"] = str(data / directories.TEMPORARY)
    hidden: list[str] = []
    for name, text in server.env.items():
        try:
            env[name] = secrets.resolve(text, base, data)
            hidden += [secrets.resolve(str(one), base) for one in secrets.references(text)]
        except Misconfigured as problem:
            raise _unable(f"`env.{name}`: {problem}") from None
    cwd = _directory(server, base, project)
    if server.command is None:
        raise _unable("it has no `command`")
    command = installed.argv if installed and installed.argv else server.command
    program = _program(command[0], base, env.get("PATH", os.defpath))
    rest = command[1:]
    if data is not None:
        rest = tuple(argument.replace(secrets.DATA, str(data)) for argument in rest)
    root = Path(installed.root) if installed and installed.root else None
    return Launch((program, *rest), cwd, env, tuple(hidden), data, root)


def insist_on(installed: Installed, trees: Trees) -> None:
    """Insist that what would be started is as it was installed; may block.

    Raises:
        Refused: integrity.launch.
    """
    problem = installed.problem
    if not problem and installed.root:
        problem = trees.problem(Path(installed.root), installed.tree)
    if problem:
        raise Refused(INTEGRITY_LAUNCH, detail=problem)


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
