"""How far the servers deserve trust: looked at anew whenever something of them changes, apart from the loop."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from bawn.assurance.across.analysis import is_guarded, of_roles
from bawn.assurance.scanning import sources
from bawn.assurance.scanning.examine import Known, examine
from bawn.assurance.scanning.target import Target
from bawn.assurance.trust.gathering import Trust, listed_by
from bawn.assurance.trust.keeping import keep
from bawn.config import Config
from bawn.errors import Refused
from bawn.findings.evidence import Evidence
from bawn.findings.finding import Finding
from bawn.policy.roles import BUILT_IN
from bawn.policy.rules import RuleSet
from bawn.storage.directory import StateDirectory

log = logging.getLogger("bawn.assurance")

SHOWN: Final = 50
"""Findings that are told at once."""

EVERY: Final = 60.0
"""Seconds between looks when nothing announces a change: signatures expire, and evidence grows old."""

_SCANNED: Final = (
    86_400.0  # seconds after which servers are scanned again though nothing has changed
)


class Assuring:
    """Scans the servers and gathers their trust; `told` is called when a look has found something new.

    `lock` is the directory of what serves by bawn.lock; None where the gate is not locked.
    """

    def __init__(
        self,
        rules: RuleSet,
        config: Config,
        base: Path,
        state: StateDirectory,
        told: Callable[[], None],
        *,
        lock: Path | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config = config
        self._base = base
        self._state = state
        self._told = told
        self._clock = clock
        self._trust = Trust(config, base, state.path, listed_by(state.path), clock, lock=lock)
        tenants = sorted({each.tenant for each in config.servers.values()})
        reaches = of_roles({**BUILT_IN, **config.roles}, tenants)
        self._known = Known(rules.labels, reaches, is_guarded(rules))
        self._findings: list[Finding] = []
        self._scanned: tuple[object, float] | None = None
        self._asked = False
        self._working: asyncio.Task[None] | None = None
        self.trust: dict[str, tuple[Evidence, ...]] = {}
        """The answers of each server's trust status, without what they found."""

        self.waiting: dict[str, int] = {}
        """How many definitions of each server wait for somebody's decision."""

    @property
    def problems(self) -> list[str]:
        """What servers are to each other that somebody should see, in a line each."""
        found = [e for e in self._findings if e.level != "note" and e.kind.startswith("across/")]
        lines = [f"{each.kind}: {each.message}" for each in found]
        more = len(lines) - SHOWN
        return lines[:SHOWN] + ([f"and {more} more: `bawn scan --config`"] if more > 0 else [])

    def look(self) -> None:
        """Look at everything; what changes during a look is looked at after it."""
        self._asked = True
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def run(self) -> None:
        """Look now and again until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(EVERY)

    async def aclose(self) -> None:
        """Stop looking."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])

    async def _work(self) -> None:
        while self._asked:
            self._asked = False
            try:
                changed = await asyncio.to_thread(self._looked)
            except Exception:
                log.exception("the trust of the servers could not be looked at")
                return
            if changed:
                self._told()

    def _looked(self) -> bool:
        """Whether there is anything new to tell."""
        before = self._findings, self.trust, self.waiting
        self._scan()
        statuses = self._trust.every()
        self.trust = {
            each.server: tuple(
                Evidence(one.dimension, one.verdict, one.detail, one.at) for one in each.evidence
            )
            for each in statuses
        }
        self.waiting = {each.server: self._trust.waiting(each.server) for each in statuses}
        return before != (self._findings, self.trust, self.waiting)

    def _scan(self) -> None:
        """Scan the servers if what a scan looks at has changed, and keep what it says of each."""
        active = {n: each for n, each in self._config.servers.items() if each.status != "disabled"}
        now = self._clock()
        stamp = [(name, self._trust.scanned(name)) for name in active]
        last, at = self._scanned or (None, 0.0)
        if last == stamp and 0 <= now - at < _SCANNED:
            return
        config = self._config.model_copy(update={"servers": active})
        targets, problems = sources.of_config(
            config, "", self._base, self._trust.record, self._trust.resolution
        )
        found = examine(targets, known=self._known)
        self._tell(found, problems)
        self._findings = found
        self._keep(targets, found, now)
        self._scanned = stamp, now

    def _tell(self, found: Sequence[Finding], problems: Sequence[str]) -> None:
        """Log what is new."""
        before = set(self._findings)
        new = [each for each in found if each.level != "note" and each not in before]
        for each in new[:SHOWN]:
            log.warning("%s: %s", each.kind, each.message)
        if len(new) > SHOWN:
            log.warning("and %d more findings: `bawn scan --config` tells all", len(new) - SHOWN)
        for problem in problems:
            log.error("%s", problem)

    def _keep(self, targets: Sequence[Target], found: Sequence[Finding], now: float) -> None:
        try:
            keep(self._state.path, targets, found, now, self._trust.scanned)
        except (Refused, OSError) as error:
            log.error("what the scan found cannot be kept: %s", error)
