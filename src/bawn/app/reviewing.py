"""The policies in force held against what the servers offer now: told, never a reason to stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from bawn.config import Config
from bawn.findings.finding import Finding
from bawn.model import View
from bawn.policy.roles import BUILT_IN
from bawn.policy.rules import RuleSet
from bawn.review.checking.check import check

log = logging.getLogger("bawn.policy")

SHOWN: Final = 50
"""Findings that are told at once."""


class Reviewing:
    """Checks the rules against each new View, apart from the loop; `told` is called when that is done."""

    def __init__(self, rules: RuleSet, config: Config, told: Callable[[], None]) -> None:
        self._rules = rules
        self._config = config
        self._told = told
        self._findings: list[Finding] = []
        self._next: View | None = None
        self._working: asyncio.Task[None] | None = None

    @property
    def problems(self) -> list[str]:
        """What is wrong with the rules now, in a line each."""
        found = [each for each in self._findings if each.level != "note"]
        lines = [f"{each.place}: {each.message}" if each.place else each.message for each in found]
        more = len(lines) - SHOWN
        return lines[:SHOWN] + ([f"and {more} more: `bawn policy check`"] if more > 0 else [])

    def look(self, view: View) -> None:
        """Check the rules against this View; of several in a row, the last one counts."""
        self._next = view
        if self._working is None or self._working.done():
            self._working = asyncio.create_task(self._work())

    async def aclose(self) -> None:
        """Stop looking."""
        if self._working is not None:
            self._working.cancel()
            await asyncio.wait([self._working])

    async def _work(self) -> None:
        while self._next is not None:
            view, self._next = self._next, None
            try:
                found = await asyncio.to_thread(self._check, view)
            except Exception:
                log.exception("the policies could not be checked against the servers")
                return
            before, self._findings = set(self._findings), found
            for each in found:
                if each.level != "note" and each not in before:
                    log.warning("policy %s: %s", each.place, each.message)
            self._told()

    def _check(self, view: View) -> list[Finding]:
        config = self._config
        issued = {role for issuer in config.identity.issuers for role in issuer.roles.values()}
        roles = {*BUILT_IN, *config.roles, *config.identity.local_roles, *issued}
        return check(self._rules, view, roles, config.approvals.approvers)
