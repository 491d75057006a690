"""Every client file of this user, read and understood; nothing is started, nothing is sent."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bawn.discovery import files
from bawn.discovery.clients import CLIENTS, Client, Location, Place, Roots
from bawn.discovery.document import Document, Slot
from bawn.discovery.entry import Entry, entry_of
from bawn.discovery.files import Snapshot
from bawn.discovery.json_document import JsonDocument
from bawn.discovery.spans import Unreadable
from bawn.discovery.toml_document import TomlDocument

BUDGET = 10.0
"""Seconds after which no further file is begun."""

MAX_MATCHES = 64
"""Most files that one location with a `*` stands for."""


@dataclass(frozen=True, slots=True)
class ClientFile:
    """One file of one client. Either `error` says why it cannot be used, or the rest is there.

    `strays`: it belongs to a project, and is a link that leads out of it.
    """

    client: Client
    path: Path
    places: tuple[Place, ...]
    error: str = ""
    snapshot: Snapshot | None = None
    document: Document | None = None
    found: tuple[tuple[Slot, Entry], ...] = ()
    strays: bool = False

    @property
    def entries(self) -> tuple[Entry, ...]:
        """The servers in it."""
        return tuple(entry for _, entry in self.found)


def inventory(
    roots: Roots, project: Path | None = None, clients: Iterable[Client] = CLIENTS
) -> tuple[ClientFile, ...]:
    """Read the files of these clients: the user's, and those of a project directory."""
    deadline = time.monotonic() + BUDGET
    found: list[ClientFile] = []
    seen: set[tuple[str, str]] = set()
    for client in clients:
        for location in client.locations:
            for path in paths_of(location, roots, project):
                key = (client.id, os.path.realpath(path))
                if key in seen:  # a project in the home directory has the user's files as its own
                    continue
                seen.add(key)
                file = read_file(client, path, location.places, late=time.monotonic() > deadline)
                if file is not None:
                    found.append(replace(file, strays=_strays(file, location, project)))
    return tuple(found)


def aggregate_target(
    client: Client, roots: Roots, project: Path | None, *, create: bool
) -> tuple[ClientFile, Place] | None:
    """The file and place for an entry that stands for all servers: the project's, or the user's.

    None when there is no such file; with `create` an empty one is made up where the client's own
    folder is there.
    """
    wanted = "user" if project is None else "project"
    for location in client.locations:
        place = location.places[0]
        if place.scope != wanted:
            continue
        path = next(paths_of(location, roots, project))
        file = read_file(client, path, location.places)
        if file is None and create and path.parent.is_dir():
            document = open_document(path, "" if path.suffix == ".toml" else "{}\n")
            file = ClientFile(client, path, location.places, document=document)
        if file is None:
            return None
        return replace(file, strays=_strays(file, location, project)), place
    return None


def _strays(file: ClientFile, location: Location, project: Path | None) -> bool:
    if location.root != "project" or project is None or file.snapshot is None:
        return False
    return not file.snapshot.target.is_relative_to(os.path.realpath(project))


def paths_of(location: Location, roots: Roots, project: Path | None) -> Iterator[Path]:
    """The paths that a location stands for on this machine."""
    if location.platform and location.platform != roots.platform:
        return
    root = project if location.root == "project" else getattr(roots, location.root)
    if root is None:
        return
    if "*" in location.path:
        yield from sorted(itertools.islice(root.glob(location.path), MAX_MATCHES))
    else:
        yield root / location.path


def read_file(
    client: Client, path: Path, places: tuple[Place, ...], *, late: bool = False
) -> ClientFile | None:
    """Read one file; None when there is none."""
    try:
        if late:
            raise Unreadable(f"not read: {BUDGET:.0f} seconds were over")
        snapshot = files.read(path)
        if snapshot is None:
            return None
        document = open_document(path, files.decode(snapshot.raw))
        found = tuple(
            (slot, entry_of(client, path, place.scope, slot))
            for place in places
            for slot in document.slots(place.keys)
        )
    except Unreadable as problem:
        return ClientFile(client, path, places, error=str(problem))
    return ClientFile(client, path, places, "", snapshot, document, found)


def open_document(path: Path, text: str) -> Document:
    """The document of a file, by the ending of its name.

    Raises:
        Unreadable: it does not parse, with line and column.
    """
    return TomlDocument(text) if path.suffix == ".toml" else JsonDocument(text)
