"""No local server may be given a directory that holds bawn's own files.

A server whose root contains `bawn.yaml`, the state directory or the record of consents could read the
gate's keys and change what it starts. The arguments of a command are all that tells of such roots
before it runs, so each is taken for a path, whole and in parts: `--root=/srv`, `/srv:/data`, `~`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bawn.config import trust
from bawn.config.load import Loaded
from bawn.config.secrets import DATA
from bawn.config.server import Server
from bawn.errors import Misconfigured

_BETWEEN = re.compile(r"[=:,;]")


@dataclass(frozen=True, slots=True)
class _Own:
    """A path of bawn's own. No argument may name it or one above it, nor one below if `closed`."""

    path: Path
    what: str
    closed: bool = False

    def given_by(self, path: Path) -> bool:
        return self.path.is_relative_to(path) or (self.closed and path.is_relative_to(self.path))


def refuse_roots(loaded: Loaded) -> None:
    """Let only configurations pass whose local servers stay away from bawn's own files.

    Raises:
        Misconfigured: each server and argument, what it contains, and what to do.
    """
    own = tuple(_own(loaded))
    wrong: list[str] = []
    for name, server in loaded.config.servers.items():
        for argument in (server.command or ())[1:]:
            paths = tuple(_paths(argument, server, loaded.base))
            given = [one for one in own if any(map(one.given_by, paths))]
            if given:
                wrong.append(_problem(name, argument, given[0]))
    if wrong:
        raise Misconfigured(*wrong)


def _own(loaded: Loaded) -> Iterator[_Own]:
    yield _Own(_real(loaded.path), f"the configuration {loaded.path}")
    state, consents = _real(loaded.state), _real(trust.store_directory())
    # a state directory around the configuration would close everything beside it, too
    around = _real(loaded.base).is_relative_to(state)
    yield _Own(state, f"the state directory {state}", closed=not around)
    yield _Own(consents, f"the record of consents in {consents}", closed=True)
    if loaded.config.policy is not None:
        policies = _real(loaded.base / Path(loaded.config.policy).expanduser())
        yield _Own(policies, f"the policies in {policies}", closed=True)
    with suppress(RuntimeError):
        yield _Own(_real(Path.home()), f"your home directory {Path.home()}")


def _paths(argument: str, server: Server, base: Path) -> Iterator[Path]:
    """What an argument may stand for; nothing where a caller's project decides what it is."""
    cwd = base / Path(server.cwd or "").expanduser()
    for text in dict.fromkeys((argument, *_BETWEEN.split(argument))):
        name = text.removeprefix("file://")
        if not name or "\0" in name or DATA in name:
            continue
        with suppress(RuntimeError, OSError):  # `~somebody` without a home, a loop of links
            place = Path(name).expanduser()
            if place.is_absolute() or server.cwd is not None or server.isolation != "project":
                yield _real(cwd / place)


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _problem(name: str, argument: str, own: _Own) -> str:
    return (
        f"servers.{name}.command: the argument `{argument}` gives it {own.what}; expected paths "
        "without bawn's own files: name only the directories that it needs, or move bawn's away"
    )
