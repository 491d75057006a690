"""Moving servers behind the gate: the settings they get, and the entries that are pointed at them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from bawn.config.server import Server
from bawn.discovery.documents.document import KeyPath, Slot
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.entry import Entry, launch_of
from bawn.discovery.inventory import ClientFile
from bawn.discovery.pointing.rewrite import MANAGED, Gate, Plan, is_ours, plan_entries
from bawn.discovery.taking.importing import Imported, imported
from bawn.discovery.taking.matching import normal
from bawn.launching import checked


@dataclass(frozen=True, slots=True)
class Refusal:
    """An entry that stays where it is, and why."""

    name: str
    where: str
    why: str


@dataclass(frozen=True, slots=True)
class Adoption:
    """What would be done: servers that are added, and the files in which entries are pointed at them."""

    servers: tuple[Imported, ...] = ()
    plans: tuple[Plan, ...] = ()
    refusals: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Chosen:
    """An entry that is to be moved; `server` is the registered one that it already is, else empty."""

    file: ClientFile
    slot: Slot
    entry: Entry
    server: str = ""


@dataclass(slots=True)
class _Work:
    servers: dict[Any, Imported] = field(default_factory=dict)
    targets: dict[Path, dict[tuple[KeyPath, str], str]] = field(default_factory=dict)
    refusals: list[Refusal] = field(default_factory=list)

    def refuse(self, chosen: Chosen, why: str) -> None:
        where = f"{chosen.entry.path}:{chosen.entry.line}"
        self.refusals.append(Refusal(chosen.slot.name, where, why))


def plan_adoption(
    chosen: Sequence[Chosen],
    gate: Callable[[Sequence[Imported]], Gate],
    refer: Callable[[str], str],
    taken: Collection[str],
) -> Adoption:
    """Work out what moving these entries behind the gate means.

    `gate` makes the gate with some servers more; `taken` are the ids of those that it has.
    """
    work = _Work()
    for each in chosen:
        if each.entry.scope == "managed":
            work.refuse(each, MANAGED)
        elif not is_ours(each.file.client, each.slot.value):
            server = each.server or _added(work, each, refer, taken)
            if server:
                place = work.targets.setdefault(each.file.path, {})
                place[each.slot.keys, each.slot.name] = server
    found = tuple(work.servers.values())
    files = {each.file.path: each.file for each in chosen}
    plans = _plans(work, files.values(), gate(found))
    return Adoption(found, tuple(plans), tuple(work.refusals))


def _plans(work: _Work, files: Iterable[ClientFile], gate: Gate) -> Iterable[Plan]:
    for file in files:
        if wanted := work.targets.get(file.path):
            try:
                yield plan_entries(file, gate, wanted)
            except Unreadable as problem:
                names = ", ".join(name for _, name in wanted)
                work.refusals.append(Refusal(names, str(file.path), str(problem)))


def _added(work: _Work, chosen: Chosen, refer: Callable[[str], str], taken: Collection[str]) -> str:
    """The id of the server that the entry becomes; one for all entries that are the same."""
    launch = normal(launch_of(chosen.file.client, chosen.slot.value))
    same = (
        launch.command, launch.url, launch.cwd,
        tuple(sorted(launch.env.items())), tuple(sorted(launch.headers.items())),
    )  # fmt: skip
    if (known := work.servers.get(same)) is not None:
        return known.id
    ids = {*taken, *(server.id for server in work.servers.values())}
    alone = replace(chosen.file, found=((chosen.slot, chosen.entry),))
    found, skipped = imported([alone], refer, ids)
    if skipped:
        work.refuse(chosen, skipped[0].why)
        return ""
    (server,) = found
    if why := _unfit(server):
        work.refuse(chosen, why)
        return ""
    work.servers[same] = server
    return server.id


def _unfit(server: Imported) -> str:
    """Why the gate would not start it, or would start something else; empty when it is fit."""
    command = server.settings.get("command")
    if command and command[0].startswith(("./", "../")):
        return "its program is relative to where the client starts it: write its whole path"
    # Through JSON, where a list stands for a tuple.
    settings = Server.model_validate_json(msgspec.json.encode(server.settings))
    return "; ".join(checked.refuse(server.id, settings))
