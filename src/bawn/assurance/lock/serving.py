"""What serves by a lockfile: the servers that are configured as it says, and why the others do not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec

from bawn.assurance.lock.contents import LockedServer
from bawn.assurance.lock.reach import differences, reach_of
from bawn.assurance.lock.reading import Lock, is_sound
from bawn.config import Config, Server
from bawn.errors import Refused
from bawn.launching.package import Resolution
from bawn.pins.record import Record

Packages = Callable[[str], Resolution | None]
"""What is on record of the package of a server; raises Refused when that cannot be read."""


@dataclass(frozen=True, slots=True)
class Served:
    """What is approved of each server that serves, and why each other one does not.

    `withheld` is what would serve of those that are refused.
    """

    records: Mapping[str, Record]
    refused: Mapping[str, str]
    withheld: Mapping[str, Record]


def served(config: Config, lock: Lock, packages: Packages) -> Served:
    """Hold a configuration, and what is installed for it, against a lockfile."""
    records: dict[str, Record] = {}
    refused: dict[str, str] = {}
    withheld: dict[str, Record] = {}
    for name, server in config.servers.items():
        found = lock.servers.get(name)
        if found is None:
            refused[name] = lock.damaged.get(name, "it is not in bawn.lock")
            continue
        sound = tuple(filter(is_sound, found.pins))
        record = msgspec.structs.replace(found, pins=sound).record(name)
        if why := _problem(name, server, found, packages):
            refused[name], withheld[name] = why, record
        else:
            records[name] = record
    return Served(records, refused, withheld)


def package_problem(name: str, found: LockedServer, packages: Packages) -> str:
    """Why a local server would not be started from the package that was locked; empty when it would."""
    try:
        installed = packages(name)
    except Refused as refused:
        return refused.detail or refused.message
    if found.package is None:
        return "" if installed is None else f"{installed.package} is installed, and was not locked"
    if installed is None:
        return f"{found.package.package} is not installed as it was locked"
    if (installed.digest, installed.asked) != (found.package.digest, found.package.asked):
        return (
            f"{installed.package} is installed, and not what was locked ({found.package.package})"
        )
    return ""


def _problem(name: str, server: Server, found: LockedServer, packages: Packages) -> str:
    wrong = [each.setting for each in differences(found.reach, reach_of(server))]
    if wrong:
        return f"not configured as in bawn.lock: {', '.join(wrong)}"
    if server.command is None:
        return ""
    problem = package_problem(name, found, packages)
    return f"{problem}; `bawn lock --install` installs what was locked" if problem else ""
