"""The client files of every user of this machine: those that cannot be read are told."""

from __future__ import annotations

import itertools
import os
import pwd
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from bawn.discovery.clients import CLIENTS, Roots
from bawn.discovery.inventory import ClientFile, inventory
from bawn.discovery.shadow.sighting import Look, Sighting, Unseen, joined, of_entry

MAX_HOMES: Final = 5_000
_NO_HOMES: Final = frozenset(["/", "/nonexistent", "/dev/null", "/var/empty", "/bin", "/sbin"])


class Home(NamedTuple):
    """A user and their home directory."""

    user: str
    directory: Path


def homes() -> tuple[Home, ...]:
    """The home directories of the password database, each once; those of no directory left out."""
    found: dict[str, Home] = {}
    for account in itertools.islice(pwd.getpwall(), MAX_HOMES):
        if account.pw_dir and account.pw_dir not in _NO_HOMES:
            found.setdefault(account.pw_dir, Home(account.pw_name, Path(account.pw_dir)))
    return tuple(found.values())


def look(places: Iterable[Home], roots: Roots) -> Look:
    """Read the client files of these users. `roots` are those of the machine: platform and system."""
    return joined(_of(home, roots) for home in places)


def of_files(
    files: Iterable[ClientFile], user: str = "", source_user: bool = True
) -> Iterator[Look]:
    """What client files hold, as looks."""
    for file in files:
        if file.error:
            yield Look((), (Unseen("client", str(file.path), file.error),))
            continue
        seen = _modified(file)
        shown = (
            of_entry(entry, user=user if source_user else "", seen=seen) for entry in file.entries
        )
        yield Look(tuple(sighting for sighting in shown if sighting is not None))


def _of(home: Home, roots: Roots) -> Look:
    try:
        with os.scandir(home.directory):
            pass
    except (FileNotFoundError, NotADirectoryError):
        return Look()
    except OSError as problem:
        why = f"the home of {home.user} cannot be read ({problem.strerror})"
        return Look((), (Unseen("client", str(home.directory), why),))
    theirs = Roots.of({"HOME": str(home.directory)}, roots.platform, str(roots.system))
    return joined(of_files(inventory(theirs, clients=CLIENTS), home.user))


def _modified(file: ClientFile) -> float:
    try:
        return file.path.stat().st_mtime
    except OSError:
        return 0.0


def once(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Without those of a place that was seen already: the administrator's files are every user's."""
    found: dict[tuple[str, str, str], Sighting] = {}
    for sighting in sightings:
        found.setdefault((sighting.client, sighting.where, sighting.name), sighting)
    return tuple(found.values())
