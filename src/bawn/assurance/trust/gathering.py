"""The trust status of the servers of a configuration, from everything that is on record of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, TypeAlias
from urllib.parse import urlsplit

import msgspec
import rfc8785

from bawn.assurance.trust import approved
from bawn.assurance.trust.looked import looked
from bawn.assurance.trust.signed import Signatures
from bawn.assurance.trust.status import Status, status
from bawn.config import Config, Server
from bawn.errors import BawnError, Refused
from bawn.findings.evidence import Dimension, Evidence
from bawn.launching.package import Resolution
from bawn.pins.record import Record
from bawn.pins.tree import root
from bawn.storage.files import ServerFiles
from bawn.vulnerabilities import inventory

RENEWED: Final = 60.0
"""Seconds after which a status is gathered anew though no file has changed: signatures expire."""

_Stamp: TypeAlias = tuple[int, int] | None


class Trust:
    """Gathers statuses; a server's files are read again when they were replaced, and only then.

    `lock` is the directory of what serves by bawn.lock, where a gate is locked.
    `base` is where relative paths of the configuration start, `state` the state directory, in which nothing
    is made. `listed` tells when a gate last listed a server, in seconds since the epoch; 0 for never.
    """

    def __init__(
        self,
        config: Config,
        base: Path,
        state: Path,
        listed: Callable[[str], float] = lambda server: 0.0,
        clock: Callable[[], float] = time.time,
        *,
        lock: Path | None = None,
    ) -> None:
        self._config = config
        self._base = base
        self._records = ServerFiles(state / "pins", Record)
        self._lock = None if lock is None else ServerFiles(lock, Record)
        self._known = ServerFiles(state / "evidence", tuple[Evidence, ...])
        self._packages = ServerFiles(state / "packages", Resolution)
        self._signatures = Signatures(config, base, clock)
        self._listed = listed
        self._clock = clock
        self._waiting: dict[str, int] = {}
        self._scanned: dict[str, str] = {}
        self._held: dict[str, tuple[tuple[_Stamp, ...], float, list[Evidence]]] = {}
        self._current: dict[str, dict[Dimension, str]] = {}

    def of(self, server: str) -> Status:
        """The status of one server of the configuration."""
        now = self._clock()
        stamps = tuple(_stamp(path) for path in self._files(server))
        held = self._held.get(server)
        if held is None or held[0] != stamps or not 0 <= now - held[1] < RENEWED:
            held = (stamps, now, self._gathered(server, now))
            self._held[server] = held
        at = self._listed(server)
        known = [
            approved.listed(each, at) if each.dimension == "drift" else each for each in held[2]
        ]
        return status(server, known, self._current[server], now)

    def every(self) -> list[Status]:
        """Of all servers that are not disabled, in the order in which they need somebody."""
        active = [name for name, each in self._config.servers.items() if each.status != "disabled"]
        return sorted(map(self.of, active), key=lambda each: each.order)

    def waiting(self, server: str) -> int:
        """How many definitions of a server wait for a decision, as of when its status was last gathered."""
        return self._waiting.get(server, 0)

    def record(self, server: str) -> Record | None:
        """What is approved of a server: by the lockfile, where the gate is locked.

        Raises:
            Refused: integrity.store.
        """
        own = self._records.read(server)
        locked = None if self._lock is None else self._lock.read(server)
        if locked is None:
            return own
        return locked if own is None else msgspec.structs.replace(locked, holds=own.holds)

    def resolution(self, server: str) -> Resolution | None:
        """What is installed for a server.

        Raises:
            Refused: integrity.store.
        """
        return self._packages.read(server)

    def scanned(self, server: str) -> str:
        """What a scan of a server looks at now; empty where that cannot be told."""
        self.of(server)
        return self._scanned.get(server, "")

    def _files(self, server: str) -> Iterator[Path]:
        for store in (self._records, self._known, self._packages):
            yield store.path(server)
        if self._lock is not None:
            yield self._lock.path(server)
        yield from self._signatures.files
        yield self._signatures.own(server)

    def _gathered(self, name: str, now: float) -> list[Evidence]:
        """What is on record of a server."""
        server = self._config.servers[name]
        known: list[Evidence] = []
        record: Record | None = None
        resolution: Resolution | None = None
        try:
            record = self.record(name)
            known += [approved.pin(record, now), approved.drift(record, now)]
        except Refused as refused:
            known += _broken(refused, ("pin", "drift"), now)
        try:
            resolution = self._packages.read(name)
        except Refused as refused:
            known += _broken(refused, ("publisher", "provenance"), now)
        try:
            known += self._known.read(name) or ()
        except Refused as refused:
            known += _broken(refused, ("scan", "vulnerabilities"), now)
        if server.url is not None:
            known += _remote(server.url)
        waiting = record.waiting if record is not None else ()
        self._waiting[name] = sum(not each.rejected for each in waiting)
        merkle_root = root(record.pins) if record is not None else ""
        known.append(self._signatures.of(name, merkle_root))
        self._current[name] = self._of(name, record, resolution, known)
        return known

    def _of(
        self,
        name: str,
        record: Record | None,
        resolution: Resolution | None,
        known: list[Evidence],
    ) -> dict[Dimension, str]:
        """What is served now, by question."""
        server = self._config.servers[name]
        self._scanned[name] = scanned(server, record)
        current: dict[Dimension, str] = {"scan": self._scanned[name]}
        if server.command is not None:
            package = resolution.digest if resolution is not None else "none"
            current |= {"provenance": package, "publisher": package}
        if any(each.dimension == "vulnerabilities" and each.of for each in known):
            try:
                found = inventory.of_server(server, self._base, resolution)
                current["vulnerabilities"] = found.of
            except (BawnError, OSError):
                current["vulnerabilities"] = "unknown"
        live = {each.dimension for each in known if each.verdict == "failed" and not each.of}
        return {dimension: of for dimension, of in current.items() if dimension not in live}


def listed_by(state: Path) -> Callable[[str], float]:
    """When the gate that runs on a state directory last found a server's lists as they are on record."""
    return looked(state / "run" / "health.json")


def scanned(server: Server, record: Record | None) -> str:
    """What a scan of a server looks at: how it is reached, and its definitions on record."""
    reached = [list(server.command or ()), sorted(server.env), server.url or "", server.cwd or ""]
    approved_root = root(record.pins) if record is not None else ""
    waiting = sorted(each.digest for each in record.waiting) if record is not None else []
    return sha256(rfc8785.dumps([reached, approved_root, waiting])).hexdigest()


def _broken(refused: Refused, dimensions: Sequence[Dimension], now: float) -> list[Evidence]:
    """A store that cannot be read: nothing that was in it counts."""
    why = refused.detail or refused.message
    return [Evidence(each, "failed", why, now) for each in dimensions]


def _remote(url: str) -> list[Evidence]:
    """What is known of whom a remote server belongs to: its host's name alone, and that is no proof."""
    parts = urlsplit(url)
    by = "by TLS" if parts.scheme == "https" else "without TLS"
    detail = f"reached {by} at {parts.hostname}; who runs it is not proved by that"
    built = "what a remote server runs is not seen from here"
    return [
        Evidence("publisher", "unmeasured", detail, 0.0),
        Evidence("provenance", "unmeasured", built, 0.0),
    ]


def _stamp(path: Path) -> _Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
