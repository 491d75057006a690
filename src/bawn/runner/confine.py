"""Whether servers are confined, and if not, why: bubblewrap, tried once by really running it."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from bawn.config import Server
from bawn.errors import UPSTREAM_NOT_STARTED, Refused
from bawn.model import Json
from bawn.runner import sandbox
from bawn.runner.launch import Launch, scrubbed
from bawn.runner.spawn import Process

PROBE: Final = 10.0
"""Seconds that bubblewrap may take to show that it works."""

_CONFINED: Final = (
    "bawn's state, consents and configuration, all program files, other processes and /tmp are out of "
    "its reach; the rest of the file system and the network are not"
)
_OPEN: Final = "it can do whatever the gate's user can, read bawn's keys included"


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a server runs, and a sentence on it for people."""

    confined: Literal["bubblewrap", "no"]
    why: str

    @property
    def facts(self) -> Json:
        """As `bawn status` gets it."""
        return {"confined": self.confined, "why": self.why}


class Shelter:
    """The confinement of every server of this runner."""

    def __init__(self) -> None:
        self._program = ""
        self._missing = "it was not tried yet"
        self._view = sandbox.View((), (), ())

    async def probe(self) -> None:
        """Find out whether bubblewrap works here; again after it did not."""
        if not self._program:
            program = shutil.which("bwrap")
            self._missing = await _trial(program) if program else _not_there()
            self._program = program if program and not self._missing else ""

    def apply(
        self, servers: Iterable[Server], base: Path, hide: Iterable[Path], guard: Iterable[Path]
    ) -> None:
        """From now on hide and guard these, and the program files of these servers."""
        code = list(sandbox.own_code())
        for server in servers:
            for argument in server.command or ():
                if "/" in argument:
                    code += sandbox.program_files(base / Path(argument).expanduser())
        self._view = sandbox.View(_real(hide), _real(guard), tuple(dict.fromkeys(code)))

    @property
    def guarded(self) -> tuple[object, ...]:
        """The identity of the guarded files: a mount stays with a file, not with its name."""
        return tuple(map(_identity, self._view.guard))

    def verdict(self, server: Server) -> Verdict:
        """How this server will run."""
        if server.confine == "off":
            return Verdict("no", f"`confine: off`: {_OPEN}")
        if self._program:
            return Verdict("bubblewrap", _CONFINED)
        return Verdict("no", f"{self._missing}; {_OPEN}")

    def wrap(self, launch: Launch, server: Server) -> Launch:
        """The launch inside its confinement; may block.

        Raises:
            Refused: upstream.not_started, where it is required and cannot be had.
        """
        verdict = self.verdict(server)
        if verdict.confined == "no":
            if server.confine == "required":
                detail = f"`confine: required`, and {self._missing}"
                raise Refused(UPSTREAM_NOT_STARTED, detail=detail)
            return replace(launch, why=verdict.why)
        try:
            for path in self._view.hide:
                path.mkdir(mode=0o700, parents=True, exist_ok=True)  # or the server could make it
        except OSError as problem:
            detail = f"{path} cannot be hidden from it: {problem.strerror}"
            raise Refused(UPSTREAM_NOT_STARTED, detail=detail) from None
        outside = (self._program, *sandbox.arguments(launch, self._view))
        return replace(
            launch,
            argv=(*outside, *launch.argv),
            layers=sandbox.LAYERS,
            confined=verdict.confined,
            why=verdict.why,
        )


async def _trial(program: str) -> str:
    """Why bubblewrap does not work; empty when it does."""
    said = bytearray()
    ends: asyncio.Queue[str] = asyncio.Queue()
    process = Process()
    process.on_stderr, process.on_end = said.extend, ends.put_nowait
    inside = (sys.executable, "-I", "-S", "-c", "")
    own = [str(path) for path in sandbox.own_code() if path.is_relative_to("/tmp")]  # noqa: S108
    binds = [argument for path in own for argument in ("--ro-bind", path, path)]
    argv = (program, *sandbox.base(), "--tmpfs", "/tmp", *binds, "--", *inside)  # noqa: S108
    try:
        async with asyncio.timeout(PROBE):
            await process.spawn(
                Launch(argv, Path("/"), scrubbed(os.environ), layers=sandbox.LAYERS)
            )
            how = await ends.get()
    except (TimeoutError, Refused) as problem:
        process.kill()
        return f"bubblewrap does not work here ({str(problem) or 'it did not end'})"
    if how == "the process ended with exit code 0":
        return ""
    last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
    return f"bubblewrap does not work here ({' '.join(last) or how})"


def _not_there() -> str:
    if sys.platform != "linux":
        return "confinement is for Linux, by bubblewrap"
    return "bubblewrap is not installed (package `bubblewrap` of most distributions)"


def _real(paths: Iterable[Path]) -> tuple[Path, ...]:
    return tuple(dict.fromkeys(Path(os.path.realpath(path)) for path in paths))


def _identity(path: Path) -> object:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
