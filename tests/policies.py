"""Engines for tests that are not about what policies can say."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from bawn.config import RoleRule
from bawn.policy.engine import CedarEngine
from bawn.policy.files import reading


def roles_only(
    configured: Mapping[str, RoleRule], clock: Callable[[], float] = time.time
) -> CedarEngine:
    """The engine where no policy directory is set: a role's patterns permit what they match."""
    return CedarEngine(reading.ruleset(None, 900.0), configured, clock=clock)
