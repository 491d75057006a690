"""Every client file of a user, read and understood; nothing is started, nothing is sent."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from bawn.discovery.clients import CLIENTS, Client, Location, Place, Roots
from bawn.discovery.documents import files
from bawn.discovery.documents.document import Document, Slot
from bawn.discovery.documents.files import Snapshot
from bawn.discovery.documents.json_document import JsonDocument
from bawn.discovery.documents.spans import Unreadable
from bawn.discovery.documents.toml_document import TomlDocument
from bawn.discovery.documents.yaml_document import YAML_SUFFIXES, YamlDocument
from bawn.discovery.entry import Entry, entry_of

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
    targets = _targets(client, "user" if project is None else "project")
    for location in targets:
        path = next(paths_of(location, roots, project))
        file = read_file(client, path, location.places)
        if file is not None:
            return replace(file, strays=_strays(file, location, project)), location.places[0]
    if not targets:
        return None
    path, places = next(paths_of(targets[0], roots, project)), targets[0].places
    if not create or not path.parent.is_dir():
        return None
    document = open_document(path, "" if path.suffix == ".toml" else "{}\n")
    return ClientFile(client, path, places, document=document), places[0]


def _targets(client: Client, scope: str) -> tuple[Location, ...]:
    """The first location of a scope, and the same file by another ending (`.json`, `.jsonc`)."""
    those = [found for found in client.locations if found.places[0].scope == scope]
    stem = Path(those[0].path).with_suffix("") if those else None
    return tuple(found for found in those if Path(found.path).with_suffix("") == stem)


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
    except Unreadable as problem:
        return ClientFile(client, path, places, error=str(problem))
    if snapshot is None:
        return None
    return replace(understood(client, path, places, snapshot.raw), snapshot=snapshot)


def understood(client: Client, path: Path, places: tuple[Place, ...], raw: bytes) -> ClientFile:
    """The content of a file, wherever it came from; `path` tells its format."""
    try:
        document = open_document(path, files.decode(raw))
        found = tuple(
            (slot, entry_of(client, path, place.scope, slot))
            for place in places
            for slot in document.slots(place.keys)
            if not _is_inside(client, place, slot)
        )
    except Unreadable as problem:
        return ClientFile(client, path, places, error=str(problem))
    return ClientFile(client, path, places, document=document, found=found)


def _is_inside(client: Client, place: Place, slot: Slot) -> bool:
    """Whether it is no server: a part of the client, or the object that holds servers elsewhere."""
    if not isinstance(slot.value, dict):
        return False
    kind = slot.value.get("type")
    if kind in client.inside:
        return True
    # opencode: `mcp.servers` holds servers, unless it is itself one.
    return place.keys == ("mcp",) and slot.name == "servers" and not isinstance(kind, str)


def open_document(path: Path, text: str) -> Document:
    """The document of a file, by the ending of its name.

    Raises:
        Unreadable: it does not parse, with line and column.
    """
    if path.suffix == ".toml":
        return TomlDocument(text)
    return YamlDocument(text) if path.suffix in YAML_SUFFIXES else JsonDocument(text)
