"""The servers of a configuration together with what is on record of them: pins and installed packages."""

from __future__ import annotations

from pathlib import Path
from typing import TypeAlias

from bawn.config.load import Loaded
from bawn.config.model import Config
from bawn.config.server import Server
from bawn.errors import Refused
from bawn.launching.command import Launching
from bawn.launching.grammar import read
from bawn.launching.package import Resolution
from bawn.pins import tree
from bawn.pins.record import Record
from bawn.registry.api import Published
from bawn.registry.entry import Entry, entry_of
from bawn.registry.exporting import public
from bawn.storage.files import ServerFiles

_Stamp: TypeAlias = tuple[int, int, int] | None


class Collection:
    """The entries; what is on record is read again when its file was replaced, and only then.

    `state` is the state directory, in which nothing is made. `changed` is when the configuration was last
    changed, in seconds since the epoch.
    """

    def __init__(self, config: Config, state: Path, changed: float) -> None:
        self._config = config
        self._changed = changed
        self._pins = ServerFiles(state / "pins", Record)
        self._packages = ServerFiles(state / "packages", Resolution)
        self._held: dict[str, tuple[tuple[_Stamp, _Stamp], Entry, Published]] = {}

    def record(self, name: str) -> Record | None:
        """What is on record of a server's definitions.

        Raises:
            Refused: integrity.store.
        """
        return self._pins.read(name)

    def resolution(self, name: str) -> Resolution | None:
        """What is installed for a server.

        Raises:
            Refused: integrity.store.
        """
        return self._packages.read(name)

    def entry(self, name: str) -> Entry:
        """The entry of a server.

        Raises:
            Refused: integrity.store: what is on record of it cannot be read.
        """
        return self._of(name)[0]

    def published(self) -> tuple[Published, ...]:
        """What others may read: neither what is disabled, nor what nobody can vouch for."""
        found = []
        for name, server in self._config.servers.items():
            if server.status != "disabled":
                try:
                    found.append(self._of(name)[1])
                except Refused:
                    continue  # its record is lost: nothing of it serves until somebody has looked
        return tuple(found)

    def _of(self, name: str) -> tuple[Entry, Published]:
        stamps = self._pins.stamp(name), self._packages.stamp(name)
        held = self._held.get(name)
        if held is None or held[0] != stamps or None in stamps:
            held = (stamps, *self._made(name))
            self._held[name] = held
        return held[1], held[2]

    def _made(self, name: str) -> tuple[Entry, Published]:
        server = self._config.servers[name]
        record, resolution = self.record(name), self.resolution(name)
        entry = entry_of(
            name,
            server,
            self._config.registry.namespace,
            launching=launching_of(server),
            resolution=resolution,
            root=tree.root(record.pins) if record is not None and record.pins else "",
        )
        approved = [pin.approved for pin in record.pins] if record is not None else []
        first = record.first if record is not None else self._changed
        resolved = resolution.resolved if resolution is not None else 0.0
        return entry, Published(
            name,
            server.tenant,
            public(entry, self._config.base_url),
            server.status,
            first,
            max(first, self._changed, resolved, *approved, 0.0),
        )


def of(found: Loaded) -> Collection:
    """The entries of a configuration file."""
    return Collection(found.config, found.state, found.path.stat().st_mtime)


def launching_of(server: Server) -> Launching | None:
    """What the command of a server would do; None for one without a command."""
    if server.command is None:
        return None
    return read(server.command, server.env, server.cwd or "")
