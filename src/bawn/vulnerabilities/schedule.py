"""Looking again and again, for what was clean yesterday need not be today."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from bawn.config import Config
from bawn.errors import BawnError, Misconfigured
from bawn.findings.evidence import Evidence, renewed
from bawn.launching.package import Resolution
from bawn.storage.files import ServerFiles
from bawn.vulnerabilities import inventory as inventories
from bawn.vulnerabilities.database import Database
from bawn.vulnerabilities.opening import open_database
from bawn.vulnerabilities.report import Report, check
from bawn.vulnerabilities.vulnerability import counts

log = logging.getLogger("bawn.vulnerabilities")

Kept = ServerFiles[tuple[Evidence, ...]]
Resolved = Callable[[str], Resolution | None]

_SPREAD: Final = 0.1  # of the interval: so that many gates do not ask at once
_FIRST: Final = 30.0  # seconds after the start within which the first look begins
_CONCLUSIVE: Final = {"verified", "failed"}


class Watching:
    """Looks at every server each `vulnerabilities.every` seconds, and keeps what it found as evidence.

    `resolved` gives what bawn installed for a server; `told` is called after evidence has changed.
    """

    def __init__(
        self,
        config: Config,
        base: Path,
        kept: Kept,
        resolved: Resolved,
        told: Callable[[], None],
        *,
        database: Callable[[str, Path], Database] = open_database,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._base = base
        self._kept = kept
        self._resolved = resolved
        self._told = told
        self._database = database
        self._clock = clock
        self._now = asyncio.Event()
        self._tried: dict[str, float] = {}
        self._figures: dict[tuple[str, str], int] = {}
        for name in config.servers:
            self._count(name, self._evidence(name))

    @property
    def figures(self) -> dict[tuple[str, str], int]:
        """Vulnerabilities by server and severity, as they are on record; for the metrics."""
        return dict(self._figures)

    def soon(self) -> None:
        """Look at every server now: something was installed or moved."""
        self._tried.clear()
        self._now.set()

    async def run(self) -> None:
        """Look until cancelled; returns at once where no database is configured."""
        if self._config.vulnerabilities.database is None:
            return
        await self._rest(random.uniform(0, min(_FIRST, self._every)))  # noqa: S311 - no secret
        while True:
            forced = self._now.is_set()
            self._now.clear()
            try:
                await self.look(everything=forced)
            except Exception:  # a look that breaks is no reason to stop looking
                log.exception("vulnerabilities were not looked at")
            wait = self._every * random.uniform(1 - _SPREAD, 1)  # noqa: S311 - no secret
            await self._rest(min(wait, max(self._until_due(), 1.0)))

    async def look(self, *, everything: bool = False) -> list[Report]:
        """Look at the servers whose result is older than the interval, or at all."""
        due = [name for name in self._active() if everything or self._due(name) <= self._clock()]
        setting = self._config.vulnerabilities.database
        if not due or setting is None:
            return []
        for name in due:
            self._tried[name] = self._clock()
        try:
            database = await asyncio.to_thread(self._database, setting, self._base)
        except Misconfigured as error:
            log.error("vulnerabilities cannot be looked up: %s", error)
            return []
        try:
            found = [await self._one(name, database) for name in due]
        finally:
            await database.aclose()
        self._told()
        return [each for each in found if each is not None]

    async def _one(self, name: str, database: Database) -> Report | None:
        try:
            server = self._config.servers[name]
            resolution = await asyncio.to_thread(self._resolved, name)
            inventory = await asyncio.to_thread(
                inventories.of_server, server, self._base, resolution
            )
            report = await check(name, inventory, database, self._clock())
            await asyncio.to_thread(self._keep, name, report)
        except (BawnError, OSError) as error:
            log.error("%s: its vulnerabilities were not looked at: %s", name, error)
            return None
        if report.unanswered:
            log.warning("%s: %s", name, report.evidence.detail)
        return report

    def _keep(self, name: str, report: Report) -> None:
        """Replace this dimension's evidence alone, unless a failing database would hide what is known."""

        def replaced(known: tuple[Evidence, ...] | None) -> tuple[Evidence, ...] | None:
            old = _own(known or ())
            if old is not None and _hides(report, old):
                return None
            return renewed(known, report.evidence)

        self._kept.update(name, replaced)
        self._count(name, self._evidence(name))

    def _count(self, name: str, evidence: Evidence | None) -> None:
        for severity, number in counts(evidence.findings if evidence is not None else ()).items():
            self._figures[name, severity] = number

    def _evidence(self, name: str) -> Evidence | None:
        try:
            return _own(self._kept.read(name) or ())
        except BawnError as error:
            log.error("%s: what is known of its vulnerabilities cannot be read: %s", name, error)
            return None

    def _active(self) -> list[str]:
        return [name for name, each in self._config.servers.items() if each.status != "disabled"]

    def _due(self, name: str) -> float:
        """When this server is to be looked at again: after its last result, or the last try."""
        evidence = self._evidence(name)
        at = max(evidence.at if evidence is not None else 0.0, self._tried.get(name, 0.0))
        return at + self._every if at <= self._clock() else 0.0  # a clock set back looks again

    def _until_due(self) -> float:
        return min((self._due(name) for name in self._active()), default=0.0) - self._clock()

    async def _rest(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._now.wait(), seconds)
        except TimeoutError:
            return

    @property
    def _every(self) -> float:
        return self._config.vulnerabilities.every


def _own(known: tuple[Evidence, ...]) -> Evidence | None:
    return next((each for each in known if each.dimension == "vulnerabilities"), None)


def _hides(report: Report, old: Evidence) -> bool:
    """Whether a database that did not answer would take the place of what it said of the same before."""
    new = report.evidence
    return (
        report.unanswered
        and new.verdict == "unmeasured"
        and old.verdict in _CONCLUSIVE
        and old.of == new.of
    )
